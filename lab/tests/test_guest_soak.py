# SPDX-License-Identifier: GPL-2.0-only
"""Linux TDs in a row and in pairs on a machine that is loaded: what goes wrong once in many boots."""
import multiprocessing
import os
import random
import shutil
import time

import pytest

from lab.guest.options import Options
from lab.tests.guest_host import assert_well, td

# 13 hosts with 8 TDs each make 104 boots with one vCPU, 104 with two, and 52 pairs.
HOSTS, TDS = 13, 8
MEMORY_MB = 256


def burn():
    """Busy for some time, idle for some, of no use and at no fixed pace."""
    os.nice(10)
    while True:
        until = time.monotonic() + random.uniform(0.002, 0.05)
        while time.monotonic() < until:
            pass
        time.sleep(random.uniform(0, 0.05))


@pytest.fixture(scope="module", autouse=True)
def load():
    """One process for each processor, so that CPUs of the TDX host are preempted and moved wherever they are."""
    burners = [multiprocessing.Process(target=burn, daemon=True) for _ in range(os.cpu_count())]
    for each in burners:
        each.start()
    yield
    for each in burners:
        each.terminate()


def soak(name, **wanted):
    report, folder = td(f"soak/{name}", Options(tds=TDS, memory_mb=MEMORY_MB, **wanted))
    assert_well(report, TDS)
    assert all(guest["mrtd_ok"] and guest["rtmr_ok"] for guest in report["guests"])
    # Of what went well nobody wants to read some gigabytes of trace.
    shutil.rmtree(folder)
    return report["guests"]


@pytest.mark.parametrize("vcpus", [1, 2])
@pytest.mark.parametrize("nr", range(HOSTS))
def test_in_a_row(nr, vcpus):
    guests = soak(f"{vcpus}-{nr}", vcpus=vcpus, at_once=1)
    assert all(guest["cpus_seen"] == vcpus for guest in guests)


@pytest.mark.parametrize("nr", range(HOSTS))
def test_in_pairs(nr):
    soak(f"pairs-{nr}", vcpus=1 + nr % 2, at_once=2)
