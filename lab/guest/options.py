# SPDX-License-Identifier: GPL-2.0-only
"""What one asks for with GUEST_*: read and checked before anything is built."""
import dataclasses
import os
import shlex
from pathlib import Path

from lab import kernel as kernels
from lab import own, place, run
from lab.guest import disk, tdvf
from lab.say import LabError

# What stands for Debian's firmware that starts only what is signed.
SECURE_BOOT = "secureboot"
NAMES = ("GUEST_KERNEL", "GUEST_INITRD", "GUEST_FIRMWARE", "GUEST_DISK")
# Default and limits.
VCPUS = (1, 1, 16)
MEMORY_MB = (512, 256, 16384)
TDS = (1, 1, 4)
PORT = (0, 0, 65535)
# What our own initial RAM disk does in turn.
STEPS = "shell,flags,code,report,events,disk,net"


@dataclasses.dataclass(frozen=True)
class Options:
    """@kernel, @initrd, @firmware and @disk are None where the lab's own are wanted; @firmware may be SECURE_BOOT.

    @linux is what @kernel must be built from first, if anything.
    Only tests choose @steps, @cpu, @kill, which is when td_host kills QEMU, @ends, the last step of a TD, after
    which its QEMU ends, and @at_once, how many TDs run at a time if not all.
    """
    vcpus: int = VCPUS[0]
    memory_mb: int = MEMORY_MB[0]
    tds: int = TDS[0]
    kernel: Path = None
    initrd: Path = None
    firmware: Path = None
    disk: Path = None
    append: str = ""
    qemu: tuple = ()
    steps: str = STEPS
    ssh: int = 0
    kill: str = ""
    ends: str = "poweroff"
    cpu: str = "host"
    at_once: int = 0
    linux: kernels.Kernel = None

    @property
    def ours(self):
        """Whether the user space of the TDs is the lab's, which tells what it finds."""
        return not (self.disk or self.initrd)

    @property
    def from_disk(self):
        """Whether the TD boots from its disk alone."""
        return bool(self.disk) and not self.kernel


def file(name):
    """The path in the toolbox of the file that the variable @name names; None if it is not set."""
    given = os.environ.get(name)
    if not given:
        return None
    path = place.GIVEN / name
    if name == "GUEST_FIRMWARE" and given == SECURE_BOOT:
        return SECURE_BOOT
    # lab/inside leaves no file there for what it could not find.
    if not path.is_file():
        raise LabError(f"{name}={given}: there is no such file")
    if not path.stat().st_size:
        raise LabError(f"{name}={given}: the file is empty")
    return path


def words(name):
    try:
        return tuple(shlex.split(os.environ.get(name, "")))
    except ValueError as error:
        raise LabError(f"{name}={os.environ[name]}: {error}".replace("\n", " ")) from None


def line(name):
    text = os.environ.get(name, "")
    if not text.isprintable():
        raise LabError(f"{name}: must be one line of printable text")
    return text


def check(found):
    """Refuse what cannot work together."""
    if found.initrd and not found.kernel:
        raise LabError("GUEST_INITRD needs GUEST_KERNEL or GUEST_LINUX, the kernel that it is for")
    if found.append and found.from_disk:
        raise LabError("GUEST_APPEND has no effect with GUEST_DISK, whose boot loader has its own command line: "
                       "give GUEST_KERNEL or GUEST_LINUX too")
    if found.disk:
        disk.form_of(found.disk, f"GUEST_DISK={os.environ['GUEST_DISK']}")
    if found.ssh and found.tds > 1:
        raise LabError(f"GUEST_SSH={found.ssh} GUEST_TDS={found.tds}: one TD only can have the port")
    if found.firmware == SECURE_BOOT:
        if not found.from_disk:
            raise LabError(f"GUEST_FIRMWARE={SECURE_BOOT} starts no kernel that QEMU hands it: give GUEST_DISK "
                           "without GUEST_KERNEL and GUEST_LINUX")
    elif found.firmware:
        tdvf.mrtd_of(found.firmware, f"GUEST_FIRMWARE={os.environ['GUEST_FIRMWARE']}")


def read():
    """The options that the environment says; LabError names the first that is of no use."""
    found = Options(run.number("GUEST_VCPUS", *VCPUS), run.number("GUEST_MEM", *MEMORY_MB),
                    run.number("GUEST_TDS", *TDS), *(file(name) for name in NAMES),
                    append=line("GUEST_APPEND"), qemu=words("GUEST_QEMU"), ssh=run.number("GUEST_SSH", *PORT),
                    linux=own.guest())
    if found.linux:
        found = dataclasses.replace(found, kernel=found.linux.image)
    check(found)
    return found
