# SPDX-License-Identifier: GPL-2.0-only
"""Natively: the kernel's header in user space, where the CPU sets the pace and malloc() stands in for its allocator."""
import statistics
import subprocess
from pathlib import Path

from lab import place

HERE = Path(__file__).parent
CODE = place.SRC / "arch/x86/virt/vmx/tdx"
VARIANTS = ("region", "counter", "spinlock")
THREADS = (1, 2, 4, 8)
ROUNDS = 5
MS = 200


def build(folder):
    program = folder / "pamt_bench"
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", f"-I{HERE}/shim", f"-I{CODE}",
                    "-o", program, HERE / "pamt_bench.c"], check=True)
    return program


def rates(folder, rounds=ROUNDS, ms=MS):
    """{(threads, spread): {variant: pairs of get and put per second of CPU time}}, variants in turn."""
    program, result = build(folder), {}
    for threads in THREADS:
        for spread in ("same", "apart"):
            said = {variant: [] for variant in VARIANTS}
            for _ in range(rounds):
                for variant in VARIANTS:
                    out = subprocess.run([program, variant, spread, str(threads), str(ms)], text=True,
                                         capture_output=True, check=True).stdout
                    said[variant].append(float(out))
            result[threads, spread] = {name: statistics.median(values) for name, values in said.items()}
    return result
