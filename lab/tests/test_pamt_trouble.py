# SPDX-License-Identifier: GPL-2.0-only
"""A TDX module that is busy, or that refuses, and a host without memory for PAMT pages: who notices, and what is left."""
import re
from pathlib import Path

import pytest

from lab import initramfs
from lab.pamt_bench import inside
from lab.tests.pamt_host import DYNAMIC, Host, assert_all_back, calls, counters, launched, output_of

LAUNCH = "tdx_launch+--mem+16+--convert+64"
TWICE = (f"run:{LAUNCH}", f"run:{LAUNCH}")
# More than the kernel makes before it lets its caller try again: 8 in company and 256 alone.
LONG = 8 + 256 + 100
EXHAUST = Path(__file__).with_name("pamt_exhaust.sh")
SAYS = re.compile(r"virt/tdx: TDX module (refused|did not return) PAMT pages for the 2M at (0x[0-9a-f]+).*: (0x[0-9a-f]{16})")


@pytest.fixture(scope="session")
def host():
    return Host()


@pytest.fixture
def launch(host, request):
    """Launch two TDs, one after the other, on a module with errors."""
    def run(inject, *steps, **machine):
        return host.boot(request.node.name, *(steps or TWICE), seam=DYNAMIC | {"inject": inject}, memory_mb=1024, **machine)
    return run


def ended(result):
    return [entry["ok"] for entry in result.agent if entry["step"] == "run" and "tdx_launch" in entry["arg"]]


def said(result):
    return [match.groups() for match in map(SAYS.search, result.console.splitlines()) if match]


def injected(result, leaf):
    return result.stats["leaves"][f"TDH.PHYMEM.PAMT.{leaf}"]["injected"]


# Every other call is busy, so that each operation gets through with its second call.
ONCE_EACH = "/".join(f"PHYMEM.PAMT.{{leaf}}:{nth}:OPERAND_BUSY|RCX" for nth in range(1, 63, 2))
BUSY = {
    "each once": ONCE_EACH,
    "a third": "PHYMEM.PAMT.{leaf}:~33:OPERAND_BUSY|RCX",
    "nine of ten": "PHYMEM.PAMT.{leaf}:~90:OPERAND_BUSY|RCX",
    **{f"several from {nth}": f"PHYMEM.PAMT.{{leaf}}:{nth}:OPERAND_BUSY|RCX:20" for nth in (1, 2, 5, 9)},
    **{f"long from {nth}": f"PHYMEM.PAMT.{{leaf}}:{nth}:OPERAND_BUSY|RCX:{LONG}" for nth in (1, 2, 3, 4, 6, 8, 10)},
}


@pytest.mark.parametrize("how", BUSY)
def test_busy_when_pairs_are_added(launch, how):
    """User space sees nothing of it."""
    result = launch(BUSY[how].format(leaf="ADD"))
    assert ended(result) == [True, True], result.output
    assert injected(result, "ADD") > 0
    assert_all_back(result)
    assert counters(result)["retries"] > 0
    assert said(result) == []


@pytest.mark.parametrize("how", [how for how in BUSY if not how.startswith("long")])
def test_busy_when_pairs_are_removed(launch, how):
    result = launch(BUSY[how].format(leaf="REMOVE"))
    assert ended(result) == [True, True], result.output
    assert injected(result, "REMOVE") > 0
    assert_all_back(result)
    assert counters(result)["retries"] > 0
    assert said(result) == []


def test_busy_in_both(launch):
    add, remove = (f"PHYMEM.PAMT.{leaf}:~50:OPERAND_BUSY|RCX" for leaf in ("ADD", "REMOVE"))
    result = launch(f"{add}/{remove}")
    assert ended(result) == [True, True], result.output
    assert_all_back(result)
    assert said(result) == []


def test_busy_for_longer_than_the_kernel_asks_for_pairs_back(launch):
    """Regions are stuck, which costs nobody but memory, and only until the next user."""
    result = launch("PHYMEM.PAMT.REMOVE:*:OPERAND_BUSY|RCX", f"run:{LAUNCH}")
    assert ended(result) == [True], result.output
    at_end = counters(result)
    assert at_end["pairs"] == at_end["stuck"] == result.stats["pamt_pairs"] > 0 and at_end["leaked"] == 0
    assert at_end["escalations"] >= at_end["stuck"]
    assert injected(result, "REMOVE") == (8 + 256) * at_end["escalations"]
    assert at_end["retries"] == (8 - 1 + 256 - 1) * at_end["escalations"]
    assert [(what, status) for what, _, status in said(result)] == [("did not return", "0x8000020000000001")]


def test_busy_for_good(launch):
    """A launch waits, killably and asleep; when it is killed, nothing is left of it."""
    result = launch("PHYMEM.PAMT.ADD:*:OPERAND_BUSY|RCX", f"run:timeout+-s+KILL+3+{LAUNCH}", timeout=60)
    assert result.did("run")["status"] == 128 + 9 or not result.did("run")["ok"]
    assert result.stats["pamt_pairs"] == 0
    at_end = counters(result)
    assert at_end["pairs"] == at_end["stuck"] == at_end["leaked"] == 0
    # Bounded attempts with a sleep in between: far from one call after the other.
    assert 264 < calls(result, "TDH.PHYMEM.PAMT.ADD") < 264 * 1100
    assert said(result) == []
    assert not result.complaints()


@pytest.mark.parametrize("nth", [1, 3, 6, 9])
def test_region_that_the_module_says_has_a_pair(launch, nth):
    """Whoever needed the pair fails, and nobody else; once in the log, whole status."""
    result = launch(f"PHYMEM.PAMT.ADD:{nth}:HPA_RANGE_NOT_FREE|RCX:2")
    assert ended(result)[0] is False
    assert [(what, status) for what, _, status in said(result)] == [("refused", "0xc000030400000001")]
    assert injected(result, "ADD") == 2
    assert_counted(result, pairs=0)


@pytest.mark.parametrize("nth", [1, 4])
def test_pages_that_the_module_says_are_in_use(launch, nth):
    """It seems to have plans for them, so they are not freed."""
    result = launch(f"PHYMEM.PAMT.ADD:{nth}:PAGE_NOT_FREE|RDX")
    assert ended(result) == [False, True]
    assert [(what, status) for what, _, status in said(result)] == [("refused", "0xc000030300000002")]
    assert_counted(result, pairs=0, leaked=1)


def test_region_that_the_module_says_is_in_use(launch):
    """All pairs stay, one message is enough, and the second TD finds them in place."""
    result = launch("PHYMEM.PAMT.REMOVE:*:PAMT_PAGE_NOT_EMPTY|RCX")
    assert ended(result) == [True, True]
    assert [(what, status) for what, _, status in said(result)] == [("did not return", "0xc000030600000001")]
    at_end = counters(result)
    assert at_end["pairs"] == at_end["stuck"] == calls(result, "TDH.PHYMEM.PAMT.ADD") == result.stats["pamt_pairs"]
    assert at_end["leaked"] == 0 and at_end["pairs"] > 1
    assert injected(result, "REMOVE") > at_end["stuck"], "the second TD used regions that were stuck"


def test_stuck_regions_come_back(launch):
    result = launch("PHYMEM.PAMT.REMOVE:1:PAMT_PAGE_NOT_EMPTY|RCX:3", *TWICE, *TWICE)
    assert ended(result) == [True] * 4
    assert len(said(result)) == 1
    at_end = counters(result)
    assert at_end["pairs"] == at_end["stuck"] == result.stats["pamt_pairs"] <= 3
    assert at_end["leaked"] == 0


def test_region_that_the_module_says_has_no_pair(launch):
    """Nobody knows any more which pages they were."""
    result = launch("PHYMEM.PAMT.REMOVE:1:NO_PAMT_PAGE_PAIR|RCX", f"run:{LAUNCH}")
    assert ended(result) == [True]
    assert [(what, status) for what, _, status in said(result)] == [("did not return", "0xc000030500000001")]
    assert counters(result)["leaked"] == 1 and counters(result)["stuck"] == 0
    # The module did have it.
    assert result.stats["pamt_pairs"] == 1 and counters(result)["pairs"] == 0


def assert_counted(result, **expected):
    """The state is consistent, and what the counters say."""
    at_end = counters(result)
    wanted = {"pairs": 0, "stuck": 0, "leaked": 0} | expected
    assert {name: at_end[name] for name in wanted} == wanted
    assert result.stats["pamt_pairs"] == wanted["pairs"]
    assert result.stats["tds"] == 0 and result.stats["pages_owned"] == 0


@pytest.fixture(scope="session")
def exhausted():
    """One boot in which each allocation of a PAMT page by a launch fails once."""
    host = Host(config=("host", "fault"))
    programs = [EXHAUST, *(host.kernel.out.parent.parent / "selftests/tdx").glob("tdx_[a-z_]*[a-z]")]
    host.initramfs = initramfs.build(host.kernel, [path for path in programs if path.is_file()])
    # What it calls may leave no frame.
    start, end = inside.function(host.kernel, "pamt_pair_alloc")
    step = f"{EXHAUST.name}+{start:x}+{end + 1:x}+60"
    return host.boot("exhausted", f"run:{step}", timeout=300), step


def test_lack_of_memory_is_told_to_whom_it_concerns(exhausted):
    result, step = exhausted
    launches = re.findall(r"^launch (\d+) status (\d+) left (-?\d+): (.*?)\r?$", output_of(result, step), flags=re.M)
    assert len(launches) == 60, output_of(result, step)[-2000:]
    failed = [(nth, said) for nth, status, left, said in launches if left == "0" and status != "0"]
    assert len(failed) > 10
    assert all("Cannot allocate memory" in said for _, said in failed), failed
    # Later allocations than a launch makes do not fail: the sweep is complete.
    assert launches[-1][1:3] == ("0", "1"), launches[-1]
    assert not [launch for launch in launches if launch[2] == "1" and launch[1] != "0"], launches


def test_lack_of_memory_ends_nobody_else(exhausted):
    result, step = exhausted
    assert "bystander status 0" in output_of(result, step)


def test_lack_of_memory_leaves_nothing_behind(exhausted):
    result, step = exhausted
    assert "counters 0 0 0" in output_of(result, step)
    assert_all_back(result)


def test_no_launch_is_ever_ok_by_chance(launch):
    """The same without errors, so that the above cannot pass for another reason."""
    result = launch("PHYMEM.PAMT.ADD:10000:OPERAND_BUSY|RCX")
    assert ended(result) == [True, True]
    assert_all_back(result)
    assert all(td["ok"] for td in launched(result, LAUNCH))
    assert counters(result)["retries"] == counters(result)["escalations"] == 0
