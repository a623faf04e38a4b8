# SPDX-License-Identifier: GPL-2.0-only
"""make run: boot a TDX host on softseam, initialise TDX, launch TDs, report."""
import os
import subprocess

from lab import place, qemu, report, selftests, softseam, trees
from lab import initramfs, kernel
from lab.say import LabError, line, step

STEPS = "load:kvm-intel,vm"
TD_MEMORY_MB = "16:32:64"
MAX_TDS = 8
# TDX_FEATURES0: the least that Linux takes, and what can be offered.
LEAST, DYNAMIC_PAMT = 0x140000, 1 << 36
# TDX Connect, and Extensions, which it needs.
EXTENSIONS = 1 << 6 | 1 << 39


def number(name, default, low, high):
    """The environment's @name as a number, or a clear error."""
    text = os.environ.get(name, str(default))
    if not text.isdigit() or not low <= int(text) <= high:
        raise LabError(f"{name}={text}: must be a number from {low} to {high}")
    return int(text)


def offered():
    """TDX_FEATURES0 with the features that the module shall offer."""
    dynamic = trees.choice("DPAMT", ("on", "off")) == "on"
    extensions = trees.choice("EXT", ("on", "off")) == "on"
    return hex(LEAST | DYNAMIC_PAMT * dynamic | EXTENSIONS * extensions)


def machine(steps=STEPS, programs=()):
    """Build what a boot needs and say what it shall do."""
    base = trees.wanted_base()
    softseam.build()
    host = kernel.build(trees.kernel(base))
    return qemu.Machine(kernel=host.image, initramfs=initramfs.build(host, programs), steps=steps,
                        vcpus=number("VCPUS", 2, 1, 64), memory_mb=number("MEM", 1024, 512, 65536),
                        seam={"symbols": host.out / "System.map", "features0": offered()}), base, host


def launch(tds):
    """The step that launches @tds TDs at once, of all sizes and both numbers of vCPUs."""
    return f",run:tdx_launch+--tds+{tds}+--vcpus+1:2+--mem+{TD_MEMORY_MB}" if tds else ""


def run():
    tds = number("TDS", 3, 0, MAX_TDS)
    programs = selftests.build(kernel.build(trees.kernel("series"))) if tds else ()
    host, base, built = machine(STEPS + launch(tds), programs)
    host.seam["trace_json"] = place.BUILD / "run/trace.json"
    with step("TDX host") as s:
        s.detail = "booting"
        result = qemu.boot(host, place.BUILD / "run")
        s.detail = f"booted and powered off, {host.vcpus} CPUs, {host.memory_mb} MB"
    summary = report.collect(result, base, built.release(), tds)
    report.write(summary, place.BUILD / "run/report.json")
    for text in report.lines(summary):
        line(text)
    if summary["failed"]:
        raise LabError(f"{summary['failed'][0]}; console: {place.shown(result.folder / 'console.log')}")


def shell():
    programs = selftests.build(kernel.build(trees.kernel("series")))
    host, _, _ = machine("load:kvm-intel,vm,shell", programs)
    folder = place.BUILD / "shell"
    folder.mkdir(parents=True, exist_ok=True)
    trace = folder / "trace.txt"
    line("the TDX host's console; leave it with exit or Ctrl-A X; trace: build/shell/trace.txt")
    if number("TRACE", 0, 0, 1):
        trace.write_text("")
        subprocess.Popen(["tail", f"--pid={os.getpid()}", "-n", "0", "-F", str(trace)])
    command = host.command(folder, interactive=True)
    os.execvp(command[0], command)
