# SPDX-License-Identifier: GPL-2.0-only
"""What Dynamic PAMT may cost, held to figures; make bench measures them at length."""
import pytest

from lab import pamt_bench, place
from lab.pamt_bench import inside, native, plot

FOLDER = place.BUILD / "test/pamt/bench"


@pytest.mark.parametrize("name", ["tdx_pamt_get", "tdx_pamt_put"])
def test_a_page_in_a_region_that_is_in_use(name):
    """No call out of the function, so no lock, no allocation and no SEAMCALL: these are all instructions."""
    counts = inside.instructions(FOLDER, name)
    path = pamt_bench.hot(counts)
    assert path["calls"] > 3000
    assert path["share"] > 0.9, counts
    assert path["instructions"] <= 25, counts


def test_benchmark_in_the_kernel_runs():
    """How the variants compare is for make bench to tell: what a machine does besides decides the figures."""
    found = inside.rates(FOLDER, rounds=1, ms=20)
    assert {(2, "same"), (2, "apart"), (8, "same")} <= set(found)
    for rate in found.values():
        assert {"region", "counter", "spinlock"} <= set(rate)
        assert all(value > 0 for value in rate.values()), found
    assert found[2, "apart"]["transition"] > 0


def test_native_program_runs():
    """The figures are for make bench, as they depend on what else this machine does."""
    found = native.rates(FOLDER, rounds=1, ms=20)
    assert all(rate > 0 for by in found.values() for rate in by.values())


def test_executed_instructions_are_counted():
    log = ["IN: ", "0x10:  90  nop", "0x11:  90  nop", "0x12:  74 00  je", "", "Trace 0: 0x7f [00/10/1/2] ",
           "IN: ", "0x14:  c3  ret", "", "Trace 0: 0x7f [00/14/1/2] ", "Trace 1: 0x7f [00/10/1/2] ",
           "Trace 0: 0x7f [00/10/1/2] ", "Trace 1: 0x7f [00/14/1/2] ", "Trace 0: 0x7f [00/14/1/2] "]
    assert dict(inside.executed(log, 0x10)) == {4: 3}


def test_memory_of_hosts():
    """What boots of the lab show for 1 GB, and 64 GB to 4 TB in proportion."""
    one = pamt_bench.memory(1)
    assert one["static_kb"] == 4104 and one["minimum_kb"] == 40 and one["dynamic_kb"] == 42
    for gigabytes in pamt_bench.SIZES:
        kb = pamt_bench.memory(gigabytes)
        assert kb["dynamic_kb"] * 40 <= kb["static_kb"]
        assert kb["minimum_kb"] < kb["dynamic_kb"]


def test_plot_is_well_formed():
    import xml.etree.ElementTree as ElementTree
    rates = {(n, "same"): {"region": 1e7, "counter": 2e7, "spinlock": 1e5} for n in (1, 2)}
    tree = ElementTree.fromstring(plot.svg(rates, {gb: pamt_bench.memory(gb) for gb in pamt_bench.SIZES}))
    assert len(tree.findall("{*}rect")) > 20
