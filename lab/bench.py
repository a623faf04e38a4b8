# SPDX-License-Identifier: GPL-2.0-only
"""make bench: what Dynamic PAMT, the plugin and a TD cost: the same with and without each, in turn."""
import dataclasses
import json
import os
import statistics
from pathlib import Path

from lab import initramfs, kernel, pamt_bench, place, qemu, report, run, selftests, trees
from lab.guest import bench as guest_bench
from lab.say import LabError, line

ROUNDS = 5
WORK = Path(__file__).with_name("bench_work.sh")
TD_MB = 64
LAUNCH = f"run:tdx_launch+--mem+{TD_MB}"


@dataclasses.dataclass
class WithoutPlugin(qemu.Machine):
    """The same machine on QEMU alone; the kernel then finds no TDX."""

    def plugin(self, folder):
        return ["--plugin", "none"]


def seconds(result):
    """How long the machine was on, and how long the work took."""
    if result.timed_out or not result.did("run")["ok"]:
        raise LabError(f"a boot of the benchmark failed: {result.last_words()}")
    entries = result.agent
    at = next(nr for nr, entry in enumerate(entries) if entry["step"] == "run")
    return {"boot": result.seconds, "work": entries[at]["uptime"] - entries[at - 1]["uptime"]}


def plugin(built, folder):
    """{what: {with or without: seconds of each round}}, the two in turn."""
    machine = qemu.Machine(built.image, initramfs.build(built, [WORK]), f"load:kvm-intel,run:{WORK.name}",
                           seam={"features0": run.offered()})
    bare = WithoutPlugin(**dataclasses.asdict(machine))
    times = {"boot": {"plugin": [], "bare": []}, "work": {"plugin": [], "bare": []}}
    for _ in range(ROUNDS):
        for name, each in (("plugin", machine), ("bare", bare)):
            for what, value in seconds(qemu.boot(each, folder / name)).items():
                times[what][name].append(value)
    return times


def launch(built, folder):
    """One TD at a time on two CPUs: how long it takes, and how many SEAMCALLs that is."""
    result = qemu.boot(qemu.Machine(built.image, initramfs.build(built, selftests.launcher(trees.kernel("series"))),
                                    ",".join(["load:kvm-intel", *[LAUNCH] * ROUNDS]),
                                    seam={"features0": run.offered()}, timeout=300), folder / "launch")
    tds = list(report.json_lines(result.output, '{"td"'))
    if len(tds) != ROUNDS or not all(td["ok"] for td in tds):
        raise LabError(f"a launch of the benchmark failed: {result.output[-300:]}; {result.last_words()}")
    leaves = result.stats["leaves"].values()
    total = [sum(td["seconds"].values()) for td in tds]
    calls, ns = sum(leaf["calls"] for leaf in leaves), sum(leaf["ns"] for leaf in leaves)
    enter = result.stats["leaves"]["TDH.VP.ENTER"]
    return {"seconds": total, "seamcalls": calls, "seamcalls_per_second": calls / sum(total),
            "us_per_seamcall_but_enter": (ns - enter["ns"]) / (calls - enter["calls"]) / 1000}


def show_plugin(times):
    for what, by in times.items():
        ratio = statistics.median(a / b for a, b in zip(by["plugin"], by["bare"]))
        with_it, without = (statistics.median(by[name]) for name in ("plugin", "bare"))
        name = "boot to power-off" if what == "boot" else "code without SEAMCALLs"
        line(f"{name}, median of {ROUNDS}: {with_it:.2f} s with softseam, {without:.2f} s on QEMU alone; "
             f"ratio pair by pair {ratio:.2f}")


def host():
    """What the plugin costs the host that is chosen, and what a launch of a small TD takes."""
    base = trees.wanted_base()
    folder = place.BUILD / "bench"
    built = kernel.build(trees.kernel(base))
    times, td = plugin(built, folder), launch(built, folder)
    show_plugin(times)
    line(f"a TD of {TD_MB} MB on two CPUs, median of {ROUNDS}: {statistics.median(td['seconds']):.2f} s; "
         f"{td['seamcalls_per_second']:.0f} SEAMCALLs per second meanwhile, {td['us_per_seamcall_but_enter']:.1f} us each "
         "but for TDH.VP.ENTER")
    (folder / "bench.json").write_text(json.dumps({"rounds": ROUNDS, "seconds": times, "launch": td}, indent=1) + "\n")


SUITES = {"pamt": pamt_bench.bench, "host": host, "guest": guest_bench.bench}


def bench():
    """All of them, or the one that SUITE= names."""
    wanted = os.environ.get("SUITE")
    if wanted and wanted not in SUITES:
        raise LabError(f"SUITE={wanted}: there is no such benchmark, there are {' '.join(SUITES)}")
    for name, suite in SUITES.items():
        # That of Dynamic PAMT knows the series only.
        if wanted == name or not wanted and (name != "pamt" or trees.wanted_base() == "series"):
            suite()
