# SPDX-License-Identifier: GPL-2.0-only
"""make td: Debian's QEMU, firmware and Linux as a TD on softseam, and what it says of itself."""
import re

import pytest

from lab import browser
from lab.guest import explained, judge
from lab.tests.guest_host import assert_well, td


@pytest.fixture(scope="session")
def ran():
    """One run without options."""
    return td("plain")


@pytest.fixture
def guest(ran):
    return ran[0]["guests"][0]


def test_all_is_well(ran):
    assert_well(ran[0])


def test_firmware_and_linux_to_the_shell(guest):
    assert guest["detected"] and guest["shell"] and guest["cpus_seen"] == guest["vcpus"] == 1
    assert 0 < guest["memory_kb_seen"] < guest["mb"] * 1024
    assert all(guest["seconds"][phase] > 0 for phase in ("build", "firmware", "kernel", "shell"))


def test_measurements_are_those_of_the_files(guest):
    assert guest["mrtd_ok"] and guest["rtmr_ok"]
    registers = {register for register, _ in guest["events"]}
    assert {0, 1} <= registers and len(guest["events"]) > 10
    assert len(set(guest["rtmrs"])) > 2, "some of the RTMRs must have been extended"


def test_disk_and_network(guest):
    assert guest["block_ok"] and guest["network_ok"]


def test_power_off(guest):
    assert guest["powered_off"] and guest["qemu_status"] == 0 and not guest["complaints"]


def test_log_of_the_guest_is_kept(ran):
    assert judge.KERNEL_SAYS_TDX in (ran[1] / "guest-0.log").read_text(errors="replace")


def test_log_of_the_guest_warns_of_nothing_new(ran):
    log = (ran[1] / "guest-0.log").read_text(errors="replace")
    assert "<4>[" in log, "the log must have levels"
    assert explained.unexplained(log) == []


def test_qemu_warns_of_what_the_list_has(ran):
    """doc/guest-cpuid.md says of each feature why a TD lacks it."""
    said = (ran[1] / "qemu-0.log").read_text()
    assert set(re.findall(r"requested feature: CPUID\[\S+\.(\S+) \[bit", said)) == {
        "pdcm", "movdiri", "xsavec", "xsaves"}
    assert all("requested feature" in text for text in said.splitlines())


def test_page(ran, tmp_path):
    dom = browser.dom(ran[1] / "report.html", tmp_path)
    assert 'data-ready="yes"' in dom and "data-error" not in dom
    assert "TDX host up, a stock guest ran as a TD, all is well" in dom
