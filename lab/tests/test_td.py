# SPDX-License-Identifier: GPL-2.0-only
"""TDs that run on softseam: the kernel's own selftests, on the stock kernel and on the series."""
import re

import pytest

from lab import initramfs, kernel, place, qemu, runner, selftests, trees

PROGRAMS = ("tdx_lib_test", "tdx_vm_ioctl_test", "tdx_vcpu_ioctl_test", "tdx_run_test",
            "tdx_measure_test", "tdx_memory_test", "tdx_keyid_test", "tdx_stress_test")
TIMEOUT = 900


@pytest.fixture(scope="session", params=["stock", "series"])
def ran(request):
    """One boot of a base that runs all programs in turn."""
    programs = selftests.build(kernel.build(trees.kernel("series")))
    host = kernel.build(trees.kernel(request.param))
    steps = ",".join(["load:kvm-intel", *(f"run:{name}" for name in PROGRAMS)])
    machine = qemu.Machine(host.image, initramfs.build(host, programs), steps, memory_mb=4096, timeout=TIMEOUT)
    result = qemu.boot(machine, place.BUILD / f"test/td/{request.param}")
    assert not result.timed_out, f"the host hung: {result.last_words()}; output: {result.output[-500:]}"
    return result


def output_of(result, program):
    """What one program wrote."""
    parts = re.split(r"^# run (\S+)\r?\n", result.output, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2])).get(program, "")


@pytest.mark.parametrize("program", PROGRAMS)
def test_selftest(ran, program, tmp_path):
    tap = tmp_path / f"{program}.tap"
    tap.write_text(output_of(ran, program))
    results = list(runner.read_tap(tap))
    bad = [f"{name}: {text}" for kind, name, text in results if kind != "passed"]
    assert not bad, "\n".join(bad)
    assert results, f"{program} reported no test: {tap.read_text()[-500:]}"
    assert ran.did("run", program)["ok"], f"{program}: {ran.did('run', program)}"


def test_host_is_well_after_it(ran):
    """No violation, no complaint, and everything that TDs took is back."""
    assert ran.status == 0, ran.stderr
    assert not ran.complaints()
    assert ran.stats["violations"] == 0, ran.stderr
    assert ran.stats["keyids"]["in_use"] == 1, "only the global KeyID may be in use"
