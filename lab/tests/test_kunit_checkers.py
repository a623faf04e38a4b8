# SPDX-License-Identifier: GPL-2.0-only
"""Kernels that watch memory, locks and data races: the KUnit suites race, and TDs run with Dynamic PAMT."""
import re

import pytest

from lab.tests.pamt_host import Host, assert_all_back
from lab.tests.test_debug import CHECKERS, MEMORY_MB
from lab.tests.test_kunit import ALL, SUITES, read_ktap

LAUNCHES = ("run:tdx_launch+--tds+2+--vcpus+2", "run:tdx_launch+--mem+64+--convert+256")
# The checker of data races finds some in code that is none of this series' business.
RACE = "BUG: KCSAN: "
OURS = re.compile(r"\b(tdx|pamt|tdh|seamcall|fake_seam|race_round|racer)")
STAMP = re.compile(r"^\[ *\d+\.\d+\]( *\[ *[TC]\d+\])? ")


@pytest.fixture(scope="session")
def racing():
    """All suites, and TDs, on a kernel that looks for data races."""
    return Host(config=("host", "kunit", "kcsan")).boot("kcsan", *LAUNCHES, seam=ALL, vcpus=4, timeout=1500)


@pytest.fixture(scope="session")
def suites(racing):
    return read_ktap(racing.console)


@pytest.mark.parametrize("name", SUITES)
def test_suite_passes_with_kcsan(name, suites, racing):
    assert suites.get(name), f"{name} did not run or did not end: {racing.last_words()}"
    bad = [case for case in suites[name] if case.result != "passed"]
    assert not bad, "\n".join(f"{case} {case.result}: " + "\n".join(case.said) for case in bad)


def races(console):
    """Each report of a data race: its first line and the stacks that follow."""
    lines = [STAMP.sub("", line) for line in console.splitlines()]
    return ["\n".join(lines[at:at + 40]) for at, line in enumerate(lines) if line.startswith(RACE)]


def test_no_data_race_is_ours(racing):
    assert racing.says("kcsan: enabled early"), "the checker is off"
    ours = [text for text in races(racing.console) if OURS.search(text)]
    assert not ours, ours[0]


def test_tds_run_with_kcsan(racing):
    assert [entry["ok"] for entry in racing.agent if "tdx_launch" in entry["arg"]] == [True] * len(LAUNCHES)
    assert racing.status == 0, racing.stderr
    assert racing.stats["violations"] == 0, racing.stderr
    assert not [text for text in racing.complaints() if RACE not in text]


def test_tds_run_with_kasan_and_lockdep():
    result = Host(config=("host", "kunit", "debug")).boot(
        "debug", *LAUNCHES, vcpus=4, memory_mb=MEMORY_MB, cmdline="kunit.enable=0", timeout=900)
    for checker in CHECKERS:
        assert result.says(checker), f"{checker} is not at work"
    assert not result.says("lockdep is turned off")
    assert [entry["ok"] for entry in result.agent if "tdx_launch" in entry["arg"]] == [True] * len(LAUNCHES)
    assert_all_back(result)
