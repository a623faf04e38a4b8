# SPDX-License-Identifier: GPL-2.0-only
"""The command line of the QEMU that runs a TD on the TDX host, and the files that it works on."""
import dataclasses
import hashlib
from pathlib import Path

from lab.guest import disk as disks, packages
from lab.guest.options import SECURE_BOOT

# The folder of the run, as QEMU on the TDX host sees it.
WORK = "/mnt"
DISK_BYTES = 2 << 20
SENT_BYTES = 96 << 10
SEED = b"softseam"
# Where the TD sends what it fetched.
ECHO = "10.0.2.100:7"


@dataclasses.dataclass(frozen=True)
class Parts:
    """What a TD is made of; @kernel and @initrd are None if it boots from @disk, which has the form @form."""
    firmware: Path
    kernel: Path = None
    initrd: Path = None
    disk: Path = None
    form: disks.Form = None


def pattern(size, seed=SEED):
    """@size bytes that look like noise and are always the same."""
    return hashlib.shake_128(seed).digest(size)


def write_files(folder, nr):
    """The disk of TD @nr, its first half full, and the file that it fetches."""
    half = pattern(DISK_BYTES // 2, SEED + bytes([nr]))
    (folder / f"disk-{nr}.img").write_bytes(half + bytes(DISK_BYTES // 2))
    (folder / "tftp").mkdir(exist_ok=True)
    (folder / "tftp/sent").write_bytes(pattern(SENT_BYTES))
    for name in (f"guest-{nr}.jsonl", f"guest-{nr}.log", f"qemu-{nr}.log", f"received-{nr}"):
        (folder / name).write_bytes(b"")


def wrote_disk(folder, nr):
    """Whether TD @nr left on its disk what it should."""
    half = pattern(DISK_BYTES // 2, SEED + bytes([nr]))
    return (folder / f"disk-{nr}.img").read_bytes() == half + bytes(byte ^ 0xff for byte in half)


def sent_back(folder, nr):
    """Whether TD @nr sent back the file that it fetched."""
    return (folder / f"received-{nr}").read_bytes() == pattern(SENT_BYTES)


def boot_words(nr, parts, options, console):
    """How QEMU hands the kernel to the firmware; nothing if the TD boots from its disk."""
    if not parts.kernel:
        return []
    quiet = [] if console else ["quiet"]
    plan = [f"td={'prompt' if console else options.steps}", f"td_nr={nr}"] if options.ours else []
    words = [f"console={'ttyS0' if options.disk else 'hvc0'}", *quiet, *plan, *options.append.split()]
    initrd = ["-initrd", str(parts.initrd)] if parts.initrd else []
    return ["-kernel", str(parts.kernel), *initrd, "-append", " ".join(words)]


def console_words(nr, options, interactive):
    """The TD's console: a file, or the one of the host with QEMU's monitor behind Ctrl-A C.

    What boots from a disk has a serial port, as disk images are made for machines with one.
    """
    chardev = ("stdio,id=console,mux=on,signal=off" if interactive
               else f"file,id=console,path={WORK}/guest-{nr}.log")
    monitor = ["-mon", "chardev=console,mode=readline"] if interactive else ["-monitor", "none"]
    device = ["-serial", "chardev:console"] if options.disk else ["-device", "virtconsole,chardev=console"]
    return ["-chardev", chardev, *device, *monitor]


def network_words(nr, options, host_port=0):
    """A network of QEMU's own, where the TD finds a file and sends it back."""
    forward = f",hostfwd=tcp::{host_port}-:22" if host_port else ""
    return ["-chardev", f"file,id=echo,path={WORK}/received-{nr}",
            "-netdev", f"user,id=net,tftp={WORK}/tftp,guestfwd=tcp:{ECHO}-chardev:echo{forward}",
            "-device", "virtio-net-pci,netdev=net,romfile="]


def disk_words(nr, parts):
    """The user's disk, with every change in a file of the run; or the one that the lab looks at afterwards."""
    drive = (disks.words(parts.disk, parts.form.driver, disks.file_of(WORK, nr)) if parts.disk
             else f"format=raw,file={WORK}/disk-{nr}.img,file.locking=off")
    return ["-drive", f"if=none,id=disk,{drive}", "-device", "virtio-blk-pci,drive=disk,bootindex=1"]


def offer_words(parts, options):
    """Disks with the kernel and the initial RAM disk, for a TD that starts them once more itself."""
    for name in ("kernel", "initrd") if "kexec" in options.steps else ():
        yield from ("-drive", f"if=none,id={name},format=raw,readonly=on,file={getattr(parts, name)},file.locking=off",
                    "-device", f"virtio-blk-pci,drive={name}")


def command(nr, parts, options, interactive=False, host_port=0):
    """All words of the command line for TD @nr."""
    return ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-accel", "kvm", "-cpu", options.cpu, "-smp", str(options.vcpus), "-m", f"{options.memory_mb}M",
            "-object", "tdx-guest,id=tdx0",
            "-machine", "q35,confidential-guest-support=tdx0,kernel-irqchip=split",
            "-bios", str(parts.firmware), *boot_words(nr, parts, options, interactive),
            "-device", "virtio-serial-pci", *console_words(nr, options, interactive),
            "-chardev", f"file,id=lab,path={WORK}/guest-{nr}.jsonl",
            "-device", "virtserialport,chardev=lab,name=softseam.lab",
            *disk_words(nr, parts), *offer_words(parts, options), *network_words(nr, options, host_port), *options.qemu]


def parts(options, our_initrd):
    """Firmware, kernel and initial RAM disk: the user's, or Debian's with what @our_initrd makes."""
    firmware = options.firmware or packages.firmware()
    if firmware == SECURE_BOOT:
        firmware = packages.secure_firmware()
    form = disks.form_of(options.disk) if options.disk else None
    if options.from_disk:
        return Parts(firmware, disk=options.disk, form=form)
    kernel = options.kernel or packages.kernel()[0]
    return Parts(firmware, kernel, options.initrd or (our_initrd() if options.ours else None),
                 options.disk, form)
