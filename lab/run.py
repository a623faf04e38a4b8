# SPDX-License-Identifier: GPL-2.0-only
"""make run: boot a TDX host on softseam, initialise TDX, make a TDX VM, report."""
import os

from lab import place, qemu, report, softseam, trees
from lab import initramfs, kernel
from lab.say import LabError, line, step

STEPS = "load:kvm-intel,vm"
# TDX_FEATURES0: the least that Linux takes, and Dynamic PAMT.
LEAST, DYNAMIC_PAMT = 0x140000, 1 << 36


def number(name, default, low, high):
    """The environment's @name as a number, or a clear error."""
    text = os.environ.get(name, str(default))
    if not text.isdigit() or not low <= int(text) <= high:
        raise LabError(f"{name}={text}: must be a number from {low} to {high}")
    return int(text)


def offered():
    """softseam's arguments for the features that the module shall offer."""
    return {"features0": hex(LEAST | DYNAMIC_PAMT)} if number("DPAMT", 0, 0, 1) else {}


def machine(steps=STEPS):
    """Build what a boot needs and say what it shall do."""
    base = trees.wanted_base()
    softseam.build()
    host = kernel.build(trees.kernel(base))
    return qemu.Machine(kernel=host.image, initramfs=initramfs.build(host), steps=steps,
                        seam=offered(), vcpus=number("VCPUS", 2, 1, 64), memory_mb=number("MEM", 1024, 512, 65536)), base, host


def run():
    host, base, built = machine()
    with step("TDX host") as s:
        s.detail = "booting"
        result = qemu.boot(host, place.BUILD / "run")
        s.detail = f"booted and powered off, {host.vcpus} CPUs, {host.memory_mb} MB"
    summary = report.collect(result, base, built.release())
    report.write(summary, place.BUILD / "run/report.json")
    for text in report.lines(summary):
        line(text)
    if summary["failed"]:
        raise LabError(f"{summary['failed'][0]}; console: {place.shown(result.folder / 'console.log')}")


def shell():
    host, _, _ = machine(steps="load:kvm-intel,vm,shell")
    folder = place.BUILD / "shell"
    folder.mkdir(parents=True, exist_ok=True)
    line("the TDX host's console; leave it with exit or Ctrl-A X; trace: build/shell/trace.txt")
    command = host.command(folder, interactive=True)
    os.execvp(command[0], command)
