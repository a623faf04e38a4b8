# SPDX-License-Identifier: GPL-2.0-only
"""The long stress test of TDs: sizes to 512 MB, 8 at once, 200 lives, 1,000 conversions, 100 kills."""
import pytest

from lab import initramfs, kernel, place, qemu, selftests, softseam, trees
from lab.tests.test_td import results_of

PROGRAM = "tdx_stress_test+--full"
TIMEOUT = 1200


@pytest.mark.parametrize("base", ["stock", "series"])
def test_full_stress(base, tmp_path):
    softseam.build()
    programs = selftests.build(kernel.build(trees.kernel("series")))
    host = kernel.build(trees.kernel(base))
    machine = qemu.Machine(host.image, initramfs.build(host, programs), f"load:kvm-intel,run:{PROGRAM}", vcpus=4,
                           memory_mb=4096, timeout=TIMEOUT)
    result = qemu.boot(machine, place.BUILD / f"test/td-full/{base}")
    assert not result.timed_out, f"the host hung: {result.last_words()}; output: {result.output[-500:]}"
    results = results_of(result, PROGRAM, tmp_path)
    assert len(results) == 8, result.output[-500:]
    assert not [f"{name}: {kind} {text}" for kind, name, text in results if kind != "passed"]
    assert not result.complaints()
    assert result.stats["violations"] == 0, result.stderr
    assert result.stats["keyids"]["in_use"] == 1
    assert result.stats["tds"] == 0 and result.stats["pages_owned"] == 0
