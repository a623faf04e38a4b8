# SPDX-License-Identifier: GPL-2.0-only
"""make run with each of its options: real boots, and what their reports say."""
import json
import subprocess

import pytest

from lab import browser, kernel, own, place, run, trees
from lab.say import LabError

OPTIONS = ("BASE", "KERNEL", "LINUX", "LINUX_CONFIG", "VCPUS", "MEM", "TDS", "DPAMT", "EXT")


@pytest.fixture
def reported(monkeypatch, request):
    """reported(NAME=value, ...): the report of a run with these options, and its folder."""
    def make(**options):
        for name in OPTIONS:
            monkeypatch.delenv(name, raising=False)
        for name, value in options.items():
            monkeypatch.setenv(name, value)
        folder = place.BUILD / "test/run" / request.node.name
        run.run(folder)
        return json.loads((folder / "report.json").read_text()), folder
    return make


def assert_well(report, tds):
    assert report["failed"] == []
    assert report["violations"] == report["leaked_pages"] == 0
    assert report["keyids"]["in_use"] == 1
    assert len(report["tds"]) == tds
    for td in report["tds"]:
        assert [text.strip() for text in td["said"]] == [f"hello from vCPU {nr} of {td['vcpus']}" for nr in range(td["vcpus"])]


def test_without_options(reported, tmp_path):
    report, folder = reported()
    assert_well(report, 3)
    assert {(td["vcpus"], td["mem_mb"]) for td in report["tds"]} == {(1, 16), (2, 32), (1, 64)}
    assert report["pamt"]["measured"] == "dynamic" and report["pamt"]["static_kb"] > 50 * report["pamt"]["dynamic_kb"] > 0
    assert report["extensions_initialised"] and report["ext_pool_mb"] == 50
    assert report["pages_peak"]["pairs"] > report["pamt_pairs"] == report["pamt_pairs_of_module"] > 0
    dom = browser.dom(folder / "report.html", tmp_path)
    assert 'data-ready="yes"' in dom and "data-error" not in dom
    assert "TDX host up, 3 TDs launched, all is well" in dom
    calls = sum(leaf["calls"] for leaf in report["seamcalls"].values())
    assert f'data-calls="{calls}"' in dom


def test_stock_kernel(reported):
    report, _ = reported(BASE="stock")
    assert_well(report, 3)
    assert report["base"] == "stock" and report["pamt"]["measured"] == "static"
    assert report["pamt"]["static_kb"] == report["pamt_kb"]
    assert not report["extensions_initialised"] and report["pages_peak"]["pairs"] == 0


@pytest.fixture
def tree_of_mine(monkeypatch, tmp_path):
    """A copy of the series' tree, seen read-only as lab/inside shows LINUX; the folder in which it can be changed."""
    found = trees.kernel("series").tree
    head = subprocess.run(["git", "-C", found, "rev-parse", "HEAD"], text=True, capture_output=True, check=True).stdout.strip()
    copy = trees.scratch("test/own", found, head)
    monkeypatch.setattr(place, "GIVEN", tmp_path)
    seen = tmp_path / "LINUX"
    seen.mkdir()
    for words in (["--bind", copy, seen], ["-o", "remount,bind,ro", seen]):
        subprocess.run(["mount", *words], check=True)
    yield copy
    subprocess.run(["umount", seen], check=True)


def test_tree_of_the_users(reported, tree_of_mine, capsys):
    """It boots, whatever it is called, and after a change only what was changed is compiled."""
    report, _ = reported(LINUX="../my tree", TDS="1")
    assert_well(report, 1)
    assert report["base"] == "../my tree"
    assert f"Linux {report['kernel']} (../my tree)" in capsys.readouterr().out
    with (tree_of_mine / "arch/x86/virt/vmx/tdx/tdx.c").open("a") as file:
        file.write("/* changed */\n")
    kernel.build(own.host())
    objects = int(capsys.readouterr().out.split(", ")[-1].split()[0])
    assert 0 < objects < 30


@pytest.mark.parametrize("dynamic", ["on", "off"])
@pytest.mark.parametrize("extensions", ["on", "off"])
def test_features(reported, dynamic, extensions):
    report, _ = reported(DPAMT=dynamic, EXT=extensions, TDS="1")
    assert_well(report, 1)
    assert report["pamt"]["measured"] == {"on": "dynamic", "off": "static"}[dynamic]
    assert report["extensions_initialised"] == (extensions == "on")
    assert (report["pages_peak"]["pairs"] > 0) == (dynamic == "on")


def test_computed_pamt_is_what_is_measured(reported):
    """What a report computes is what the other kind of PAMT really takes; both kinds, two sizes of machine."""
    for memory in ("1024", "6144"):
        dynamic, static = (reported(DPAMT=kind, TDS="0", MEM=memory)[0]["pamt"] for kind in ("on", "off"))
        assert dynamic.pop("measured") == "dynamic" and static.pop("measured") == "static"
        assert dynamic == static


def test_many_tds_in_little_memory(reported):
    report, _ = reported(TDS="8", MEM="512")
    assert_well(report, 8)
    assert len({td["mem_mb"] for td in report["tds"]}) == 3


def test_too_little_memory_is_refused_beforehand():
    with pytest.raises(LabError, match="TDS=8 MEM=495: 8 TDs need a host with MEM=496 at least"):
        run.launch(8, 2, 495)
    assert "--tds+8" in run.launch(8, 2, 496)


def test_one_cpu(reported):
    report, _ = reported(VCPUS="1", TDS="2")
    assert_well(report, 2)
    assert report["machine"]["vcpus"] == 1 and {td["vcpus"] for td in report["tds"]} == {1}


def test_four_cpus(reported):
    report, _ = reported(VCPUS="4")
    assert_well(report, 3)
    assert [td["vcpus"] for td in report["tds"]] == [1, 2, 4]


def test_no_tds(reported):
    report, _ = reported(TDS="0")
    assert_well(report, 0)
    assert "TDH.MNG.CREATE" not in report["seamcalls"]


def test_a_run_that_fails_says_so(reported, monkeypatch):
    """A TD that asks for more than there is: an error, and the report is written all the same."""
    monkeypatch.setattr(run, "TD_MEMORY_MB", (1 << 20,))
    monkeypatch.setattr(run, "HOST_MB", -(1 << 20))
    with pytest.raises(LabError, match="TD 0"):
        reported(TDS="1")
    report = json.loads((place.BUILD / "test/run/test_a_run_that_fails_says_so/report.json").read_text())
    assert report["failed"] and not report["tds"][0]["ok"]
