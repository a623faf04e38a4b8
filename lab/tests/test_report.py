# SPDX-License-Identifier: GPL-2.0-only
"""The report says what happened, and a step that did not hold fails the run."""
import json

import pytest

from lab import qemu, report, report_page, report_text, trace

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
         "pages_owned": 0, "ext_pool_pages": 0, "pamt_pairs": 0, "keyids": {"total": 32, "in_use": 1},
         "leaves": {"TDH.SYS.INIT": {"calls": 1, "errors": 0, "injected": 0, "ns": 1500}}}


# The module has three pairs when it is initialised.
PAIRS_OF_MODULE = "".join(f"[    1.00000000{nr}] cpu0 TDH.PHYMEM.PAMT.ADD region=0x{nr}00001 -> TDX_SUCCESS 5ns\n"
                          for nr in (2, 4, 6)) + "[    2.000000000] cpu1 TDH.EXT.INIT -> TDX_SUCCESS 7ns\n"
TD = {"td": 0, "ok": True, "vcpus": 2, "mem_mb": 16, "added_pages": 29, "measured_pages": 7, "accepted_pages": 3584,
      "converted_pages": 32, "mrtd": "dc4c", "mrtd_matches": True, "rtmr_matches": True,
      "seconds": {"build": 0.1, "run": 1.0, "destroy": 0.2}, "said": ["hello from vCPU 0\n", "hello from vCPU 1\n"],
      "error": None}


@pytest.fixture
def result(tmp_path):
    """result(console=, steps=, stats=, output=, calls=, **boot): what a boot left behind."""
    def make(console=CONSOLE, steps=tuple(STEPS), stats=STATS, output="", calls="", **boot):
        (tmp_path / "output.log").write_text(output)
        (tmp_path / "trace.txt").write_text(calls)
        (tmp_path / "console.log").write_text(console)
        (tmp_path / "agent.jsonl").write_text("".join(json.dumps(step) + "\n" for step in steps))
        (tmp_path / "stats.json").write_text(json.dumps({"module": stats}))
        return qemu.Boot(**{"folder": tmp_path, "seconds": 3.0, "status": 0, "timed_out": False,
                            "stderr": ""} | boot)
    return make


def counted(pairs, **others):
    """The kernel's counters as the host's last step prints them."""
    return "".join(f"{report.COUNTERS}/pamt/{name}:{value}\r\n" for name, value in {"pairs": pairs, **others}.items())


DYNAMIC = CONSOLE.replace("4204 KB allocated for PAMT", "44 KB allocated for PAMT\n"
                          "[    0.61] virt/tdx: 2 KB allocated to track Dynamic PAMT")


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
    text = "\n".join(report_text.lines(summary))
    for word in ("1.5.16", "32 is the global one", "4204 KB", "TDH.SYS.INIT", "7.2.12"):
        assert word in text


def test_dynamic_pamt(result):
    summary = report.collect(result(console=DYNAMIC, stats=STATS | {"pamt_pairs": 3}, calls=PAIRS_OF_MODULE,
                                    output=counted(3, stuck=0, leaked=0)), "series", "7.2.12")
    assert summary["failed"] == []
    assert (summary["pamt_kb"], summary["pamt_state_kb"], summary["pamt_pairs_kb"]) == (44, 2, 24)
    assert summary["pamt"] == {"static_kb": 4108, "dynamic_kb": 46, "measured": "dynamic"}
    text = "\n".join(report_text.lines(summary))
    assert "dynamic, 46 KB at boot; static PAMT would take 4108 KB, 89 times as much" in text
    assert "24 KB in 3 pairs at the end" in text


def test_static_pamt(result):
    summary = report.collect(result(console=CONSOLE.replace("4204", "4108")), "stock", "7.2.12")
    assert summary["pamt"] == {"static_kb": 4108, "dynamic_kb": 46, "measured": "static"}
    assert "static, 4108 KB at boot; Dynamic PAMT would take 46 KB, 1/89 of it" in "\n".join(report_text.lines(summary))


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
    ({"stats": STATS | {"pages_owned": 7}}, "7 pages are lost"),
    ({"stats": STATS | {"pages_owned": 12801, "ext_pool_pages": 12800}}, "1 pages are lost"),
    ({"stats": STATS | {"pamt_pairs": 4}, "calls": PAIRS_OF_MODULE}, "2 pages are lost"),
    ({"output": f"{report.COUNTERS}/pamt/leaked:1\r\n"}, "2 pages are lost"),
    ({"console": DYNAMIC}, "counters of Dynamic PAMT could not be read"),
    ({"console": DYNAMIC, "output": counted(1)}, "the kernel counts 1 PAMT pairs, the module 0"),
    ({"console": DYNAMIC, "output": counted(0, stuck=2)}, "2 PAMT pairs are stuck"),
    ({"stats": {}}, "violations and leaks are not known"),
    ({"stats": STATS | {"keyids": {"total": 32, "in_use": 3}}}, "2 KeyIDs of TDs are still in use"),
    ({"output": json.dumps(TD) + "\n"}, "1 of 0 TDs reported"),
    ({"output": json.dumps(TD | {"ok": False, "error": "no KeyID"}) + "\n"}, "TD 0: no KeyID"),
    ({"output": json.dumps(TD)[:-9] + "\n", "timed_out": True}, "did not power off"),
    ({"output": json.dumps(TD | {"mrtd_matches": False}) + "\n"}, "measurement"),
    ({"output": json.dumps(TD | {"said": ["hello\n", ""]}) + "\n"}, "its vCPU 1 said nothing"),
])
def test_each_step_must_hold(result, change, word):
    assert any(word in text for text in failures(result(**change)))


def test_report_is_whole_or_not_there(result, tmp_path):
    report.write_json(report.collect(result(), "series", "7.2.12"), tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text())["base"] == "series"
    assert not (tmp_path / "report.json.new").exists()


def test_host_that_never_came_up(result, tmp_path):
    """Nothing but a console: the run fails, and the report can still be made."""
    boot = result(console="", steps=())
    for name in ("stats.json", "output.log", "trace.txt"):
        (tmp_path / name).unlink()
    summary = report.collect(boot, "series", "7.2.12", 3)
    assert "did not reach user space" in summary["failed"][0]
    assert summary["violations"] is None and summary["leaked_pages"] is None
    assert "not known" in "\n".join(report_text.lines(summary))
    assert "NOT initialised" in "\n".join(report_text.lines(summary))
    assert json.loads(report_page.as_script(report_page.data(summary, tmp_path / "trace.txt")))["failed"]


def test_tds_in_the_table(result):
    summary = report.collect(result(output=json.dumps(TD) + "\n"), "series", "7.2.12", 1)
    assert summary["failed"] == []
    line = next(line for line in report_text.lines(summary) if "hello" in line)
    assert line.split()[:8] == ["0", "2", "16", "3584", "32", "ok", "ok", "1.3"]
    assert line.endswith("hello from vCPU 0 / hello from vCPU 1")


def test_longest_leaf_comes_first(result):
    leaf = STATS["leaves"]["TDH.SYS.INIT"]
    stats = STATS | {"leaves": {"TDH.SYS.INIT": leaf, "TDH.VP.ENTER": leaf | {"calls": 20, "ns": 10**9}}}
    text = list(report_text.lines(report.collect(result(stats=stats), "series", "7.2.12")))
    at = [nr for nr, line in enumerate(text) if "TDH." in line]
    assert "TDH.VP.ENTER" in text[at[0]] and "1000.00" in text[at[0]]
    assert text[at[-1] + 1].split()[:2] == ["all", "21"]


def test_files_that_were_cut_short(result, tmp_path):
    """A host that is stopped leaves half a line, or half a file: the report is made of the rest."""
    boot = result(output=json.dumps(TD) + "\n" + json.dumps(TD)[:40])
    (tmp_path / "stats.json").write_text('{"module": {"tdmrs"')
    summary = report.collect(boot, "series", "7.2.12", 2)
    assert len(summary["tds"]) == 1
    assert "1 of 2 TDs reported" in summary["failed"][0]
    assert "not known" in summary["failed"][1]


def test_guests_cannot_command_the_terminal(result):
    td = TD | {"said": ["\x1b[2Jred\x07\n", "\u202eabc"]}
    text = "\n".join(report_text.lines(report.collect(result(output=json.dumps(td) + "\n"), "series", "7.2.12", 1)))
    assert "?[2Jred? / ?abc" in text
    assert not [letter for letter in text if not letter.isprintable() and letter != "\n"]
