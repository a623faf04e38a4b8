# SPDX-License-Identifier: GPL-2.0-only
"""The fault sweep: which faults there are, what it makes of a host's answers, and some faults for real."""
import collections
import json
import re
import types

import pytest

from lab.say import LabError
from lab.sweep import host, judge, points, run, table
from lab.sweep.points import Point

# make test tries one of so many, which meets each class in turn; make sweep tries all.
SAMPLE_EVERY = 11
INIT_SAMPLE_EVERY = 31


COUNTS = {"thread": 500, "vcpu": 300, "destroy": 10}


def point(what="TDH.MEM.PAGE.AUG", kind="operand", nth=1, phase="life"):
    return Point(phase, what, kind, nth, f"{what}:{nth}:{points.CLASSES.get(kind, '')}")


def said(**changes):
    changes.setdefault("end", changes.get("after", [0, 12800, 0, 1, 25, 0, 0]))
    return {"fired": 1, "status": 0, "signal": 0, "timed_out": False, "seconds": 0.1,
            "before": [0, 12800, 0, 1, 25, 0, 0], "after": [0, 12800, 0, 1, 25, 0, 0],
            "said": "", "log": [], "healthy": True, "healthy_log": []} | changes


@pytest.mark.parametrize("calls, expected", [
    (1, [1]), (9, list(range(1, 10))), (10, [1, 2, 3, 4, 5, 6, 7, 9, 10]),
    (1000, [1, 2, 3, 4, 252, 500, 748, 999, 1000])])
def test_occurrences(calls, expected):
    assert points.occurrences(calls) == expected


def test_every_class_of_every_leaf():
    found = points.leaf_points("life", {"TDH.VP.ENTER": 3, "TDH.MNG.CREATE": 1})
    assert len(found) == 4 * len(points.CLASSES)
    assert "TDH.VP.ENTER:2:OPERAND_BUSY|RCX:*" in [each.text for each in found]


def test_well():
    assert judge.wrong_with(point(), said()) == []
    assert judge.wrong_with(point(kind="no memory"), said(status=1, fired=0, said="Cannot allocate memory")) == []


def test_no_memory_for_the_map_of_apics():
    """Stock KVM ends the TD, and warns; without the warning, the error has no reason."""
    bugged = said(status=1, fired=0, said="KVM_RUN: Input/output error",
                  log=["WARNING: arch/x86/kvm/vmx/main.c:727 at vt_refresh_apicv_exec_ctrl+0x37/0x50"])
    assert judge.wrong_with(point(kind="no memory"), bugged) == []
    assert judge.wrong_with(point(kind="no memory"), bugged | {"log": []})
    assert judge.wrong_with(point(), bugged)


WARN = "WARNING: arch/x86/kvm/vmx/tdx.c:123 at tdx_sept_set_private_spte+0x10/0x20"
RECLAIM_WARN = "WARNING: arch/x86/kvm/vmx/tdx.c:123 at __tdx_reclaim_page+0x10/0x20"
FLUSH_WARN = "WARNING: arch/x86/kvm/vmx/tdx.c:123 at tdx_flush_vp_on_cpu+0x10/0x20"


@pytest.mark.parametrize("fault, answer, word", [
    (point(), {"timed_out": True}, "hung"),
    (point(kind="busy for ever", what="TDH.MNG.INIT"), {"timed_out": True}, "hung"),
    (point(), {"signal": -1}, "could not be killed"),
    (point(), {"healthy": False}, "no healthy TD"),
    (point(), {"after": [1, 12800, 0, 1, 25, 0, 0]}, "1 violations"),
    (point(), {"after": [0, 12803, 0, 1, 25, 0, 0]}, "left with the module: {'pages': 3}"),
    (point(), {"after": [0, 12800, 0, 2, 26, 0, 0], "log": [WARN]}, "'KeyIDs': 1, 'pairs': 1"),
    (point("TDH.PHYMEM.PAGE.RECLAIM"), {"after": [0, 12801, 0, 1, 25, 0, 0]}, "left with the module"),
    (point("TDH.PHYMEM.PAGE.RECLAIM"), {"after": [0, 99999, 0, 30, 25, 0, 0], "log": [RECLAIM_WARN]},
     "left with the module"),
    (point("TDH.PHYMEM.PAGE.RECLAIM"), {"after": [0, 12818, 1, 1, 25, 0, 0], "log": [RECLAIM_WARN]},
     "left with the module"),
    (point("TDH.PHYMEM.PAGE.RECLAIM"), {"after": [0, 12801, 1, 2, 25, 0, 0], "log": [RECLAIM_WARN]},
     "left with the module"),
    (point("TDH.PHYMEM.PAGE.RECLAIM"), {"log": [WARN]}, "nothing explains"),
    (point("TDH.MEM.TRACK", "busy once"), {"after": [0, 12802, 1, 1, 25, 0, 0], "log": [RECLAIM_WARN]}, "left with"),
    (point("TDH.PHYMEM.PAMT.REMOVE"), {"after": [0, 12800, 0, 1, 27, 1, 0]}, "not all known as stuck"),
    (point("TDH.PHYMEM.PAMT.REMOVE"), {"after": [0, 12800, 0, 1, 26, 1, 1]}, "not all known as stuck"),
    (point("TDH.PHYMEM.PAMT.REMOVE"), {"after": [0, 12800, 0, 1, 26, 1, 0], "end": [0, 12800, 0, 1, 25, 1, 0]},
     "the healthy TD left"),
    (point("TDH.PHYMEM.PAMT.REMOVE", "busy once"), {"after": [0, 12800, 0, 1, 26, 1, 0]}, "left with the module"),
    (point("allocation (destroy)", "no memory"), {"status": 1, "said": "Cannot allocate memory"}, "not destroyed"),
    (point(), {"end": [0, 12801, 0, 1, 25, 0, 0]}, "the healthy TD left"),
    (point(), {"end": [1, 12800, 0, 1, 25, 0, 0]}, "the healthy TD left"),
    (point(), {"healthy_log": [WARN]}, "when the healthy TD ran"),
    (point(), {"log": ["records were lost"]}, "records were lost"),
    (point(), {"log": ["WARNING: possible circular locking dependency detected"]}, "circular locking"),
    (point(kind="no memory"), {"status": 1, "said": "Bad address"}, "told as: Bad address"),
    (point(kind="no memory"), {"log": [WARN]}, "nothing explains"),
    (point(kind="busy once"), {"log": [WARN]}, "nothing explains"),
    (point(kind="busy once"), {"status": 1, "said": "no"}, "user space noticed: no"),
    (point(), {"log": ["WARNING: mm/page_alloc.c:5 at free_pages+0x1/0x2"]}, "nothing explains: mm/page_alloc.c"),
    (point(), {"log": ["BUG: sleeping function called"]}, "BUG: sleeping"),
    (point(), {"log": ["list_del corruption. next is bad"]}, "list_del corruption"),
    (point(), {"died": "the kernel printed nothing"}, "the host died"),
])
def test_what_is_not_well_is_told(fault, answer, word):
    wrong = judge.wrong_with(fault, answer if "died" in answer else said(**answer))
    assert any(word in text for text in wrong), wrong


@pytest.mark.parametrize("fault, answer", [
    (point(), {"log": [WARN], "status": 1}),
    (point("TDH.PHYMEM.PAGE.RECLAIM"), {"after": [0, 12802, 1, 1, 27, 0, 0], "log": [RECLAIM_WARN]}),
    (point("TDH.MEM.TRACK", "busy for ever"), {"after": [0, 13086, 1, 1, 31, 0, 0], "log": [RECLAIM_WARN]}),
    (point("TDH.PHYMEM.PAMT.REMOVE"), {"after": [0, 12800, 0, 1, 27, 2, 0], "end": [0, 12800, 0, 1, 26, 1, 0]}),
    (point("TDH.PHYMEM.PAMT.ADD", "busy for ever"), {"timed_out": True, "signal": 9}),
    (point("TDH.MNG.CREATE", "busy once"), {"status": 1}),
    (point("allocation (thread)", "no memory"),
     {"status": 1, "said": "cannot start a thread: Resource temporarily unavailable"}),
    (point("TDH.VP.FLUSH"), {"after": [1, 12816, 1, 2, 25, 0, 0], "log": [FLUSH_WARN]}),
])
def test_what_is_explained_is_well(fault, answer):
    assert judge.wrong_with(fault, said(**answer)) == []


def test_what_did_not_come_up_does_not_count():
    assert run.happened(point(), said()) and not run.happened(point(), said(fired=0))
    memory = point(kind="no memory")
    assert run.happened(memory, said(said='{"allocation_failed": true}'))
    assert not run.happened(memory, said(said='{"allocation_failed": false}'))
    assert not run.happened(memory, said(said='{"allocation_failed": false}', log=["clocksource: late"]))
    assert run.happened(memory, said(signal=9)) and run.happened(memory, said(log=["BUG: bad"]))


def test_allocations_are_a_part_of_their_own():
    """They need a kernel that can fail them."""
    named = list(run.batches([*points.allocation_points(COUNTS)[:200], *points.leaf_points("life", {"TDH.VP.ENTER": 100})]))
    assert [name for name, _ in named] == ["life-0", "memory-0", "memory-150"]
    assert sum(len(part) for _, part in named) == 200 + 9 * len(points.CLASSES)
    assert all((point.kind == "no memory") == name.startswith("memory") for name, part in named for point in part)


def test_table_counts_and_shows_how_to_rerun():
    results = [(point(), []), (point(nth=2), ["the launcher hung"]), (point(kind="fatal"), [])]
    text = "\n".join(table.lines(results, {"life": {"TDH.MEM.PAGE.AUG": 240}}))
    assert re.search(r"TDH.MEM.PAGE.AUG +240 ", text), "how many calls there are of which some were failed"
    assert "2 (1 BAD)" in text and "3 faults, 1 not taken well" in text
    assert "make sweep POINT='TDH.MEM.PAGE.AUG:2:OPERAND_INVALID|RCX:1'" in text


def test_an_allocation_that_should_be_the_last_must_not_happen():
    found = points.allocation_points({"thread": 300, "destroy": 5})
    last = [each for each in found if each.last]
    assert [each.text for each in last] == ["thread 350", "destroy 25"], "some more than were counted"
    assert len(found) == 350 + 25
    assert "there may be allocations after" in run.beyond(last[0])[0]
    assert not run.beyond(found[0]) and not run.beyond(point(nth=9999))


class SomeHost:
    def __init__(self, state):
        self.state = lambda: state


def test_parts_of_another_host_are_missing_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(host, "OUT", tmp_path)
    run.save([(point(), ["bad"], {})], SomeHost("this"), tmp_path / "part-1-of-3.json")
    run.save([(point(nth=2), [], {})], SomeHost("other"), tmp_path / "part-2-of-3.json")
    assert json.loads((tmp_path / "part-2-of-3.json").read_text())["kernel"] == "other"
    assert run.merged(3, SomeHost("this")) == ([(point(), ["bad"])], [2, 3])


def test_a_sweep_that_ends_on_the_host_is_an_error(tmp_path, monkeypatch):
    """Not a fault that the host died of, point by point."""
    class Refuses:
        boots = 0

        def boot(self, *args, **kwargs):
            self.boots += 1
            return types.SimpleNamespace(output="sweep: needs a list\n", agent=[{"step": "run", "ok": False}])
    monkeypatch.setattr(host, "OUT", tmp_path)
    refuses = Refuses()
    with pytest.raises(LabError, match="ended on the host: sweep: needs a list"):
        list(host.live(refuses, "life-0", [point(), point(nth=2)]))
    assert refuses.boots == 1


@pytest.fixture(scope="session")
def built():
    return host.make()


@pytest.fixture(scope="session")
def recorded(built):
    return host.record(built)


def test_record_covers_the_interface(recorded):
    init, life = recorded["init"], recorded["life"]
    assert {"TDH.SYS.INIT", "TDH.SYS.CONFIG", "TDH.EXT.MEM.ADD", "TDH.EXT.INIT"} <= set(init)
    assert {"TDH.MNG.CREATE", "TDH.VP.ENTER", "TDH.MEM.PAGE.AUG", "TDH.PHYMEM.PAGE.RECLAIM", "TDH.PHYMEM.PAMT.REMOVE",
            "TDH.MNG.KEY.FREEID", "TDH.VP.FLUSH", "TDH.MEM.TRACK"} <= set(life)
    assert len(points.leaf_points("life", life)) > 600


def test_some_faults_of_each_class(built, recorded):
    init, life = recorded["init"], recorded["life"]
    sample = [*points.leaf_points("init", init)[::INIT_SAMPLE_EVERY], *points.leaf_points("life", life)[::SAMPLE_EVERY]]
    results = run.sweep(sample, built, "sample")
    assert len(results) > 0.8 * len(sample), "too many faults did not come up"
    assert {each.kind for each, _, _ in results} == {*points.CLASSES}
    assert collections.Counter(each.phase for each, _, _ in results).keys() == {"init", "life"}
    bad = [f"{each}: {wrong}" for each, wrong, _ in results if wrong]
    assert not bad, "\n".join(bad)
