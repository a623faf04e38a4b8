# SPDX-License-Identifier: GPL-2.0-only
"""The KUnit suites of the TDX host core, run by a kernel that boots on softseam.

Suites that need no TDX module use a fake.  The others use softseam.
"""
import re

import pytest

from lab import initramfs, kernel, place, qemu, softseam, trees

SUITES = ("tdx-connect", "tdx-ext", "tdx-page-array", "tdx-page-list", "tdx-pamt",
          "tdx-pamt-mode", "tdx-pamt-race", "tdx-resume")
# The least that Linux takes, TDX Connect and Extensions: what the suites on softseam use.
FEATURES0 = hex(0x140000 | 1 << 6 | 1 << 39)
STAMP = re.compile(r"^\[ *\d+\.\d+\] ")
RESULT = re.compile(r"(?P<indent> *)(?P<bad>not )?ok \d+ (- )?(?P<name>\S+)(?P<skip> # SKIP)?")


class Case:
    def __init__(self, suite, match, said):
        self.suite, self.name, self.said = suite, match["name"], said
        self.result = "failed" if match["bad"] else "skipped" if match["skip"] else "passed"

    def __str__(self):
        return f"{self.suite}.{self.name}"


def read_ktap(console):
    """The suites' cases by the suite's name; what a case said precedes its result."""
    suites, cases, said = {}, [], []
    for line in console.splitlines():
        text = STAMP.sub("", line)
        match = RESULT.match(text)
        if not match:
            said.append(text)
        elif match["indent"]:
            cases.append((match, said))
            said = []
        else:
            suites[match["name"]] = [Case(match["name"], *case) for case in cases]
            cases, said = [], []
    return suites


def write_tap(suites):
    """One result per case, for the count of the test run."""
    cases = [case for suite in suites.values() for case in suite]
    out = place.BUILD / "test/kunit/cases.tap"
    out.parent.mkdir(parents=True, exist_ok=True)
    word = {"passed": ("", ""), "failed": ("not ", ""), "skipped": ("", " # SKIP")}
    with out.open("w") as tap:
        for number, case in enumerate(cases, 1):
            bad, skip = word[case.result]
            tap.write(f"{bad}ok {number} - {case}{skip}\n")
            tap.writelines(f"{text}\n" for text in case.said if case.result == "failed")


@pytest.fixture(scope="session")
def booted():
    """A boot of the kernel with the tests; a WARN that is not expected ends it."""
    softseam.build()
    built = kernel.build(trees.kernel("series", config=("host", "kunit")))
    machine = qemu.Machine(kernel=built.image, initramfs=initramfs.build(built), steps="",
                           vcpus=4, cmdline="panic_on_warn=1", timeout=300,
                           seam={"features0": FEATURES0})
    result = qemu.boot(machine, place.BUILD / "test/boot/kunit")
    assert not result.timed_out, f"the tests hung: {result.last_words()}"
    return result


@pytest.fixture(scope="session")
def suites(booted):
    found = read_ktap(booted.console)
    write_tap(found)
    return found


@pytest.mark.parametrize("name", SUITES)
def test_suite_passes(name, suites, booted):
    assert name in suites, f"{name} did not run or did not end: {booted.last_words()}"
    assert suites[name], f"{name} has no cases"
    bad = [case for case in suites[name] if case.result != "passed"]
    assert not bad, "\n".join(f"{case} {case.result}: " + "\n".join(case.said) for case in bad)


def test_kernel_does_not_complain(suites, booted):
    assert not booted.complaints()
    assert booted.status == 0, booted.stderr


def test_module_sees_no_violation(suites, booted):
    assert booted.stats["violations"] == 0, booted.stderr


def test_all_suites_of_the_series_are_known(suites):
    assert sorted(name for name in suites if name.startswith("tdx")) == sorted(SUITES)
