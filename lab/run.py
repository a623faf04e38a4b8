# SPDX-License-Identifier: GPL-2.0-only
"""make run: boot a TDX host on softseam, initialise TDX, launch TDs, report."""
import os
import subprocess

from lab import initramfs, kernel, place, qemu, report, report_page, report_text, selftests, softseam, trees
from lab.say import LabError, line, step

STEPS = "load:tdx-host,load:kvm-intel,vm"
COUNTERS = f",run:grep+-r+.+{report.COUNTERS}"
# What TDs get in turn; no TD has more vCPUs than the host has CPUs.
TD_MEMORY_MB = (16, 32, 64)
TD_VCPUS = (1, 2, 4)
MAX_TDS = 8
# The host may take so long, and as long again as so many TDs on a slow machine.
BOOT_SECONDS, TD_SECONDS = 120, 30
# What the host needs beside the memory of TDs: itself, the pool of the Extensions, what is shared with TDs.
HOST_MB = 224
# Default and limits of the host's size.
VCPUS = (2, 1, 64)
MEMORY_MB = (1024, 512, 65536)
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
    """Build what a boot needs and say what it shall do; with it what the user calls the kernel's tree, and the kernel."""
    base = trees.wanted_base()
    softseam.build()
    host = kernel.build(trees.kernel(base))
    return qemu.Machine(kernel=host.image, initramfs=initramfs.build(host, programs), steps=steps,
                        vcpus=number("VCPUS", *VCPUS), memory_mb=number("MEM", *MEMORY_MB),
                        seam={"symbols": host.out / "System.map", "features0": offered()}), host.called or base, host


def launch(tds, vcpus, memory_mb):
    """The step that launches @tds TDs at once, of all sizes and numbers of vCPUs that the host has CPUs for."""
    if not tds:
        return ""
    needed = HOST_MB + sum(TD_MEMORY_MB[td % len(TD_MEMORY_MB)] for td in range(tds))
    if needed > memory_mb:
        raise LabError(f"TDS={tds} MEM={memory_mb}: {tds} TDs need a host with MEM={needed} at least")
    lists = [":".join(str(value) for value in values)
             for values in ([nr for nr in TD_VCPUS if nr <= vcpus], TD_MEMORY_MB)]
    return f",run:tdx_launch+--tds+{tds}+--vcpus+{lists[0]}+--mem+{lists[1]}"


def programs_of_tds():
    """The programs that launch TDs, from the series whatever the host is; a bad choice of it is told beforehand."""
    trees.wanted_base()
    return selftests.build(trees.kernel("series"))


def run(folder=place.BUILD / "run"):
    """One run, with its logs and reports in @folder."""
    tds = number("TDS", 3, 0, MAX_TDS)
    vcpus, memory_mb = number("VCPUS", *VCPUS), number("MEM", *MEMORY_MB)
    steps = STEPS + launch(tds, vcpus, memory_mb) + COUNTERS
    offered()
    programs = programs_of_tds() if tds else ()
    host, base, built = machine(steps, programs)
    host.seam["trace_json"] = folder / "trace.json"
    host.timeout = BOOT_SECONDS + TD_SECONDS * tds
    with step("TDX host") as s:
        s.detail = "booting"
        result = qemu.boot(host, folder)
        s.detail = f"booted and powered off, {host.vcpus} CPUs, {host.memory_mb} MB"
    tell(result, host, base, built.release(), tds)


def tell(result, host, base, release, tds):
    """Report on the terminal and in files; an error if anything was not as it should be."""
    summary = report.collect(result, base, release, tds, {"vcpus": host.vcpus, "memory_mb": host.memory_mb})
    with step("report") as s:
        report.write_json(summary, result.folder / "report.json")
        report.write(report_page.page(summary, result.folder / "trace.txt"), result.folder / "report.html")
        s.detail = place.shown(result.folder / "report.html")
    for text in report_text.lines(summary):
        line(text)
    if summary["failed"]:
        raise LabError(f"{summary['failed'][0]}; console: {place.shown(result.folder / 'console.log')}")


def shell():
    programs = programs_of_tds()
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
