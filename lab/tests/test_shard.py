# SPDX-License-Identifier: GPL-2.0-only
"""SHARD=i/n: all parts together are the whole, and each thing is in one."""
import pytest

from lab import shard
from lab.say import LabError


@pytest.mark.parametrize("part", [shard.spread, shard.stretch])
@pytest.mark.parametrize("length", [0, 1, 6, 7, 8, 25])
def test_parts_are_the_whole_once(part, length):
    whole = list(range(length))
    parts = [part(whole, index, 7) for index in range(1, 8)]
    assert sorted(each for found in parts for each in found) == whole
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_who_is_together():
    assert shard.spread([1, 2, 3, 4], 1, 2) == [1, 3]
    assert shard.stretch([1, 2, 3, 4], 1, 2) == [1, 2]


def test_all_when_not_told(monkeypatch):
    monkeypatch.delenv("SHARD", raising=False)
    assert shard.wanted() == (1, 1)


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/0", "-1/2"])
def test_bad_shard(monkeypatch, text):
    monkeypatch.setenv("SHARD", text)
    with pytest.raises(LabError, match="must be i/n"):
        shard.wanted()
