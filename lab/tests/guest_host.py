# SPDX-License-Identifier: GPL-2.0-only
"""Runs of make td for the tests: real boots, and what their reports say."""
import contextlib
import json
import os

from lab import place
from lab.guest import options, run
from lab.say import LabError


@contextlib.contextmanager
def environment(**values):
    """The variables of make td as @values and nothing else say."""
    names = [name for name in os.environ if name.startswith("GUEST_")] + ["BASE", "LINUX", "LINUX_CONFIG", "DPAMT", "EXT", "MEM", "VCPUS"]
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            os.environ.pop(name, None)
        os.environ.update(kept)


def td(name, wanted=None, **values):
    """The report of make td with these options, and its folder; what went wrong is in the report."""
    folder = place.BUILD / "test/guest" / name
    with environment(**values):
        try:
            run.td(folder, wanted or options.read())
        except LabError:
            if not (folder / "report.json").exists():
                raise
    return json.loads((folder / "report.json").read_text()), folder


def assert_host_well(report):
    """Nothing to complain about in the host, and all that TDs had is back."""
    assert report["failed"] == []
    assert report["violations"] == report["leaked_pages"] == 0 and report["not_recoverable"] == {}
    assert report["keyids"]["in_use"] == 1


def assert_well(report, guests=1):
    """Nothing to complain about, in the host or in a TD."""
    assert_host_well(report)
    assert len(report["guests"]) == guests
