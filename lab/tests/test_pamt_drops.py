# SPDX-License-Identifier: GPL-2.0-only
"""
Each single call that counts a page in or out of Dynamic PAMT, dropped from KVM: something notices, and names the
memory that is left without its PAMT pages, or with them.
"""
import re

import pytest

from lab import initramfs, kernel, pamt_drops, place, trees
from lab.tests.pamt_host import DYNAMIC, MISSING_PAIR, Host, counters, output_of, trace

TREE = trees.kernel("series").tree
SOURCE = (TREE / pamt_drops.SOURCE).read_text()
DROPS = pamt_drops.drops(SOURCE)
LAUNCH = "run:tdx_launch+--mem+16+--convert+64"
# With the memory that TDs leave behind counted by cgroup.
CYCLES = "tdx_stress_test+--cycles+25+--only+cycles"
COUNTED = (f"run:{CYCLES}",)
# The first four launches end in a failure each, at another point; the fifth gets over what delays it.
FAILURES = "/".join(f"{leaf}:{nth}:OPERAND_BUSY|RCX" for leaf, nth in (
    ("MNG.CREATE", 1), ("MNG.ADDCX", 3), ("VP.CREATE", 1), ("VP.ADDCX", 2),
    ("MEM.SEPT.ADD", 7), ("MEM.PAGE.ADD", 20), ("MEM.PAGE.AUG", 50)))
LAUNCHES = [LAUNCH] * 5
# What the kernel says of its own accord about PAMT pages.
SAYS = re.compile(r".*(PAMT pages for the 2M at|PAMT of the page at) 0x[0-9a-f]+.*")
NAMES_MEMORY = re.compile(r"0x[0-9a-f]{6,}")


class DropHost(Host):
    """A kernel of its own, for a KVM that is built again and again."""

    def __init__(self):
        super().__init__()
        self.programs = [path for path in (place.BUILD / "selftests/tdx").glob("tdx_*") if path.stat().st_mode & 1]
        self.kernel = kernel.build(kernel.Kernel("series-drops", TREE))

    def take(self, text):
        """Run KVM made from @text from now on."""
        pamt_drops.build(self.kernel, text)
        self.initramfs = initramfs.build(self.kernel, self.programs)


@pytest.fixture(scope="session")
def host():
    return DropHost()


def findings(result):
    """Everything that says which memory is in trouble."""
    for text in trace(result):
        if MISSING_PAIR in text:
            yield re.sub(r"^\[.*?\] cpu\d+ | \d+ns$", "", text)
    for text in result.console.splitlines():
        if SAYS.match(text):
            yield re.sub(r"^\[.*?\] ", "", text)
    for entry in result.violations:
        if entry["rule"] == "never-returned" and "PAMT" in entry["text"]:
            yield entry["text"]


def notices(result):
    """What tells of trouble without a name for it."""
    if result.timed_out:
        yield f"the host hung: {result.last_words()}"
        return
    left = {name: value for name, value in counters(result).items() if value and name in ("pairs", "stuck", "leaked")}
    yield from (f"{name}: {value}" for name, value in left.items())
    yield from result.complaints()
    yield from re.findall(r"^not ok.*", output_of(result, CYCLES), flags=re.M)


def boots(host, name):
    """Nothing fails; then everything fails once; then memory is counted, for as many TDs as that takes."""
    yield host.boot(f"{name} well", LAUNCH, memory_mb=1024, timeout=60, may_hang=True)
    failing = host.boot(f"{name} failing", *LAUNCHES, seam=DYNAMIC | {"inject": FAILURES}, memory_mb=1024, timeout=60,
                        may_hang=True)
    if name == "none":
        done = [entry["ok"] for entry in failing.agent if entry["step"] == "run"]
        assert done[:5] == [False] * 4 + [True], "four launches end in a failure each, the last gets over some"
        injected = {leaf: calls["injected"] for leaf, calls in failing.stats["leaves"].items() if calls["injected"]}
        assert sorted(injected.values()) == [1] * 7, injected
    yield failing
    yield host.boot(f"{name} counted", *COUNTED, memory_mb=1024, timeout=180, may_hang=True)


def run(host, name, enough):
    """(what names memory, what else is odd), boot by boot until @enough of it was found."""
    named, odd = [], []
    for nr, result in enumerate(boots(host, name)):
        named += findings(result)
        # KVM warns of the failures that are injected.
        odd += [text for text in notices(result) if nr != 1 or not text.startswith("[")]
        if result.timed_out:
            break
        if enough(named, odd):
            break
    return list(dict.fromkeys(named)), odd


def test_nothing_is_found_when_nothing_is_dropped(host):
    host.take(SOURCE)
    assert run(host, "none", lambda named, odd: False) == ([], [])


@pytest.mark.parametrize("drop", DROPS, ids=str)
def test_drop_is_found(host, drop):
    host.take(drop.text)
    if drop.kind in ("get", "put"):
        named, odd = run(host, str(drop), lambda named, odd: named)
        assert named and NAMES_MEMORY.search(named[0]), f"nobody named the memory of the {drop}; but: {odd}"
    else:
        named, odd = run(host, str(drop), lambda named, odd: named or odd)
        assert named or odd, f"nobody noticed the {drop}"
    print(f"{drop}: {(named + odd)[0]}")


def test_drops_are_all_calls():
    """No call is left out because it is written in another way."""
    calls = re.findall(r"tdx_alloc_control_page|tdx_free_control_page|tdx_(?:sept_)?pamt_(?:get|put)\b", SOURCE)
    definitions = re.findall(r"^static int tdx_sept_pamt_get", SOURCE, flags=re.M)
    assert len(DROPS) == len(calls) - len(definitions) + 2
