# SPDX-License-Identifier: GPL-2.0-only
"""The TDREPORT of a TD: what the module says that the TD is."""
import dataclasses
import hashlib

SIZE, DIGEST = 1024, 48
INFO_HASH, REPORT_DATA, INFO, MRTD, RTMRS = 80, 128, 512, 528, 720
DATA_SIZE = 64
NR_RTMRS = 4


@dataclasses.dataclass(frozen=True)
class Report:
    """Measurements, what the TD asked to be in its report, and whether the report's own hash fits."""
    mrtd: bytes
    rtmrs: tuple
    data: bytes
    consistent: bool


def parse(raw):
    """The parts of a TDREPORT; ValueError if it is none."""
    if len(raw) != SIZE:
        raise ValueError(f"a TDREPORT has {SIZE} bytes and this has {len(raw)}")
    rtmrs = tuple(raw[at:at + DIGEST] for at in range(RTMRS, RTMRS + NR_RTMRS * DIGEST, DIGEST))
    consistent = hashlib.sha384(raw[INFO:]).digest() == raw[INFO_HASH:INFO_HASH + DIGEST]
    return Report(raw[MRTD:MRTD + DIGEST], rtmrs, raw[REPORT_DATA:REPORT_DATA + DATA_SIZE], consistent)
