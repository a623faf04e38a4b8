# SPDX-License-Identifier: GPL-2.0-only
"""make test: runs every suite, counts what each test said, shows each failure."""
import dataclasses
import os
import subprocess
import time
import xml.etree.ElementTree as ElementTree

from lab import place, softseam
from lab.say import LabError, line

RESULTS = place.BUILD / "test"
SHOWN_LINES = 25


@dataclasses.dataclass
class Suite:
    """@command leaves JUnit XML files in build/test/@name; it sees RESULTS in {out}."""
    name: str
    about: str
    command: list
    env: dict = dataclasses.field(default_factory=dict)


def pytest(name, about):
    return Suite(name, about, ["python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", "-o", f"junit_suite_name={name}",
                               "--junitxml={out}/results.xml", f"lab/tests/test_{name}.py"])


SUITES = [
    Suite("model", "softseam's model, leaf by leaf, under ASan and UBSan",
          ["make", "-C", "softseam", f"O={softseam.OUT}", f"-j{os.cpu_count()}", "test"],
          {"CMOCKA_MESSAGE_OUTPUT": "XML", "CMOCKA_XML_FILE": "{out}/%g.xml"}),
    pytest("series", "the series machinery, and the series itself"),
    pytest("lint", "shellcheck, checkpatch, sparse, warnings"),
    pytest("lab", "bad input and machines that lack something"),
    pytest("boot", "TDX hosts that boot, and that fail the right way"),
]


FUZZ_SECONDS = 300
SUITES_ALL = SUITES + [
    Suite("coverage", "line coverage of the model by its unit tests",
          ["make", "-C", "softseam", f"O={softseam.OUT}", f"-j{os.cpu_count()}", "coverage"]),
    Suite("fuzz", f"libFuzzer on the model, {FUZZ_SECONDS} s",
          ["make", "-C", "softseam", f"O={softseam.OUT}", f"-j{os.cpu_count()}", "fuzz",
           f"FUZZ_SECONDS={FUZZ_SECONDS}"]),
    pytest("patches", "each patch builds, with gcc and clang"),
]


@dataclasses.dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def read_results(folder):
    """Count the test cases of a folder's JUnit files; list failures and skips."""
    count, notes = Count(), []
    for path in sorted(folder.glob("*.xml")):
        for case in ElementTree.parse(path).iter("testcase"):
            name = f"{case.get('classname') or path.stem}: {case.get('name')}"
            bad = case.find("failure") if case.find("failure") is not None else case.find("error")
            skip = case.find("skipped")
            if bad is not None:
                count.failed += 1
                notes.append(("FAILED", name, (bad.text or bad.get("message") or "").strip()))
            elif skip is not None:
                count.skipped += 1
                notes.append(("skipped", name, skip.get("message") or ""))
            else:
                count.passed += 1
    return count, notes


def run_suite(suite, pattern):
    """Run one suite; a suite that ends badly without naming a failure is a failure."""
    out = RESULTS / suite.name
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.xml"):
        old.unlink()
    command = [word.format(out=out) for word in suite.command]
    if pattern and "pytest" in command:
        command += ["-k", pattern]
    env = os.environ | {key: value.format(out=out) for key, value in suite.env.items()}
    start = time.monotonic()
    with (out / "log").open("w") as log:
        status = subprocess.run(command, cwd=place.SRC, env=env, stdin=subprocess.DEVNULL,
                                stdout=log, stderr=subprocess.STDOUT).returncode
    count, notes = read_results(out)
    if status and not count.failed:
        words = (out / "log").read_text(errors="replace").strip().splitlines()[-SHOWN_LINES:]
        notes.append(("FAILED", f"{suite.name} ended with status {status}", "\n".join(words)))
        count.failed += 1
    show(suite, count, notes, time.monotonic() - start)
    return count


def show(suite, count, notes, seconds):
    line(f"{suite.name:<8} {count}  ({seconds:.1f} s)  {suite.about}")
    for kind, name, text in notes:
        if kind == "skipped":
            line(f"  skipped {name}: {text}")
            continue
        line(f"  FAILED {name}")
        for said in text.splitlines()[-SHOWN_LINES:]:
            line(f"    {said}")
        line(f"    rerun: make test SUITE={suite.name}; log: {place.shown(RESULTS / suite.name / 'log')}")


def test(suites=tuple(SUITES)):
    names = [suite.name for suite in suites]
    wanted = os.environ.get("SUITE")
    if wanted and wanted not in names:
        raise LabError(f"SUITE={wanted}: there is no such suite, there are {' '.join(names)}")
    total = Count()
    for suite in suites:
        if wanted in (None, "", suite.name):
            total += run_suite(suite, os.environ.get("TEST"))
    line(str(total))
    if total.failed or not total.passed:
        raise SystemExit(1)


def test_all():
    test(tuple(SUITES_ALL))
