# SPDX-License-Identifier: GPL-2.0-only
"""A whole Debian on a disk image as a TD: through its own boot loader, with Secure Boot too, reached by ssh."""
import base64
import re
import socket
import threading
import time

from lab.guest import eventlog, image, judge, packages, tdvf
from lab.guest.options import SECURE_BOOT, Options
from lab.tests.guest_host import assert_well, td

# As long may it take until ssh answers, and it is asked anew when it did not within so many seconds.
UP_SECONDS, TRY_SECONDS = 1500, 120
MEASURED = "/sys/devices/virtual/misc/tdx_guest/measurements"
ASKED = {"state": "systemctl is-system-running --wait", "failed": "systemctl --failed --no-legend --plain",
         "dmesg": "dmesg", "mrtd": f"od -An -v -tx1 {MEASURED}/mrtd:sha384",
         "rtmrs": f"for nr in 0 1 2 3; do od -An -v -tx1 {MEASURED}/rtmr$nr:sha384; done",
         "log": "base64 /sys/firmware/acpi/tables/data/CCEL", "root": "findmnt -no SOURCE,FSTYPE /"}


class Visitor(threading.Thread):
    """Asks the TD all of ASKED by ssh as soon as it answers, then powers it off; @over tells that the TD is gone."""

    def __init__(self, disk, port):
        super().__init__()
        self.disk, self.port, self.over = disk, port, threading.Event()
        self.told, self.last = {}, None

    def run(self):
        end = time.monotonic() + UP_SECONDS
        while not self.over.is_set() and time.monotonic() < end:
            self.last = self.disk.ssh(self.port, "true", TRY_SECONDS)
            if self.last.returncode == 0:
                break
            self.over.wait(5)
        else:
            return
        for name, command in ASKED.items():
            self.told[name] = self.disk.ssh(self.port, command, TRY_SECONDS).stdout
        self.last = self.disk.ssh(self.port, "systemctl poweroff", TRY_SECONDS)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def visited(name, firmware=None):
    """What the report says of the TD, what it told by ssh, and its console."""
    disk, port = image.built(), free_port()
    visitor = Visitor(disk, port)
    visitor.start()
    try:
        report, folder = td(f"disk/{name}", Options(disk=disk.disk, memory_mb=1024, ssh=port, firmware=firmware))
    finally:
        visitor.over.set()
        visitor.join()
    assert visitor.told, f"no ssh: {visitor.last}; {report['failed']}"
    assert_well(report)
    return report["guests"][0], visitor.told, judge.log_of(folder, 0)


def digests(text):
    """The digests that od wrote, one after the other."""
    raw = bytes.fromhex(text)
    return [raw[at:at + 48] for at in range(0, len(raw), 48)]


def assert_up(told, console):
    """Debian is up with nothing to complain about, and a user could log in on the console."""
    assert (told["state"].strip(), told["failed"].strip()) == ("running", "")
    assert judge.KERNEL_SAYS_TDX in told["dmesg"]
    assert re.fullmatch(r"/dev/vda2\s+ext4\s*", told["root"])
    assert f"{image.ALIAS} login:" in console


def assert_measured(told, firmware):
    """MRTD is that of the file; RTMRs are those of the log, in which boot loaders and kernel are."""
    assert digests(told["mrtd"]) == [tdvf.mrtd_of(firmware)]
    events = eventlog.parse(base64.b64decode(told["log"]))
    # The kernel keeps MRTD and RTMRs as they were when it asked; the log ends with what the firmware knew.
    assert digests(told["rtmrs"]) == list(eventlog.rtmrs(events))
    assert "IPL" in {event.name for event in events if event.register == 3}, "what grub does is measured"


def test_debian_on_a_disk():
    guest, told, console = visited("plain")
    assert_up(told, console)
    assert_measured(told, packages.firmware())
    assert guest["qemu_status"] == 0 and guest["mrtd"] == digests(told["mrtd"])[0].hex()


def test_debian_on_a_disk_with_secure_boot():
    _, told, console = visited("secureboot", SECURE_BOOT)
    assert_up(told, console)
    assert_measured(told, packages.secure_firmware())
    assert "Secure boot enabled" in told["dmesg"]
