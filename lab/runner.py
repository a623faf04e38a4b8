# SPDX-License-Identifier: GPL-2.0-only
"""make test: runs every suite, counts what each test said, shows each failure."""
import concurrent.futures
import dataclasses
import os
import re
import shutil
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from lab import own, place, shard, softseam
from lab.say import LabError, line

RESULTS = place.BUILD / "test"
SHOWN_LINES = 25
# Suites that run at a time: a boot seldom keeps more than one CPU busy.
LANES = 2


@dataclasses.dataclass
class Suite:
    """@command leaves JUnit XML or (K)TAP files in the folder @out; @alone if no other suite may run beside it."""
    name: str
    about: str
    command: list
    out: Path = None
    alone: bool = False

    def __post_init__(self):
        self.out = self.out or RESULTS / self.name


def pytest(name, about, *files, env=()):
    files = [f"lab/tests/test_{file}.py" for file in files or (name,)]
    return Suite(name, about, ["env", *env, "python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short",
                               f"--basetemp={RESULTS}/tmp-{name}",
                               f"--junitxml={RESULTS / name}/results.xml", *files])


def softseam_make(name, about, target, *args, out=None):
    # One make at a time works in that folder.
    make = ["make", "--no-print-directory", "-C", "softseam", f"O={softseam.OUT}", f"-j{os.cpu_count()}"]
    return Suite(name, about, ["flock", f"{RESULTS}/.softseam.lock", *make, target, *args], out)


# The long ones first, so that the lanes end at about the same time.
SUITES = [
    softseam_make("model", "softseam's model and plugin under ASan, UBSan and TSan", "test",
                  out=softseam.OUT / "results"),
    pytest("boot", "TDX hosts that boot, and that fail the right way", "boot", "ext"),
    pytest("series", "the series machinery, and the series on the real kernel",
           *(f"series_{part}" for part in ("patches", "source", "stage", "refresh", "mails", "real"))),
    pytest("lint", "shellcheck, checkpatch, sparse, warnings", "lint", "sizes", "page_types", "encoders"),
    pytest("kunit", "the KUnit suites of the series, on a kernel that boots"),
    pytest("pamt", "Dynamic PAMT: a model of it, hosts and TDs with it", "models", "pamt", "pamt_td", "pamt_bench"),
    pytest("guest", "make td: firmware and Linux of Debian as a TD, and how its measurements are computed",
           "guest", "guest_measure", "guest_judge", "guest_forms"),
    pytest("run", "make run with each of its options"),
    pytest("td", "TDs that run, on the stock kernel and on the series"),
    pytest("sweep", "the fault sweep, and some of its faults"),
    softseam_make("coverage", "line coverage of the model by its unit tests", "coverage"),
    pytest("lab", "the lab itself: report, runner, bad input, machines that lack something",
           "report", "report_page", "trace", "runner", "shard", "own", "lab"),
]

FUZZ_SECONDS = 300
LONG_SUITES = [dataclasses.replace(each, alone=True) for each in (
    softseam_make("fuzz", f"libFuzzer on the model, {FUZZ_SECONDS} s", "fuzz", f"FUZZ_SECONDS={FUZZ_SECONDS}"),
    pytest("debug", "the KUnit suites and boots under KASAN and lockdep"),
    pytest("patches", "each mail applied with git am builds, with gcc and clang, and passes the KUnit suites it has"),
    pytest("patches-7.3", "the same on Linux 7.3", "patches", env=["KERNEL=7.3"]),
    pytest("td-full", "the long stress test of TDs, on both kernels", "td_full"),
    pytest("guest-full", "stock guests as TDs: sizes, all of memory, disk images, libvirt, two at once, crashed, killed",
           "guest_full", "guest_disk", "guest_libvirt"),
    pytest("guest-soak", "200 Linux TDs in a row and 50 pairs of them, on a loaded machine", "guest_soak"),
    pytest("hostbugs", "bugs put into the host on purpose: each is caught and named, or found by the sweep",
           "hostbugs", "sweep_bugs"),
    pytest("pamt-all", "Dynamic PAMT: modules that are busy or refuse, no memory, many TDs, calls dropped from KVM",
           "pamt_trouble", "pamt_long", "pamt_drops"),
    Suite("sweep-all", "all faults of the sweep", ["python3", "-m", "lab", "sweep"]),
    pytest("checkers", "the KUnit suites with KCSAN, TDs with KCSAN, KASAN and lockdep", "kunit_checkers"),
)]
SUITES_ALL = SUITES + LONG_SUITES


@dataclasses.dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def read_junit(path):
    """(result, name, text) of each test case."""
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname') or path.stem}: {case.get('name')}"
        bad = case.find("failure") if case.find("failure") is not None else case.find("error")
        skip = case.find("skipped")
        if bad is not None:
            yield "failed", name, (bad.text or bad.get("message") or "").strip()
        elif skip is not None:
            yield "skipped", name, skip.get("message") or ""
        else:
            yield "passed", name, ""


TAP_LINE = re.compile(r"(not )?ok \d+\s*(-?)\s*(.*?)(\s+# SKIP\s*(.*))?$")


def read_tap(path):
    """(result, name, text) of each test. cmocka ("not ok 1 - name") explains a failure after it, selftests before it."""
    lines = path.read_text(errors="replace").splitlines()
    found = [(at, match) for at, text in enumerate(lines) if (match := TAP_LINE.match(text))]
    ends = [-1, *(at for at, _ in found), len(lines)]
    for nr, (at, match) in enumerate(found):
        failed, dash, name, skipped, why = match.groups()
        name = f"{path.stem}: {name}"
        if failed:
            said = lines[at + 1:ends[nr + 2]] if dash else lines[ends[nr] + 1:at]
            yield "failed", name, "\n".join(said)
        elif skipped:
            yield "skipped", name, why
        else:
            yield "passed", name, ""


def read_results(folder):
    """Count the tests of a folder's result files; list failures and skips."""
    results = [result for path in sorted(folder.glob("*.xml")) for result in read_junit(path)]
    results += [result for path in sorted(folder.glob("*.tap")) for result in read_tap(path)]
    kinds = [kind for kind, _, _ in results]
    count = Count(*(kinds.count(kind) for kind in ("passed", "failed", "skipped")))
    return count, [result for result in results if result[0] != "passed"]


@dataclasses.dataclass
class Result:
    """@notes are (kind, name, text) of what failed or was skipped; @words the end of a suite that counts no tests."""
    suite: Suite
    count: Count
    notes: list
    seconds: float
    words: str = ""


def run_suite(suite, pattern):
    """Run one suite; a suite that ends badly without naming a failure is a failure."""
    log = RESULTS / f"{suite.name}.log"
    suite.out.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    for old in [*suite.out.glob("*.xml"), *suite.out.glob("*.tap")]:
        old.unlink()
    pick = ["-k", pattern] if pattern and "pytest" in suite.command else []
    line(f"{suite.name:<8} ... {suite.about}")
    start = time.monotonic()
    with log.open("w") as out:
        status = subprocess.run(suite.command + pick, cwd=place.SRC, stdin=subprocess.DEVNULL,
                                stdout=out, stderr=subprocess.STDOUT).returncode
    shutil.rmtree(RESULTS / f"tmp-{suite.name}", ignore_errors=True)
    count, notes = read_results(suite.out)
    result = Result(suite, count, notes, time.monotonic() - start)
    words = log.read_text(errors="replace").strip().splitlines()
    if status and not count.failed:
        notes.append(("failed", f"{suite.name} ended with status {status}", "\n".join(words)))
        count.failed += 1
    elif not count.passed + count.failed:
        count.passed = 1
        result.words = words[-1] if words else "no output"
    return result


def run_suites(suites, pattern):
    """Yield the result of each suite as it ends: LANES at a time, then one by one those that run alone."""
    with concurrent.futures.ThreadPoolExecutor(LANES) as pool:
        running = [pool.submit(run_suite, suite, pattern) for suite in suites if not suite.alone]
        try:
            for done in concurrent.futures.as_completed(running):
                yield done.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    for suite in suites:
        if suite.alone:
            yield run_suite(suite, pattern)


def rerun(suite, name):
    """The command for just the test @name, or for its suite if it has no names to pick by."""
    target = "test" if suite in SUITES else "test-all"
    function = re.search(r": (\w+)", name)
    pick = f" TEST={function[1]}" if function and "pytest" in suite.command else ""
    return f"make {target} SUITE={suite.name}{pick}"


def show(result):
    suite = result.suite
    line(f"{suite.name:<8} {result.count}  ({result.seconds:.1f} s)")
    if result.words:
        line(f"  {result.words}")
    for kind, name, text in result.notes:
        if kind == "skipped":
            line(f"  skipped {name}: {text}")
            continue
        line(f"  failed {name}")
        for said in text.splitlines()[-SHOWN_LINES:]:
            line(f"    {said}")
        line(f"    rerun: {rerun(suite, name)}; log: {place.shown(RESULTS / suite.name)}.log")


def test(suites=tuple(SUITES)):
    shard.wanted()
    names = [suite.name for suite in suites]
    wanted = os.environ.get("SUITE")
    if wanted not in names and wanted in [suite.name for suite in SUITES_ALL]:
        raise LabError(f"SUITE={wanted}: make test leaves that out as it takes long: use make test-all SUITE={wanted}")
    if wanted and wanted not in names:
        raise LabError(f"SUITE={wanted}: there is no such suite, there are {' '.join(names)}")
    if wanted == "td":
        # A tree of no use is told here in one line.
        own.host()
    else:
        own.refuse("make test")
    chosen = [suite for suite in suites if wanted in (None, "", suite.name)]
    if len(chosen) > 1:
        # What most of them use; none then makes it while another does.
        softseam.build()
    total = Count()
    for result in run_suites(chosen, os.environ.get("TEST")):
        show(result)
        total += result.count
    line(str(total))
    if total.failed or not total.passed:
        raise SystemExit(1)


def test_all():
    test(tuple(SUITES_ALL))
