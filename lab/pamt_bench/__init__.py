# SPDX-License-Identifier: GPL-2.0-only
"""What Dynamic PAMT costs: time for each page, memory for each host."""
import json

from lab import place
from lab.pamt_bench import inside, native, plot
from lab.pamt_size import ENTRIES, ENTRY, KB, STATE
from lab.say import line

SIZES = (64, 128, 256, 512, 1024, 2048, 4096)


def memory(gigabytes):
    """KB of an idle host: static, dynamic, and what the module itself must have of the latter."""
    upper = (ENTRIES["2M"] + ENTRIES["1G"]) * ENTRY
    static = gigabytes * (upper + ENTRIES["4K"] * ENTRY) // KB
    minimum = gigabytes * (upper + ENTRIES["4K"] // 8) // KB
    return {"static_kb": static, "dynamic_kb": minimum + gigabytes * STATE // KB, "minimum_kb": minimum}


def hot(counts):
    """The path that most calls take: instructions, and the share of calls."""
    length, calls = counts.most_common(1)[0]
    return {"instructions": length, "share": round(calls / counts.total(), 4), "calls": counts.total()}


def show_rates(where, rates):
    for (threads, spread), rate in sorted(rates.items()):
        line(f"{where}, {threads} threads, {spread:5}: {rate['region'] / 1e6:8.2f} M/s, "
             f"{rate['region'] / rate['spinlock']:5.1f} times one lock, "
             f"{rate['region'] / rate['counter']:.2f} of a bare counter"
             + (f"; {rate['transition'] / 1e3:.0f} k/s that add and remove a pair" if "transition" in rate else ""))


def plain(rates):
    return {f"{threads} {spread}": rate for (threads, spread), rate in sorted(rates.items())}


def bench():
    folder = place.BUILD / "bench"
    found = {"kernel": inside.rates(folder), "native": native.rates(folder)}
    paths = {name: hot(inside.instructions(folder, name)) for name in ("tdx_pamt_get", "tdx_pamt_put")}
    sizes = {gigabytes: memory(gigabytes) for gigabytes in SIZES}
    for where, rates in found.items():
        show_rates(where, rates)
    for name, path in paths.items():
        line(f"{name}: {path['instructions']} instructions for {path['share']:.1%} of {path['calls']} calls")
    for gigabytes, kb in sizes.items():
        line(f"{gigabytes:4} GB idle: {kb['static_kb']:8} KB static, {kb['dynamic_kb']:6} KB dynamic, "
             f"{kb['minimum_kb']:6} KB of it for the module")
    result = {"rates": {where: plain(rates) for where, rates in found.items()}, "paths": paths, "memory": sizes}
    (folder / "pamt.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "pamt.svg").write_text(plot.svg(found["kernel"], sizes))
    line(f"plot: {place.shown(folder / 'pamt.svg')}")
