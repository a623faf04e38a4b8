# SPDX-License-Identifier: GPL-2.0-only
"""In a kernel on QEMU: with the kernel's own allocator and lock, at the pace of TCG; and what is executed, exactly."""
import collections
import re
import statistics

from lab import initramfs, kernel, place, qemu, selftests, softseam, trees
from lab.say import LabError

MODULE = "pamt_bench.ko"
RATE = re.compile(r"pamt_bench (\w+) (\w+) (\d+) (\d+)$")
DYNAMIC = {"features0": hex(0x140000 | 1 << 36)}
# An instruction that QEMU translates, and a block of them that it executes.
INSN = re.compile(r"0x([0-9a-f]+):  ")
TRACE = re.compile(r"Trace (\d+): \S+ \[[0-9a-f]+/([0-9a-f]+)/")


def host():
    softseam.build()
    return kernel.build(trees.kernel("series"))


def module(built, folder):
    """The benchmark as a module of the kernel @built."""
    out = folder / "kernel"
    out.mkdir(parents=True, exist_ok=True)
    built.make(f"M={place.SRC}/lab/pamt_bench/kernel", f"MO={out}", "modules", log="pamt-bench.log",
               what="building the benchmark of Dynamic PAMT")
    return out / MODULE


def rates(folder, rounds=5, ms=100):
    """{(threads, spread): {variant: pairs of get and put per second}}."""
    built = host()
    programs = [module(built, folder)]
    step = f"run:insmod+/bin/{MODULE}+rounds={rounds}+ms={ms}"
    result = qemu.boot(qemu.Machine(built.image, initramfs.build(built, programs), step, timeout=600), folder / "boot")
    said = collections.defaultdict(lambda: collections.defaultdict(list))
    for text in result.console.splitlines():
        if match := RATE.search(text):
            said[int(match[3]), match[2]][match[1]].append(int(match[4]))
    if not said or result.complaints():
        raise LabError(f"the benchmark in the kernel failed: {result.last_words()}")
    return {key: {name: statistics.median(values) for name, values in by.items()} for key, by in said.items()}


def function(built, name):
    """First and last address of a function of the kernel image."""
    found = sorted((int(address, 16), symbol) for address, _, symbol in
                   (text.split() for text in (built.out / "System.map").read_text().splitlines()))
    start = next(address for address, symbol in found if symbol == name)
    return start, next(address for address, _ in found if address > start) - 1


def executed(log, start):
    """How many instructions each call of the function at @start took, as {count: calls}."""
    lengths, at, open_calls, counts = {}, None, {}, collections.Counter()
    for text in log:
        if text.startswith("IN:"):
            at = None
        elif match := INSN.match(text):
            at = at if at is not None else int(match[1], 16)
            lengths[at] = lengths.get(at, 0) + 1 if at != int(match[1], 16) else 1
        elif match := TRACE.match(text):
            cpu, pc = match[1], int(match[2], 16)
            if pc == start:
                counts[open_calls.pop(cpu, 0)] += 1
            open_calls[cpu] = open_calls.get(cpu, 0) + lengths[pc]
    counts.update(open_calls.values())
    del counts[0]
    return counts


def instructions(folder, name):
    """{instructions: calls} of a function of the kernel while a TD lives; what it calls is not counted."""
    built = host()
    programs = selftests.launcher(built)
    start, end = function(built, name)
    folder = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "exec.log"
    watch = ("-d", "in_asm,exec,nochain", "-dfilter", f"{start:#x}..{end:#x}", "-D", str(log))
    machine = qemu.Machine(built.image, initramfs.build(built, programs), "load:kvm-intel,run:tdx_launch+--mem+16",
                           seam=DYNAMIC, qemu_args=watch)
    result = qemu.boot(machine, folder)
    if not result.did("run")["ok"]:
        raise LabError(f"the TD that is to be watched failed: {result.output[-300:]}")
    return executed(log.read_text(errors="replace").splitlines(), start)
