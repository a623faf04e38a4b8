# SPDX-License-Identifier: GPL-2.0-only
"""The report says what happened, and a step that did not hold fails the run."""
import json

import pytest

from lab import qemu, report

CONSOLE = """\
[    0.05] virt/tdx: BIOS enabled: private KeyID range [32, 64)
[    0.60] virt/tdx: Module version: 1.5.16
[    0.61] virt/tdx: 4204 KB allocated for PAMT
[    0.61] virt/tdx: TDX-Module initialized
"""
STEPS = [
    {"step": "boot", "arg": "", "ok": True, "errno": 0},
    {"step": "load", "arg": "kvm-intel", "ok": True, "errno": 0},
    {"step": "vm", "arg": "", "ok": True, "errno": 0, "kvm_vm_types": 0x21},
]
STATS = {"tdmrs": 1, "violations": 0, "sys_state": "SHUTDOWN",
         "leaves": {"TDH.SYS.INIT": {"calls": 1, "errors": 0, "injected": 0, "ns": 1500}}}


@pytest.fixture
def result(tmp_path):
    """result(console=, steps=, stats=, **boot): what a boot left behind."""
    def make(console=CONSOLE, steps=tuple(STEPS), stats=STATS, **boot):
        (tmp_path / "console.log").write_text(console)
        (tmp_path / "agent.jsonl").write_text("".join(json.dumps(step) + "\n" for step in steps))
        (tmp_path / "stats.json").write_text(json.dumps({"module": stats}))
        return qemu.Boot(**{"folder": tmp_path, "seconds": 3.0, "status": 0, "timed_out": False,
                            "stderr": ""} | boot)
    return make


def failures(boot):
    return report.collect(boot, "series", "7.2.12")["failed"]


def test_good_run(result):
    summary = report.collect(result(), "series", "7.2.12")
    assert summary["failed"] == []
    assert summary["tdx_initialized"] is True
    assert summary["module_version"] == "1.5.16"
    assert summary["private_keyids"] == [32, 64]
    assert summary["pamt_kb"] == 4204
    assert summary["kvm_vm_types"] >> 5 & 1
    assert summary["seamcalls"]["TDH.SYS.INIT"]["calls"] == 1
    text = "\n".join(report.lines(summary))
    for word in ("1.5.16", "32 is the global one", "4204 KB", "TDH.SYS.INIT", "7.2.12"):
        assert word in text


def test_dynamic_pamt(result):
    console = CONSOLE.replace("4204 KB allocated for PAMT", "44 KB allocated for PAMT\n"
                              "[    0.61] virt/tdx: 2 KB allocated to track Dynamic PAMT")
    summary = report.collect(result(console=console, stats=STATS | {"pamt_pairs": 3}), "series", "7.2.12")
    assert summary["failed"] == []
    assert (summary["pamt_kb"], summary["pamt_state_kb"], summary["pamt_pairs_kb"]) == (44, 2, 24)
    assert "44 KB with the bitmap, 2 KB of state, 24 KB in 3 pairs" in "\n".join(report.lines(summary))


@pytest.mark.parametrize("change, word", [
    ({"timed_out": True}, "did not power off"),
    ({"status": 1, "stderr": "softseam: broken"}, "softseam: broken"),
    ({"console": CONSOLE.replace("TDX-Module initialized", "")}, "did not initialise"),
    ({"console": CONSOLE + "WARNING: CPU: 0 PID: 1 at tdx.c\n"}, "complained"),
    ({"console": CONSOLE + "BUG: sleeping function called\n"}, "complained"),
    ({"steps": ()}, "did not reach user space"),
    ({"steps": (STEPS[0], STEPS[1] | {"ok": False, "errno": 22}, STEPS[2])}, "kvm_intel did not load"),
    ({"steps": (STEPS[0], STEPS[1], STEPS[2] | {"kvm_vm_types": 1})}, "offers no TDX VMs"),
    ({"steps": (STEPS[0], STEPS[1], STEPS[2] | {"ok": False, "errno": 12})}, "could not be created"),
    ({"stats": STATS | {"violations": 2}}, "2 violations"),
])
def test_each_step_must_hold(result, change, word):
    assert any(word in text for text in failures(result(**change)))


def test_report_is_whole_or_not_there(result, tmp_path):
    report.write(report.collect(result(), "series", "7.2.12"), tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text())["base"] == "series"
    assert not (tmp_path / "report.new").exists()
