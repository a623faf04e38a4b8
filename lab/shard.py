# SPDX-License-Identifier: GPL-2.0-only
"""SHARD=i/n: long work in parts, so that several machines can share it."""
import os
import re

from lab.say import LabError


def wanted():
    """(i, n) of SHARD=i/n; all by default."""
    text = os.environ.get("SHARD") or "1/1"
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    index, count = map(int, match.groups()) if match else (0, 0)
    if not 1 <= index <= count:
        raise LabError(f"SHARD={text}: must be i/n with i from 1 to n, e.g. 1/4")
    return index, count


def spread(items, index, count):
    """Part @index of @count, from 1: neighbours go to different parts, so that each takes as long."""
    return items[index - 1::count]


def stretch(items, index, count):
    """Part @index of @count, from 1: neighbours stay together, as one builds on the other."""
    return items[len(items) * (index - 1) // count:len(items) * index // count]
