# SPDX-License-Identifier: GPL-2.0-only
"""Firmware, event logs and reports made by hand for the tests, with nothing of the code under test."""
import hashlib
import struct
import uuid

PAGE = bytes(range(256)) * 16


def guid(text):
    return uuid.UUID(text).bytes_le


def firmware(sections):
    """A firmware file with pages PAGE for (gpa, pages, kind, attributes), and its table of GUIDs at the end."""
    body, rows = b"", []
    for gpa, pages, kind, attributes in sections:
        raw = pages if kind in (0, 1) else 0
        rows.append(struct.pack("<IIQQII", len(body) if raw else 0, raw * 4096, gpa, pages * 4096, kind, attributes))
        body += PAGE * raw
    table = b"TDVF" + struct.pack("<III", 16 + 32 * len(rows), 1, len(rows)) + b"".join(rows)
    # Entries of the GUID table are read from its end: data, length, GUID.
    head = struct.pack("<IH", 0, 22) + guid("e47a6535-984a-4798-865e-4685a7bf8ec2")
    other = b"\xaa" * 8 + struct.pack("<H", 26) + guid("00f771de-1a7e-4fcb-890e-68c77e2fb44e")
    entries = head + other
    foot = struct.pack("<H", len(entries) + 18) + guid("96b582de-1fb2-45f7-baea-a366c55a082d")
    behind = entries + foot + bytes(32)
    offset = len(table) + len(behind)
    return body + table + struct.pack("<I", offset) + behind[4:]


def spec_event(algorithms=((0xc, 48),)):
    """The event that a log begins with."""
    data = b"Spec ID Event03\0" + struct.pack("<IBBBBI", 0, 0, 2, 0, 2, len(algorithms))
    data += b"".join(struct.pack("<HH", *each) for each in algorithms) + b"\0"
    return struct.pack("<II20sI", 0, 3, b"", len(data)) + data


def event(register, kind, text, algorithms=(0xc,)):
    """An event whose digests are those of its text."""
    digests = {0xc: hashlib.sha384, 0xb: hashlib.sha256}
    out = struct.pack("<III", register, kind, len(algorithms))
    for algorithm in algorithms:
        out += struct.pack("<H", algorithm) + digests[algorithm](text).digest()
    return out + struct.pack("<I", len(text)) + text


def report(mrtd=b"", rtmrs=(), data=b""):
    """A TDREPORT with these measurements."""
    info = bytes(16) + mrtd.ljust(48, b"\0") + bytes(3 * 48) + b"".join(rtmrs).ljust(4 * 48, b"\0")
    info = info.ljust(512, b"\0")
    head = bytes(80) + hashlib.sha384(info).digest() + data.ljust(64, b"\0")
    return head.ljust(512, b"\0") + info
