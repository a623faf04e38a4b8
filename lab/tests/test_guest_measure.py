# SPDX-License-Identifier: GPL-2.0-only
"""MRTD from a firmware file, RTMRs from an event log, and TDREPORTs, on what is made by hand."""
import hashlib
import struct

import pytest

from lab.guest import eventlog, tdreport, tdvf
from lab.say import LabError
from lab.tests import guest_fake as fake


def add(gpa):
    return b"MEM.PAGE.ADD\0\0\0\0" + gpa.to_bytes(8, "little") + bytes(104)


def extend(gpa, data):
    return b"MR.EXTEND\0\0\0\0\0\0\0" + gpa.to_bytes(8, "little") + bytes(104) + data


def test_mrtd_of_a_page_that_is_not_measured():
    image = fake.firmware([(0x800000, 1, 3, 0)])
    assert tdvf.mrtd(tdvf.sections(image)) == hashlib.sha384(add(0x800000)).digest()


def test_mrtd_is_made_page_by_page_in_the_order_of_the_sections():
    image = fake.firmware([(0xfffff000, 1, 0, 1), (0x800000, 2, 3, 0), (0xffffd000, 1, 1, 0)])
    expected = add(0xfffff000)
    for at in range(0, 4096, 256):
        expected += extend(0xfffff000 + at, bytes(range(256)))
    expected += add(0x800000) + add(0x801000) + add(0xffffd000)
    assert tdvf.mrtd(tdvf.sections(image)) == hashlib.sha384(expected).digest()


def test_mrtd_of_two_measured_pages_adds_the_second_after_the_first_was_extended():
    image = fake.firmware([(0, 2, 0, 1)])
    expected = b"".join(add(page) + b"".join(extend(page + at, bytes(range(256))) for at in range(0, 4096, 256))
                        for page in (0, 4096))
    assert tdvf.mrtd(tdvf.sections(image)) == hashlib.sha384(expected).digest()


def test_mrtd_tells_contents_and_addresses_apart():
    one, other = ([(gpa, 1, 0, 1)] for gpa in (0, 4096))
    image = fake.firmware(one)
    values = {tdvf.mrtd(tdvf.sections(each)) for each in (image, b"\1" + image[1:], fake.firmware(other))}
    assert len(values) == 3


def broken(change):
    image = bytearray(fake.firmware([(0, 1, 0, 1)]))
    change(image)
    return bytes(image)


def put(at, layout, *values):
    return lambda image: struct.pack_into(layout, image, at if at >= 0 else len(image) + at, *values)


@pytest.mark.parametrize("image, words", [
    (b"", "no TDX metadata"),
    (bytes(4096), "no TDX metadata"),
    (broken(put(-48, "<16s", b"")), "no TDX metadata"),
    (broken(put(-98, "<I", 1 << 20)), "no TDX metadata"),
    (broken(put(4096, "<4s", b"TDXX")), "broken"),
    (broken(put(4096 + 12, "<I", 99)), "broken"),
    (broken(put(4096 + 16 + 4, "<I", 1 << 20)), "broken"),
    (broken(put(4096 + 16 + 8, "<Q", 3)), "broken"),
])
def test_firmware_that_is_none(image, words):
    with pytest.raises(LabError, match=f"GUEST_FIRMWARE=x.*{words}") as error:
        tdvf.sections(image, "GUEST_FIRMWARE=x")
    assert "\n" not in str(error.value)


def test_the_places_that_the_test_above_breaks_are_those_that_count():
    image = fake.firmware([(0, 1, 0, 1)])
    assert image[4096:4100] == b"TDVF"
    assert struct.unpack_from("<I", image, len(image) - 98)[0] == tdvf.metadata_offset(image)


LOG = fake.spec_event() + fake.event(1, 0x80000008, b"firmware") + fake.event(2, 4, b"\0\0\0\0") + fake.event(1, 5, b"boot")


def test_rtmrs_of_a_log():
    events = eventlog.parse(LOG + b"\xff" * 64)
    zero = bytes(48)
    first = hashlib.sha384(zero + hashlib.sha384(b"firmware").digest()).digest()
    both = hashlib.sha384(first + hashlib.sha384(b"boot").digest()).digest()
    other = hashlib.sha384(zero + hashlib.sha384(b"\0\0\0\0").digest()).digest()
    assert eventlog.rtmrs(events) == (both, other, zero, zero)
    assert [event.register for event in events] == [1, 2, 1]


def test_what_only_informs_is_not_measured():
    events = eventlog.parse(LOG + fake.event(1, 3, b"no action") + fake.event(0, 5, b"MRTD"))
    assert eventlog.rtmrs(events) == eventlog.rtmrs(eventlog.parse(LOG)) and len(events) == 5


def test_other_digests_are_left_alone():
    log = fake.spec_event(((0xb, 32), (0xc, 48))) + fake.event(4, 5, b"both", (0xb, 0xc))
    value = hashlib.sha384(bytes(48) + hashlib.sha384(b"both").digest()).digest()
    assert eventlog.rtmrs(eventlog.parse(log + bytes(64)))[3] == value


@pytest.mark.parametrize("log", [
    b"", LOG[:20], LOG[:-1], LOG[:len(LOG) - 30], b"\0" + LOG[1:20] + LOG[40:], fake.event(1, 5, b"no head"),
    fake.spec_event() + fake.event(1, 5, b"sha256", (0xb,)),
])
def test_logs_that_are_none(log):
    with pytest.raises(ValueError):
        eventlog.parse(log)


def test_an_event_without_sha384_cannot_be_replayed():
    log = fake.spec_event(((0xb, 32),)) + fake.event(1, 5, b"short", (0xb,))
    with pytest.raises(ValueError, match="RTMR 0 has no SHA-384"):
        eventlog.rtmrs(eventlog.parse(log))


def test_report():
    rtmrs = tuple(bytes([nr]) * 48 for nr in range(4))
    told = tdreport.parse(fake.report(b"m" * 48, rtmrs, b"d" * 64))
    assert (told.mrtd, told.rtmrs, told.data, told.consistent) == (b"m" * 48, rtmrs, b"d" * 64, True)


def test_report_with_a_hash_that_does_not_fit():
    raw = bytearray(fake.report(b"m" * 48))
    raw[600] ^= 1
    assert not tdreport.parse(bytes(raw)).consistent


def test_half_a_report():
    with pytest.raises(ValueError, match="1024 bytes and this has 512"):
        tdreport.parse(bytes(512))
