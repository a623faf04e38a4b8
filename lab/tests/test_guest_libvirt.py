# SPDX-License-Identifier: GPL-2.0-only
"""Debian's libvirt has a TD as a domain: it starts, reboots, resets, shuts down and destroys it."""
import os
import xml.etree.ElementTree as ElementTree

import pytest

from lab import place
from lab.guest import judge, libvirt, machine, packages
from lab.say import LabError
from lab.tests.guest_host import assert_host_well, environment


def run(name, *verbs, steps=libvirt.STEPS):
    """What became of the domain, on a host that has nothing to complain about at the end."""
    with environment():
        ran = libvirt.run(verbs, place.BUILD / "test/guest/libvirt" / name, steps)
    assert ran.failed is None
    assert_host_well(ran.summary)
    return ran


@pytest.fixture(scope="module")
def ran():
    return run("reboot", "start", "reboot", "destroy")


def test_libvirt_finds_tdx(ran):
    found = ElementTree.fromstring(ran.text("domcapabilities"))
    assert found.find("features/tdx").get("supported") == "yes"
    types = found.findall("features/launchSecurity/enum[@name='sectype']/value")
    assert "tdx" in [value.text for value in types]


def test_domain_is_a_td_in_a_sandbox(ran):
    """QEMU is told to make a TD with the policy of the XML, and its system calls are filtered, as for every user."""
    words = (ran.folder / "td.argv").read_text()
    assert '"qom-type":"tdx-guest"' in words and "confidential-guest-support" in words
    assert "-sandbox\non," in words and ran.did("domain")[0]["filter"] == "2"


def test_reboot_builds_a_new_td_for_the_same_domain(ran):
    """Both boots are whole, each in a TD of its own with the same measurements."""
    assert [entry["state"] for entry in ran.did("domain")] == ["running", "running", "shut off"]
    assert len(ran.boots) == len(ran.lives) == 2
    assert all(life.marks.keys() >= {"init", "shell"} for life in ran.lives)
    for boot in ran.boots:
        assert all(entry["ok"] for entry in boot.values())
        assert boot.keys() >= {"boot", "shell", "report", "events", "disk", "waits"}
    first, second = (ran.measured(nr) for nr in (0, 1))
    assert first["mrtd_ok"] and first["rtmr_ok"] and second["mrtd_ok"] and second["rtmr_ok"]
    assert first["rtmrs"] == second["rtmrs"] and first["mrtd"] == second["mrtd"]


def test_reboot_is_the_power_button(ran):
    """The TD itself goes down in order before it comes up again; what destroys it asks nobody."""
    first, second = ran.boots
    assert "button" in first and "poweroff" in first
    assert "button" not in second and "poweroff" not in second


def test_log_and_disk(ran):
    log = judge.log_of(ran.folder, 0)
    assert judge.KERNEL_SAYS_TDX in log and not any(word in log for word in judge.COMPLAINTS)
    assert machine.wrote_disk(ran.folder, 0)


def test_reset_and_shutdown():
    """A reset asks nobody, either, and the TD that comes after it shuts down by itself."""
    ran = run("reset", "start", "reset", "shutdown")
    first, second = ran.boots
    assert "button" not in first and "poweroff" in second
    assert len(ran.lives) == 2
    assert [entry["state"] for entry in ran.did("domain")] == ["running", "running", "shut off"]


def test_td_reboots_itself():
    """What the TD asks for by itself, as a user in it would, is a new TD in the same QEMU."""
    ran = run("itself", "start", "press", "destroy", steps=f"{libvirt.STEPS},reboot")
    first, second = ran.boots
    assert "reboot" in first and "waits" in second
    assert len(ran.lives) == 2
    assert len({entry["pid"] for entry in ran.did("domain")[:2]}) == 1


def fake_mmdebstrap(folder, script):
    """A folder for PATH with an mmdebstrap of ours; $new is the root that it is to make."""
    path = folder / "bin/mmdebstrap"
    path.parent.mkdir()
    path.write_text(f'#!/bin/bash\nnew="${{@: -2:1}}"\n{script}\n')
    path.chmod(0o755)
    return f"{path.parent}:{os.environ['PATH']}"


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setattr(packages, "FOLDER", tmp_path / "guest")
    return tmp_path / "guest"


def test_step_that_failed_is_told_with_its_reason(tmp_path):
    (tmp_path / "start.err").write_text("error: no TDX here\n")
    said = [{"libvirt": "define", "status": 0}, {"libvirt": "start", "status": 1}]
    assert libvirt.Ran(tmp_path, None, said, [], [], {}).failed == "start: error: no TDX here"
    assert "end" in libvirt.Ran(tmp_path, None, said[:1], [], [], {}).failed
    assert libvirt.Ran(tmp_path, None, [{"libvirt": "undefine", "status": 0}], [], [], {}).failed is None


def test_lines_before_the_first_boot_belong_to_none():
    steps = [{"step": name} for name in ("module", "boot", "shell", "boot")]
    assert [list(boot) for boot in libvirt.boots_of(steps)] == [["boot", "shell"], ["boot"]]


def test_root_that_cannot_be_made_is_told_in_a_line(monkeypatch, tmp_path, cache):
    """Nothing of it is left, neither is what a run before it left."""
    script = 'mkdir "$new"; echo "I: fine"; echo "E: no archive" >&2; exit 25'
    monkeypatch.setenv("PATH", fake_mmdebstrap(tmp_path, script))
    for _ in range(2):
        with pytest.raises(LabError, match="^guest: cannot make a root with libvirt: E: no archive; check [^\n]*$"):
            libvirt.root()
        assert [path.name for path in cache.iterdir() if not path.name.startswith(".")] == []
        next(cache.glob(".*.lock")).with_name(f"{libvirt.root_name()}.new").mkdir()


def test_root_is_made_once(monkeypatch, tmp_path, cache):
    status = "Package: libvirt-daemon\\nStatus: installed\\nVersion: 1.2-3\\n\\n"
    script = f'mkdir -p "$new/var/lib/dpkg"; printf "{status}" >"$new/var/lib/dpkg/status"; echo x >>{tmp_path}/made'
    monkeypatch.setenv("PATH", fake_mmdebstrap(tmp_path, script))
    made = libvirt.root()
    assert libvirt.root() == made and (tmp_path / "made").read_text() == "x\n"
    assert libvirt.version(made) == "libvirt 1.2-3, QEMU None"
    assert all((made / name).is_dir() for name in libvirt.PLACES)
