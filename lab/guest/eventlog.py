# SPDX-License-Identifier: GPL-2.0-only
"""The event log that TD firmware leaves (ACPI table CCEL), and the RTMRs that follow from it."""
import dataclasses
import hashlib
import struct

SHA384 = 0xc
NO_ACTION = 3
NR_RTMRS = 4
# The first event has the form of older logs and says which digests the others have.
FIRST = struct.Struct("<II20sI")
SPEC = struct.Struct("<16sIBBBBI")
SIGNATURE = b"Spec ID Event03\0"
# What the space behind the last event is filled with.
NOTHING = (0, 0xffffffff)
# Names for readers, of types that firmware and boot loaders use.
TYPES = {0x1: "post code", 0x4: "separator", 0x5: "action", 0xd: "IPL", 0x80000001: "variable",
         0x80000002: "boot variable", 0x80000003: "boot services application", 0x80000005: "boot services driver",
         0x80000006: "GPT", 0x80000007: "action", 0x80000008: "firmware blob", 0x80000009: "handoff tables",
         0x8000000a: "firmware blob", 0x8000000b: "handoff tables", 0x800000e0: "authority"}


@dataclasses.dataclass(frozen=True)
class Event:
    """@register is 0 for MRTD, 1 to 4 for RTMR 0 to 3; @sha384 is None if the event has no such digest."""
    register: int
    kind: int
    sha384: bytes
    data: bytes = dataclasses.field(repr=False)

    @property
    def name(self):
        return TYPES.get(self.kind, f"type {self.kind:#x}")


def take(log, at, layout):
    """Fields of @layout at @at, and what comes behind; ValueError at the end of the log."""
    if at + layout.size > len(log):
        raise ValueError(f"the event log is cut short at byte {at}")
    return layout.unpack_from(log, at), at + layout.size


def sizes_of_digests(log):
    """({algorithm: size of its digest}, where the next event starts)."""
    (_, kind, _, size), at = take(log, 0, FIRST)
    (signature, *_, count), behind = take(log, at, SPEC)
    if kind != NO_ACTION or signature != SIGNATURE:
        raise ValueError("the event log does not begin with the event that says its form")
    sizes = {}
    for _ in range(count):
        (algorithm, digest), behind = take(log, behind, struct.Struct("<HH"))
        sizes[algorithm] = digest
    if behind > at + size:
        raise ValueError("the first event is longer than it says")
    return sizes, at + size


def one_event(log, at, sizes):
    """(Event, where the next one starts)."""
    (register, kind, count), at = take(log, at, struct.Struct("<III"))
    found = {}
    for _ in range(count):
        (algorithm,), at = take(log, at, struct.Struct("<H"))
        if algorithm not in sizes:
            raise ValueError(f"the event log has a digest {algorithm:#x} that it did not announce")
        (found[algorithm],), at = take(log, at, struct.Struct(f"{sizes[algorithm]}s"))
    (length,), at = take(log, at, struct.Struct("<I"))
    (data,), at = take(log, at, struct.Struct(f"{length}s"))
    return Event(register, kind, found.get(SHA384), data), at


def parse(log):
    """All events of a log; ValueError if it is none."""
    sizes, at = sizes_of_digests(log)
    events = []
    while at + 8 <= len(log) and struct.unpack_from("<I", log, at)[0] != NOTHING[1] and any(log[at:at + 8]):
        event, at = one_event(log, at, sizes)
        events.append(event)
    return events


def rtmrs(events):
    """The four RTMRs after @events, from zeros."""
    values = [bytes(48)] * NR_RTMRS
    for event in events:
        if event.kind == NO_ACTION or not 1 <= event.register <= NR_RTMRS:
            continue
        if event.sha384 is None:
            raise ValueError(f"an event for RTMR {event.register - 1} has no SHA-384")
        values[event.register - 1] = hashlib.sha384(values[event.register - 1] + event.sha384).digest()
    return tuple(values)
