# SPDX-License-Identifier: GPL-2.0-only
"""The KUnit suites on kernels that watch memory, locks and data races while threads race."""
import re

import pytest

from lab import initramfs, kernel, place, qemu, softseam, trees
from lab.tests.pamt_host import DYNAMIC_PAMT
from lab.tests.test_kunit import FEATURES0, SUITES, read_ktap

# Fragments, what shows that the checker is on, and its reports.
CHECKERS = {
    "debug": ("Lock dependency validator", r"KASAN: .*|.*possible (circular|recursive) locking.*|.*inconsistent lock"
              r" state.*|.*suspicious RCU.*|.*sleeping function called from invalid.*"),
    "kcsan": ("kcsan: enabled early", r"BUG: KCSAN: .*"),
}
# The checker of data races finds some in code that is none of this series' business.
OURS = re.compile(r"\b(tdx|pamt|tdh|seamcall|fake_seam|race_round|racer)")
STAMP = re.compile(r"^\[ *\d+\.\d+\]( *\[ *[TC]\d+\])? ")


@pytest.fixture(scope="session", params=CHECKERS)
def booted(request):
    """One boot, on a module with all that the suites use and Dynamic PAMT."""
    softseam.build()
    built = kernel.build(trees.kernel("series", config=("host", "kunit", request.param)))
    machine = qemu.Machine(kernel=built.image, initramfs=initramfs.build(built), steps="load:kvm-intel,vm", vcpus=4,
                           memory_mb=2048, timeout=900, seam={"features0": hex(int(FEATURES0, 0) | DYNAMIC_PAMT)})
    result = qemu.boot(machine, place.BUILD / "test/boot" / f"kunit-{request.param}")
    assert not result.timed_out, f"the tests hung: {result.last_words()}"
    return request.param, result


@pytest.fixture(scope="session")
def suites(booted):
    _, result = booted
    return read_ktap(result.console)


@pytest.mark.parametrize("name", SUITES)
def test_suite_passes(name, suites, booted):
    assert suites.get(name), f"{name} did not run or did not end: {booted[1].last_words()}"
    bad = [case for case in suites[name] if case.result != "passed"]
    assert not bad, "\n".join(f"{case} {case.result}: " + "\n".join(case.said) for case in bad)


def reports(console, pattern):
    """Each report of the checker: its first line and the stacks that follow."""
    lines = [STAMP.sub("", line) for line in console.splitlines()]
    for at, line in enumerate(lines):
        if re.match(pattern, line):
            yield "\n".join(lines[at:at + 40])


def test_checker_is_on_and_has_nothing_to_say(booted):
    name, result = booted
    shows, pattern = CHECKERS[name]
    assert result.says(shows), f"the checker is off: no {shows!r}"
    found = [text for text in reports(result.console, pattern) if name != "kcsan" or OURS.search(text)]
    assert not found, found[0]


def test_host_is_well(booted):
    name, result = booted
    assert result.status == 0, result.stderr
    assert result.stats["violations"] == 0, result.stderr
    assert not [text for text in result.complaints() if "KCSAN" not in text]
