# SPDX-License-Identifier: GPL-2.0-only
"""What make td makes of what a TD left behind, on files made by hand; and options that are of no use."""
import hashlib
import json

import pytest

from lab import kernel, place, trace
from lab.guest import explained, judge, machine, marks, options, text, tdvf
from lab.guest import run as guest_run
from lab.say import LabError
from lab.tests import guest_fake as fake

LOG = fake.spec_event() + fake.event(1, 5, b"boot")
RTMR = hashlib.sha384(bytes(48) + hashlib.sha384(b"boot").digest()).digest()
LIFE = marks.Life(created=10**9, entered=2 * 10**9, ended=20 * 10**9, nr=0, enters=7,
                  marks={"init": 12 * 10**9, "shell": 13 * 10**9, "off": 15 * 10**9})
ENDED = {"qemu": 0, "status": 0, "signal": 0}
STEPS = ("boot", "shell", "flags", "code", "report", "events", "disk", "net", "poweroff")


@pytest.fixture
def left(tmp_path):
    """left(...): what is judged of a TD that left all that it should, but for what is given."""
    image = fake.firmware([(0, 1, 0, 1)])
    (tmp_path / "fw.fd").write_bytes(image)

    def make(without=(), change=(), log=f"Linux version 7.2.12 (x)\n{judge.KERNEL_SAYS_TDX}\n", disk=True, back=True,
             life=LIFE, ended=ENDED, mrtd=None, rtmr=RTMR, data=judge.REPORT_DATA, wanted=options.Options()):
        machine.write_files(tmp_path, 0)
        report = fake.report(mrtd or tdvf.mrtd(tdvf.sections(image)), (rtmr,), data)
        more = {"boot": {"cpus": 1, "memory_kb": 400000, "since_start": 6.0}, "report": {"data": report.hex()},
                "events": {"data": (LOG + bytes(64)).hex()}}
        lines = [{"step": name, "ok": True, **more.get(name, {}), **dict(change).get(name, {})}
                 for name in STEPS if name not in without]
        (tmp_path / "guest-0.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        (tmp_path / "guest-0.log").write_text(log)
        if disk:
            path = tmp_path / "disk-0.img"
            half = path.read_bytes()[:machine.DISK_BYTES // 2]
            path.write_bytes(half + bytes(255 - byte for byte in half))
        if back:
            (tmp_path / "received-0").write_bytes((tmp_path / "tftp/sent").read_bytes())
        parts = machine.Parts(tmp_path / "fw.fd", tmp_path / "vmlinuz")
        guest = judge.collect(tmp_path, 0, parts, wanted, life, ended)
        return guest | {"wrong": judge.wrong_with(guest, wanted)}
    return make


def test_a_td_that_is_well(left):
    guest = left()
    assert guest["wrong"] is None
    assert guest["shell"] and guest["mrtd_ok"] and guest["rtmr_ok"] and guest["block_ok"] and guest["network_ok"]
    assert guest["seconds"] == {"build": 1, "firmware": 4, "kernel": 6, "shell": 1, "checks": 2, "end": 5}
    assert guest["release"] == "7.2.12" and guest["events"] == [[0, "action"]]
    row = list(text.lines([guest]))[1].split()
    assert row[:12] == ["0", "1", "512", "1.0", "5.0", "12.0", "ok", "ok", "1", "ok", "ok", "ok"]


def test_a_kernel_of_the_users_is_named_by_its_tree(left, tmp_path):
    guest = left(wanted=options.Options(linux=kernel.Kernel("own-1", tmp_path, ("guest",), called="../my linux")))
    assert list(text.lines([guest]))[1].endswith("fw.fd, 7.2.12 (../my linux)")


@pytest.mark.parametrize("change, words", [
    ({"life": None}, "QEMU never started it"),
    ({"without": STEPS}, "did not reach user space"),
    ({"change": {"boot": {"cpus": 2}}}, "saw 2 of 1 vCPUs"),
    ({"log": "Linux version 7.2.12\n"}, "did not find that it runs in a TD"),
    ({"change": {"shell": {"ok": False}}}, "shell did not answer"),
    ({"without": ("report",)}, "MRTD is not that of the firmware's file: no line about 'report'"),
    ({"mrtd": b"x" * 48}, "MRTD"),
    ({"data": b"old"}, "MRTD"),
    ({"change": {"report": {"data": "00"}}}, "a TDREPORT has 1024 bytes and this has 1"),
    ({"rtmr": b"x" * 48}, "RTMRs are not those of its event log"),
    ({"without": ("events",)}, "RTMRs"),
    ({"change": {"events": {"data": "0011"}}}, "RTMRs"),
    ({"disk": False}, "disk does not hold"),
    ({"change": {"disk": {"ok": False}}}, "disk does not hold"),
    ({"back": False}, "network did not bring back"),
    ({"without": ("net",)}, "network did not bring back"),
    ({"without": ("poweroff",)}, "did not end with poweroff: the last that it told of was 'net'"),
    ({"ended": {"status": 1, "signal": 0}}, "QEMU ended with status 1"),
    ({"ended": {"status": -1, "signal": 6}}, "QEMU ended with signal 6"),
    ({"ended": {}}, "QEMU ended with no word of it"),
    ({"log": f"{judge.KERNEL_SAYS_TDX}\nWARNING: CPU: 0 at x.c\n"}, "its kernel complained"),
])
def test_each_check_can_fail(left, change, words):
    assert words in left(**change)["wrong"]


def test_a_step_that_failed_is_named(left):
    assert left(change={"poweroff": {"ok": False}})["wrong"] == "its step poweroff failed"


CALLS = """\
[    1.000000000] cpu0 TDH.MNG.CREATE page=0x1000 hkid=0x21 -> TDX_SUCCESS 10ns
[    2.000000000] cpu0 TDH.MNG.CREATE page=0x2000 hkid=0x22 -> TDX_SUCCESS 10ns
[    3.000000000] cpu0 TDH.MNG.CREATE page=0x3000 hkid=0x23 -> TDX_SUCCESS 10ns
[    4.000000000] cpu0 TDH.VP.CREATE page=0x12000 tdr=0x2000 -> TDX_SUCCESS 10ns
[    4.100000000] cpu0 TDH.VP.CREATE page=0x13000 tdr=0x3000 -> TDX_SUCCESS 10ns
[    5.000000010] cpu0 TDH.VP.ENTER tdvpr=0x12000 -> TDX_SUCCESS|0x4d exit=TDCALL vmcall=CPUID r12=0x4f5ea011 10ns
[    6.000000010] cpu1 TDH.VP.ENTER tdvpr=0x13000 -> TDX_SUCCESS|0x4d exit=TDCALL vmcall=CPUID r12=0x4f5ea001 10ns
[    7.000000010] cpu1 TDH.VP.ENTER tdvpr=0x13000 -> TDX_SUCCESS|0x4d exit=TDCALL vmcall=CPUID r12=0x4f5ea002 10ns
[    8.000000010] cpu1 TDH.VP.ENTER tdvpr=0x13000 -> TDX_NON_RECOVERABLE_VCPU|0x2 exit=TRIPLE_FAULT 10ns
"""


def test_warnings_of_a_kernel():
    log = ("noise\n<4>[    1.500000] something new\n[    1.600000] <4> in the text\n"
           "<4>[   17.000000] software IO TLB: Memory encryption is active and system is using DMA bounce buffers\n")
    assert explained.unexplained(log) == ["something new"]


def test_marks_of_a_trace(tmp_path):
    """The first TD was only made, and the others' marks say which is which."""
    path = tmp_path / "trace.txt"
    path.write_text(CALLS)
    lives, broken = marks.Lives(), trace.Broken()
    assert len(list(lives.watch(broken.watch(trace.read(path))))) == len(CALLS.splitlines())
    found = lives.of_guests(2)
    assert (found[0].created, found[0].entered, found[0].enters) == (3 * 10**9, 6 * 10**9, 3)
    assert found[0].marks == {"init": 6 * 10**9 + 10, "shell": 7 * 10**9 + 10}
    assert found[1].created == 2 * 10**9 and found[1].nr == 1
    assert broken.statuses == {"TDX_NON_RECOVERABLE_VCPU": 1}


def test_tds_without_marks_are_told_by_their_order(tmp_path):
    path = tmp_path / "trace.txt"
    path.write_text(CALLS.replace("0x4f5ea", "0x40000"))
    lives = marks.Lives()
    list(lives.watch(trace.read(path)))
    found = lives.of_guests(3)
    assert [found[nr].created if found[nr] else None for nr in range(3)] == [2 * 10**9, 3 * 10**9, None]


def given(monkeypatch, **values):
    for name in [*options.NAMES, "GUEST_LINUX", "GUEST_LINUX_CONFIG", "GUEST_VCPUS", "GUEST_MEM", "GUEST_TDS", "GUEST_APPEND", "GUEST_QEMU", "GUEST_SSH", "MEM"]:
        monkeypatch.delenv(name, raising=False)
    for name, value in values.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("values, words", [
    ({"GUEST_VCPUS": "0"}, "GUEST_VCPUS=0: must be a number from 1 to"),
    ({"GUEST_VCPUS": "two"}, "GUEST_VCPUS=two: must be a number"),
    ({"GUEST_MEM": "64"}, "GUEST_MEM=64: must be a number from 256 to"),
    ({"GUEST_TDS": "9"}, "GUEST_TDS=9"),
    ({"GUEST_KERNEL": "/no/such"}, "GUEST_KERNEL=/no/such: there is no such file"),
    ({"GUEST_DISK": "/no/such"}, "GUEST_DISK=/no/such: there is no such file"),
    ({"GUEST_QEMU": "-device 'x"}, "GUEST_QEMU=-device 'x: No closing quotation"),
    ({"GUEST_APPEND": "a\nb"}, "GUEST_APPEND: must be one line"),
    ({"GUEST_SSH": "70000"}, "GUEST_SSH=70000"),
    ({"GUEST_SSH": "2200", "GUEST_TDS": "2"}, "one TD only can have the port"),
])
def test_options_of_no_use(monkeypatch, values, words):
    given(monkeypatch, **values)
    with pytest.raises(LabError) as error:
        options.read()
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("files, values, words", [
    (("GUEST_INITRD",), {}, "GUEST_INITRD needs GUEST_KERNEL"),
    (("GUEST_DISK",), {"GUEST_APPEND": "quiet"}, "GUEST_APPEND has no effect"),
    (("GUEST_FIRMWARE",), {}, "GUEST_FIRMWARE=.* has no TDX metadata"),
])
def test_files_that_do_not_go_together(monkeypatch, tmp_path, files, values, words):
    monkeypatch.setattr(place, "GIVEN", tmp_path)
    for name in files:
        (tmp_path / name).write_bytes(b"x" * 4096)
    given(monkeypatch, **{name: "/home/x/file" for name in files}, **values)
    with pytest.raises(LabError, match=words):
        options.read()


def test_an_empty_file_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(place, "GIVEN", tmp_path)
    (tmp_path / "GUEST_KERNEL").touch()
    given(monkeypatch, GUEST_KERNEL="/home/x/vmlinuz")
    with pytest.raises(LabError, match="GUEST_KERNEL=/home/x/vmlinuz: the file is empty"):
        options.read()


def test_a_host_too_small_for_its_tds_is_refused_beforehand(monkeypatch):
    given(monkeypatch, MEM="1024")
    with pytest.raises(LabError, match="MEM=1024: 2 TDs of 512 MB need a host with MEM=2176 at least"):
        guest_run.host_memory_mb(options.Options(tds=2))
    given(monkeypatch)
    assert guest_run.host_memory_mb(options.Options(tds=2)) == 2560
