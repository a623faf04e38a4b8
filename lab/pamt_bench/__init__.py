# SPDX-License-Identifier: GPL-2.0-only
"""What a page in a region with PAMT costs: the kernel's code against two others, natively."""
import json
import statistics
import subprocess
from pathlib import Path

from lab import place
from lab.say import line

HERE = Path(__file__).parent
CODE = place.SRC / "arch/x86/virt/vmx/tdx"
VARIANTS = ("region", "counter", "spinlock")
THREADS = (1, 2, 8)
ROUNDS = 5
MS = 200

GB = 1 << 30
KB = 1 << 10
# PAMT of 1 GB: 16 bytes for each page of each size; a bit for each 4K page.
ENTRY = 16
ENTRIES = {"4K": GB >> 12, "2M": GB >> 21, "1G": 1}
STATE = 4 * ENTRIES["2M"] + 8


def build(folder):
    program = folder / "pamt_bench"
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", f"-I{HERE}/shim", f"-I{CODE}",
                    "-o", program, HERE / "pamt_bench.c"], check=True)
    return program


def throughput(program):
    """{threads: {spread: {variant: pairs of get and put per second of CPU time}}}, variants in turn."""
    result = {}
    for threads in THREADS:
        for spread in ("same", "apart"):
            rates = {variant: [] for variant in VARIANTS}
            for _ in range(ROUNDS):
                for variant in VARIANTS:
                    said = subprocess.run([program, variant, spread, str(threads), str(MS)], text=True,
                                          capture_output=True, check=True).stdout
                    rates[variant].append(float(said))
            result.setdefault(threads, {})[spread] = {v: statistics.median(r) for v, r in rates.items()}
    return result


def memory(gigabytes):
    """KB of an idle host: static, dynamic, and what the module itself must have."""
    upper = (ENTRIES["2M"] + ENTRIES["1G"]) * ENTRY
    static = gigabytes * (upper + ENTRIES["4K"] * ENTRY) // KB
    minimum = gigabytes * (upper + ENTRIES["4K"] // 8) // KB
    return {"static_kb": static, "dynamic_kb": minimum + gigabytes * STATE // KB, "minimum_kb": minimum}


def bench():
    folder = place.BUILD / "bench"
    rates = throughput(build(folder))
    sizes = {gb: memory(gb) for gb in (64, 256, 1024, 4096)}
    (folder / "pamt.json").write_text(json.dumps({"rates": rates, "memory": sizes}, indent=1) + "\n")
    for threads, spreads in rates.items():
        for spread, rate in spreads.items():
            line(f"{threads} threads, {spread}: {rate['region'] / 1e6:.1f} M/s, "
                 f"{rate['region'] / rate['spinlock']:.1f} times one lock, "
                 f"{rate['region'] / rate['counter']:.2f} of a bare counter")
    for gb, kb in sizes.items():
        line(f"{gb} GB idle: {kb['static_kb']} KB static, {kb['dynamic_kb']} KB dynamic, "
             f"{kb['minimum_kb']} KB of it for the module")
