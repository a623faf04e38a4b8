# SPDX-License-Identifier: GPL-2.0-only
"""make bench: what Dynamic PAMT costs, and what the plugin costs: the same boot with and without it, in turn."""
import dataclasses
import json
import statistics
import time

from lab import pamt_bench, place, qemu, run
from lab.say import LabError, line

ROUNDS = 5


@dataclasses.dataclass
class WithoutPlugin(qemu.Machine):
    """The same machine on QEMU alone; the kernel then finds no TDX."""

    def plugin(self, folder):
        return []


def seconds(machine, folder):
    """How long a boot to power-off takes."""
    start = time.monotonic()
    result = qemu.boot(machine, folder)
    if result.timed_out or not result.agent:
        raise LabError(f"a boot of the benchmark failed: {result.last_words()}")
    return time.monotonic() - start


def bench():
    pamt_bench.bench()
    host, base, _ = run.machine(steps="load:kvm-intel")
    bare = WithoutPlugin(**dataclasses.asdict(host))
    folder = place.BUILD / "bench"
    times = {"plugin": [], "bare": []}
    for _ in range(ROUNDS):
        times["plugin"].append(seconds(host, folder / "plugin"))
        times["bare"].append(seconds(bare, folder / "bare"))
    medians = {name: statistics.median(values) for name, values in times.items()}
    ratio = statistics.median(a / b for a, b in zip(times["plugin"], times["bare"]))
    result = {"kernel": base, "rounds": ROUNDS, "boot_seconds": times, "ratio_median": ratio}
    (folder / "bench.json").write_text(json.dumps(result, indent=1) + "\n")
    line(f"boot to power-off, median of {ROUNDS}: {medians['plugin']:.2f} s with softseam and TDX, "
         f"{medians['bare']:.2f} s on QEMU alone; ratio pair by pair {ratio:.2f}")
