# SPDX-License-Identifier: GPL-2.0-only
"""TD firmware: where its file says that its parts belong, and what MRTD is once they are there."""
import dataclasses
import hashlib
import struct
import uuid

from lab.say import LabError

# The table of GUIDs ends at this distance from the end of the file, where the reset vector is.
RESET_BYTES = 32
TABLE = uuid.UUID("96b582de-1fb2-45f7-baea-a366c55a082d")
METADATA = uuid.UUID("e47a6535-984a-4798-865e-4685a7bf8ec2")
ENTRY_TAIL = struct.Struct("<H16s")
DESCRIPTOR = struct.Struct("<4sIII")
SECTION = struct.Struct("<IIQQII")
# Kinds of sections that come with contents, and the attribute of one that is measured.
BFV, CFV = 0, 1
MR_EXTEND = 1
PAGE, CHUNK, BLOCK = 4096, 256, 128


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of the TD's first memory; @data is what it holds at first."""
    gpa: int
    size: int
    kind: int
    measured: bool
    data: bytes = dataclasses.field(repr=False)


def metadata_offset(image):
    """How far from the end of the file the TDVF descriptor is; None if there is none."""
    end = len(image) - RESET_BYTES
    if end < ENTRY_TAIL.size or uuid.UUID(bytes_le=image[end - 16:end]) != TABLE:
        return None
    length, _ = ENTRY_TAIL.unpack_from(image, end - ENTRY_TAIL.size)
    start, at = max(end - length, 0), end - ENTRY_TAIL.size
    while at - ENTRY_TAIL.size >= start:
        size, guid = ENTRY_TAIL.unpack_from(image, at - ENTRY_TAIL.size)
        if not ENTRY_TAIL.size <= size <= at - start:
            return None
        if uuid.UUID(bytes_le=guid) == METADATA:
            return struct.unpack_from("<I", image, at - size)[0]
        at -= size
    return None


def sections(image, name="the firmware"):
    """All sections of a firmware file in order; LabError if it has no use as firmware of a TD."""
    offset = metadata_offset(image)
    if offset is None or not DESCRIPTOR.size <= offset <= len(image):
        raise LabError(f"{name} has no TDX metadata: firmware of a TD is a build of OVMF with TDX, such as OVMF.fd")
    start = len(image) - offset
    signature, length, _, count = DESCRIPTOR.unpack_from(image, start)
    if signature != b"TDVF" or length < DESCRIPTOR.size + count * SECTION.size or start + length > len(image):
        raise LabError(f"{name} has TDX metadata that is broken: its table of sections does not fit")
    found = []
    for nr in range(count):
        at, raw, gpa, size, kind, flags = SECTION.unpack_from(image, start + DESCRIPTOR.size + nr * SECTION.size)
        if gpa % PAGE or size % PAGE or raw > size or at + raw > len(image):
            raise LabError(f"{name} has TDX metadata that is broken: section {nr} is not made of pages of the file")
        data = image[at:at + raw] if kind in (BFV, CFV) else b""
        found.append(Section(gpa, size, kind, bool(flags & MR_EXTEND), data.ljust(size, b"\0")))
    return found


def block(name, gpa):
    """What a measurement begins with: the name of the operation and the address."""
    return name.ljust(16, b"\0") + struct.pack("<Q", gpa).ljust(BLOCK - 16, b"\0")


def mrtd(found):
    """MRTD of a TD with these sections, as KVM builds it: each page is added, then extended if it is measured."""
    digest = hashlib.sha384()
    for section in found:
        for page in range(0, section.size, PAGE):
            digest.update(block(b"MEM.PAGE.ADD", section.gpa + page))
            for chunk in range(page, page + PAGE if section.measured else page, CHUNK):
                digest.update(block(b"MR.EXTEND", section.gpa + chunk))
                digest.update(section.data[chunk:chunk + CHUNK])
    return digest.digest()


def mrtd_of(path, name=None):
    """MRTD of a TD with the firmware file @path, which messages call @name."""
    return mrtd(sections(path.read_bytes(), name or str(path)))
