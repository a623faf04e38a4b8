# SPDX-License-Identifier: GPL-2.0-only
"""make bench SUITE=guest: a stock Linux guest as a TD against the same guest on plain QEMU, in turn."""
import shutil
import statistics
import subprocess
import time

from lab import kernel, place, qemu, report, run, trees
from lab.guest import initrd, machine, options, text
from lab.guest import run as guest_run
from lab.say import LabError, line, step

ROUNDS = 3
# Plain QEMU may take so long on a busy machine.
SECONDS = 300
# What differs between a TD and a guest that is none; each has a value, but for the last.
OF_TDS = ("-accel", "-cpu", "-smp", "-m", "-object", "-machine", "-kernel", "-initrd", "-append")
TDS = {"TD": {}, "TD with one TLB a CPU": {"own_tlbs": "off"}}
PLAIN = "plain QEMU"


def common_words(words):
    """What of the command line of a TD's QEMU holds for plain QEMU, too."""
    left = iter(words[1:])
    for word in left:
        if word in OF_TDS:
            next(left)
        else:
            yield word


def plain_command(parts, wanted, folder):
    """The command that starts the guest of @parts on plain QEMU, with its files in @folder."""
    words = machine.command(0, parts, wanted)
    append = words[words.index("-append") + 1]
    here = [word.replace(f"{machine.WORK}/", f"{folder}/") for word in common_words(words)]
    return [str(qemu.RUN), "--plugin", "none", "--tds", "off", "--no-kernel-args", "--cpus", str(wanted.vcpus),
            "--memory", str(wanted.memory_mb), "-kernel", str(parts.kernel), "-initrd", str(parts.initrd),
            "-append", append, "--", *here]


def plain(parts, wanted, folder):
    """Seconds from the start of plain QEMU to the shell of its guest."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    machine.write_files(folder, 0)
    log = folder / "guest-0.jsonl"
    start = time.monotonic()
    proc = subprocess.Popen(plain_command(parts, wanted, folder), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        while time.monotonic() < start + SECONDS and proc.poll() is None:
            if any(entry["step"] == "shell" for entry in report.json_lines(log.read_text(errors="replace"), '{"step"')):
                return time.monotonic() - start
            time.sleep(0.02)
        raise LabError(f"the guest on plain QEMU did not reach its shell; logs: {place.shown(folder)}")
    finally:
        proc.kill()
        proc.communicate()


def td(wanted, folder, seam):
    """(seconds from the TD's creation to its shell, seconds a page that its firmware accepted)."""
    shutil.rmtree(folder, ignore_errors=True)
    host, built, base, parts = guest_run.prepare(
        wanted, folder, guest_run.host_memory_mb(wanted),
        f"run:td_host+{guest_run.TOOLBOX}+{guest_run.WORK}+1" + run.COUNTERS)
    host.seam |= seam
    summary = guest_run.summarise(qemu.boot(host, folder), host, base, built.release(), parts, wanted)
    if summary["failed"]:
        raise LabError(f"{summary['failed'][0]}; logs: {place.shown(folder)}")
    guest = summary["guests"][0]
    pages = summary["seamcalls"]["TDH.MEM.PAGE.AUG"]["calls"]
    return text.reached(guest, "shell"), guest["seconds"]["firmware"] / pages


def show(times, page):
    least = statistics.median(times[PLAIN])
    line(f"{PLAIN}: {least:.1f} s to the shell, median of {ROUNDS}")
    for name in TDS:
        ratio = statistics.median(a / b for a, b in zip(times[name], times[PLAIN]))
        line(f"{name}: {statistics.median(times[name]):.1f} s, ratio pair by pair {ratio:.1f}; "
             f"{statistics.median(page[name]) * 1000:.3f} ms a page in the firmware, which accepts most of them")


def bench(folder=place.BUILD / "bench/guest"):
    """Boot the guest in each way, in turn, ROUNDS times."""
    wanted = options.Options(steps="shell")
    times, page = {name: [] for name in (PLAIN, *TDS)}, {name: [] for name in TDS}
    for nr in range(ROUNDS):
        with step(f"round {nr + 1} of {ROUNDS}") as s:
            for name, seam in TDS.items():
                s.detail = name
                shell, each = td(wanted, folder / "td", seam)
                times[name].append(shell)
                page[name].append(each)
            s.detail = PLAIN
            host = kernel.build(trees.kernel(trees.wanted_base()))
            parts = machine.parts(wanted, lambda: initrd.build(host.out / "usr/gen_init_cpio", True))
            times[PLAIN].append(plain(parts, wanted, folder / "plain"))
            s.detail = ", ".join(f"{what} {values[-1]:.1f} s" for what, values in times.items())
    show(times, page)
    report.write_json({"rounds": ROUNDS, "seconds": times, "seconds_per_page": page}, folder / "bench.json")
