# SPDX-License-Identifier: GPL-2.0-only
"""softseam's trace is read in full, and tells which memory the module has."""
import pytest

from lab import trace

LINES = """\
[    2.185973149] cpu1 TDH.PHYMEM.PAMT.ADD region=0x3400001 page0=0x1ae000 page1=0x185000 -> TDX_SUCCESS 92233ns by f
[    2.189127083] cpu1 TDH.EXT.MEM.ADD pages=0xff8000000016f000 -> TDX_SUCCESS left=0xff8000000016f000 2857769ns by f
[    4.559000000] cpu1 TDH.PHYMEM.PAMT.ADD region=0xe00001 page0=0x1af000 page1=0x186000 -> TDX_SUCCESS 92233ns
[    4.560300587] cpu1 TDH.MNG.CREATE page=0xe1d000 hkid=0x22 -> TDX_SUCCESS 23414ns by tdh_mng_create
[    4.561598892] cpu1 TDH.MNG.ADDCX page=0xe1f000 tdr=0xe1d000 -> TDX_OPERAND_BUSY|RCX 10820ns by tdh_mng_addcx
[    4.651839565] cpu0 TDH.MEM.SEPT.ADD gpa=0x3 tdr=0xe1d000 page=0xe98000 -> TDX_SUCCESS entry=0x0 state=0x0 31158ns
[    4.725623580] cpu0 TDH.MEM.PAGE.AUG gpa=0x200000 tdr=0xe1d000 page=0xc4a000 -> TDX_SUCCESS entry=0x0 state=0x0 8485ns
what QEMU says in between
[    5.683167438] cpu0 TDH.VP.ENTER tdvpr=0xf61000 -> TDX_SUCCESS|0x6 exit=OTHER_SMI 547086ns by entry_SYSCALL_64
[    7.789023459] cpu1 TDH.MEM.PAGE.REMOVE gpa=0x200000 tdr=0xe1d000 -> TDX_SUCCESS page=0xc4a000 state=0x0 37230ns
[   12.706748594] cpu1 TDH.PHYMEM.PAGE.RECLAIM page=0xe98000 -> TDX_SUCCESS type=0x8 owner=0xe1d000 size=0x0 hint=0x0 9ns
[   12.806748594] cpu1 TDH.PHYMEM.PAGE.RECLAIM page=0xe1d000 -> TDX_SUCCESS type=0x4 owner=0x0 size=0x0 hint=0x1 9ns
[   12.812283576] cpu1 TDH.PHYMEM.PAMT.REMOVE region=0xe00001 -> TDX_SUCCESS page0=0x1af000 page1=0x186000 5410ns
[   13.000000000] cpu0 TDH.VP.INIT/0x1 tdvpr=0xf61000 -> VMfailInvalid 5ns
"""


@pytest.fixture
def calls(tmp_path):
    path = tmp_path / "trace.txt"
    path.write_text(LINES)
    return list(trace.read(path))


def test_all_calls_are_read(calls):
    assert len(calls) == LINES.count("cpu")
    first, last = calls[0], calls[-1]
    assert (first.end, first.took, first.cpu, first.leaf) == (2185973149, 92233, 1, "TDH.PHYMEM.PAMT.ADD")
    assert first.operand("page1") == 0x185000 and first.operand("nosuch") is None
    assert (last.leaf, last.status, last.succeeded) == ("TDH.VP.INIT", "VMfailInvalid", False)
    enter = next(call for call in calls if call.leaf == "TDH.VP.ENTER")
    assert enter.succeeded and enter.status == "TDX_SUCCESS|0x6"


def test_memory(calls):
    memory, rows = trace.follow(calls)
    assert memory.counts == {"control": 0, "S-EPT": 0, "private": 0, "pairs": 1}
    assert memory.peak == {"control": 1, "S-EPT": 1, "private": 1, "pairs": 2, "all": 3}
    assert memory.pairs_of_module == 1
    assert rows[0] == [2185973149, 0, 0, 0, 1]
    assert [2185973149 < row[0] for row in rows[1:]] == [True] * 8


def test_page_that_is_kept_is_seen(calls):
    memory, _ = trace.follow(call for call in calls if "RECLAIM" not in call.leaf)
    assert memory.counts["control"] == memory.counts["S-EPT"] == 1


def test_peaks_survive_thinning():
    rows = [[n, 0, 0, 1000 if n == 5432 else n % 7, 0] for n in range(10000)]
    thinned = trace.thin(rows, 100)
    assert len(thinned) <= 200
    assert rows[5432] in thinned and thinned[-1] == rows[-1]
    assert thinned == sorted(thinned)
    assert trace.thin(rows[:50], 100) == rows[:50]


def test_what_was_there_before_a_pause_stays():
    rows = [[n, 0, 0, 0, n] for n in range(25)] + [[n, 0, 0, n, 25] for n in range(100000, 110000)]
    thinned = trace.thin(rows, 100)
    assert rows[24] in thinned and len(thinned) <= 202
