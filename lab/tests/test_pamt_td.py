# SPDX-License-Identifier: GPL-2.0-only
"""TDs on a host with Dynamic PAMT: they run as on any other, and every pair comes back."""
import re

import pytest

from lab.tests.pamt_host import Host, assert_all_back, assert_well, calls, counters, launched, trace
from lab.tests.test_td import PROGRAMS, SKIPS, VCPUS, results_of

# Small TDs side by side; one that has two vCPUs and converts memory.
LAUNCHES = ("tdx_launch+--tds+2", "tdx_launch+--vcpus+2+--mem+64+--convert+256")
ONE_TD = "tdx_launch+--mem+16"
STATIC = {"cmdline": "tdx_pamt=static"}
NONE = {"seam": {}}


@pytest.fixture(scope="session")
def host():
    return Host()


@pytest.fixture(scope="session")
def suite(host):
    """One boot that runs all selftests."""
    return host.boot("selftests", *(f"run:{name}" for name in PROGRAMS), vcpus=VCPUS, memory_mb=4096)


@pytest.mark.parametrize("program", PROGRAMS)
def test_selftest(suite, program, tmp_path):
    results = results_of(suite, program, tmp_path)
    assert results, f"{program} reported no test: {suite.did('run', program)}; {suite.output[-500:]}"
    bad = [f"{name}: {kind} {text}" for kind, name, text in results
           if kind == "failed" or kind == "skipped" and text not in SKIPS]
    assert not bad, "\n".join(bad)


def test_every_pair_is_back_after_the_selftests(suite):
    assert_all_back(suite)


@pytest.fixture(scope="session")
def modes(host):
    """The same TDs with each kind of PAMT."""
    runs = [f"run:{command}" for command in LAUNCHES]
    return {"dynamic": host.boot("dynamic", *runs), "static": host.boot("static", *runs, **STATIC),
            "none": host.boot("none", *runs, **NONE)}


def test_guests_see_the_same(modes):
    said = {name: [td for command in LAUNCHES for td in launched(result, command)] for name, result in modes.items()}
    assert len(said["dynamic"]) == 3
    assert all(td["ok"] and td["mrtd_matches"] and td["rtmr_matches"] for td in said["dynamic"])
    assert said["dynamic"] == said["static"] == said["none"]


def test_modes_are_what_they_say(modes):
    assert_all_back(modes["dynamic"])
    for name in ("static", "none"):
        assert_well(modes[name])
        assert calls(modes[name], "TDH.PHYMEM.PAMT.ADD") == 0
        assert counters(modes[name]) == {}


def seamcalls(result):
    """
    Calls from the first TD on, as far as they are the same in each boot: without the time, the CPU, addresses of the
    host and times of the guest; and without entries, which interrupts of the host multiply.
    """
    calls = [re.sub(r"^\[.*?\] cpu\d+ | \d+ns$", "", text) for text in trace(result)]
    first = next(nr for nr, text in enumerate(calls) if text.startswith("TDH.MNG.CREATE"))
    calls = [text for text in calls[first:] if not text.startswith(("TDH.VP.ENTER", "TDH.PHYMEM.PAMT."))]
    host = r"\b(page|tdr|tdvpr|tdcs|source|src|params|owner|entry|parent|hint|value|mask|region)=0x[0-9a-f]+"
    return [re.sub(host, r"\1", text) for text in calls]


@pytest.fixture(scope="session")
def traces(host):
    """One TD with one vCPU on one CPU, so that there is one order of calls."""
    run, machine = f"run:{ONE_TD}", {"vcpus": 1}
    stock = Host(base="stock")
    return {"stock": seamcalls(stock.boot("trace stock", run, **NONE, **machine)),
            "series": seamcalls(host.boot("trace series", run, **NONE, **machine)),
            "static": seamcalls(host.boot("trace static", run, **STATIC, **machine)),
            "dynamic": seamcalls(host.boot("trace dynamic", run, **machine))}


@pytest.mark.parametrize("mode", ["series", "static"])
def test_without_it_the_module_sees_the_stock_kernel(traces, mode):
    assert len(traces["stock"]) > 1000
    assert traces[mode] == traces["stock"]


def test_with_it_the_module_sees_pairs_besides(traces):
    assert traces["dynamic"] == traces["stock"]

