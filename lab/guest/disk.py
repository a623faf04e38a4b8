# SPDX-License-Identifier: GPL-2.0-only
"""The user's disk image: what form it has, and the file beside it that takes what a TD writes.

QEMU's own snapshot=on is of no use here: it locks its temporary file and removes it while it is open, and the TDX host
has neither locks nor, through 9p, files without a name.
"""
import dataclasses
import struct

from lab import place
from lab.say import LabError

QCOW2 = b"QFI\xfb"
# magic, version, offset and length of the name of the file below, cluster bits, size, encryption
QCOW2_START = struct.Struct(">4sIQIIQI")
# the same, then L1 table, refcount table, snapshots, feature bits, width of refcounts, length of the header
QCOW2_HEADER = struct.Struct(">4sIQIIQI" "IQ" "QI" "IQ" "QQQ" "II")
CLUSTER_BITS = 16
CLUSTER = 1 << CLUSTER_BITS
SECTOR = 512
# What no boot loader is in, by how the file begins; the last word is what to do about it.
CONVERT, UNPACK = "make it raw or qcow2 with qemu-img convert", "unpack it first"
OTHERS = ((b"KDMV", "a VMDK image", CONVERT), (b"# Disk DescriptorFile", "a VMDK image", CONVERT),
          (b"vhdxfile", "a VHDX image", CONVERT), (b"conectix", "a VHD image", CONVERT),
          (b"<<< ", "a VDI image", CONVERT), (b"QED\0", "a QED image", CONVERT),
          (b"\x1f\x8b", "compressed with gzip", UNPACK), (b"\xfd7zXZ\0", "compressed with xz", UNPACK),
          (b"\x28\xb5\x2f\xfd", "compressed with zstd", UNPACK), (b"BZh", "compressed with bzip2", UNPACK),
          (b"PK\3\4", "a zip archive", UNPACK))


@dataclasses.dataclass(frozen=True)
class Form:
    """QEMU's driver for an image, and how many bytes the disk has."""
    driver: str
    size: int


def form_of(path, name=None):
    """What the image @path is, which messages call @name; LabError if a TD cannot have it as its disk."""
    name = name or place.shown(path)
    with path.open("rb") as file:
        start = file.read(4096)
    for magic, what, remedy in OTHERS:
        if start.startswith(magic):
            raise LabError(f"{name} is {what}: {remedy}")
    if not start.startswith(QCOW2):
        return Form("raw", -(-path.stat().st_size // SECTOR) * SECTOR)
    if len(start) < QCOW2_START.size:
        raise LabError(f"{name} is a qcow2 image that is cut short")
    _, _, below_at, below_len, _, size, encryption = QCOW2_START.unpack_from(start)
    if encryption:
        raise LabError(f"{name} is an encrypted qcow2 image: {CONVERT}")
    if below_at:
        below = start[below_at:below_at + below_len].decode(errors="replace")
        raise LabError(f"{name} is a qcow2 image that needs another, {below}: {CONVERT}")
    return Form("qcow2", size)


def overlay(size):
    """An empty qcow2 image of @size bytes: a header, a table with one block of refcounts, and an L1 table."""
    entries = -(-size // (CLUSTER * CLUSTER // 8))
    clusters = 3 + -(-entries * 8 // CLUSTER)
    header = QCOW2_HEADER.pack(QCOW2, 3, 0, 0, CLUSTER_BITS, size, 0, entries, 3 * CLUSTER, CLUSTER, 1, 0, 0,
                               0, 0, 0, 4, QCOW2_HEADER.size)
    table, block = struct.pack(">Q", 2 * CLUSTER), struct.pack(">H", 1) * clusters
    return b"".join(part.ljust(CLUSTER, b"\0") for part in (header, table, block)) + bytes((clusters - 3) * CLUSTER)


def words(path, driver, changes):
    """QEMU's drive with the image @path, which is only read, below the overlay @changes."""
    return (f"driver=qcow2,file.filename={changes},file.locking=off,"
            f"backing.driver={driver},backing.file.filename={path},backing.file.locking=off,backing.read-only=on")


def file_of(folder, nr):
    """The file in @folder that takes what TD @nr writes to its disk."""
    return f"{folder}/disk-{nr}.qcow2"
