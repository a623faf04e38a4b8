# SPDX-License-Identifier: GPL-2.0-only
"""Bugs in error paths of KVM, put in on purpose: TDs run as if nothing was wrong, but the sweep finds each."""
import dataclasses

import pytest

from lab import kernel, pamt_drops, trees
from lab.sweep import host, judge, points
from lab.sweep.points import Point


@dataclasses.dataclass
class Bug:
    """@right of the source becomes @wrong; then the fault (leaf, nth, kind) ends as @found says."""
    right: str
    wrong: str
    fault: tuple
    found: str

    def put_into(self, text):
        assert text.count(self.right) == 1, f"KVM has changed: {self.right}"
        return text.replace(self.right, self.wrong)

    @property
    def point(self):
        leaf, nth, kind = self.fault
        return Point("life", leaf, kind, nth, f"{leaf}:{nth}:{points.CLASSES[kind]}")


BUGS = {
    "PAMT kept for a page that was not added": Bug(
        "\tif (unlikely(r))\n\t\ttdx_pamt_put(pfn, level);\n", "",
        ("TDH.MEM.PAGE.AUG", 1, "fatal"), "left with the module: {'pairs': "),
    "control pages kept when one was not added": Bug(
        "\t\ttdx_free_control_page(tdcs_pages[i]);\n\t\ttdcs_pages[i] = NULL;\n", "\t\ttdcs_pages[i] = NULL;\n",
        ("TDH.MNG.ADDCX", 1, "operand"), "left with the module: {'pairs': "),
    "page freed that was not removed": Bug(
        "\t\t\ttdx_leak_private_page(spte_to_pfn(old_spte));\n", "\t\t\t;\n",
        ("TDH.MEM.PAGE.REMOVE", 1, "busy for ever"), "no healthy TD"),
    "launch fails when the module was busy": Bug(
        "\tif (unlikely(tdx_operand_busy(err)))\n\t\treturn -EBUSY;\n\n\tif (TDX_BUG_ON_2(err, TDH_MEM_PAGE_AUG,",
        "\tif (TDX_BUG_ON_2(err, TDH_MEM_PAGE_AUG,",
        ("TDH.MEM.PAGE.AUG", 2, "busy once"), "user space noticed"),
}


@pytest.fixture(scope="session")
def taken():
    """taken(change, name, points): what KVM, made from its source after @change, says to faults."""
    built = host.make()
    tree = trees.kernel("series").tree
    source = (tree / pamt_drops.SOURCE).read_text()
    drops = kernel.build(kernel.Kernel("series-drops", tree))

    def take(change, name, faults):
        pamt_drops.build(drops, change(source))
        return list(host.live(host.Host(drops, built.programs), name, faults))
    return take


def test_none_is_found_where_none_is(taken):
    for point, said in taken(lambda source: source, "bug-none", [bug.point for bug in BUGS.values()]):
        assert said["fired"] and not judge.wrong_with(point, said)


@pytest.mark.parametrize("name", BUGS)
def test_bug_is_found(name, taken):
    bug = BUGS[name]
    (point, said), = taken(bug.put_into, f"bug-{list(BUGS).index(name)}", [bug.point])
    wrong = judge.wrong_with(point, said)
    assert any(bug.found in text for text in wrong), wrong
