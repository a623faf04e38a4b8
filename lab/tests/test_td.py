# SPDX-License-Identifier: GPL-2.0-only
"""TDs that run on softseam: the kernel's own selftests, on the stock kernel and on the series."""
import re

import pytest

from lab import initramfs, kernel, place, qemu, runner, selftests, trees

PROGRAMS = ("tdx_lib_test", "tdx_vm_ioctl_test", "tdx_vcpu_ioctl_test", "tdx_run_test", "tdx_measure_test",
            "tdx_memory_test", "tdx_keyid_test", "tdx_stress_test")
TIMEOUT = 600
VCPUS = 4

# What these machines cannot have.
SKIPS = ("one vCPU has nobody to interrupt", "GPAs of 52 bits need 5-level EPT")

# KVM uncharges the misc cgroup for a TD whose charge was refused.
KVM_BUG = "accounting.limit"
KVM_BUG_WARNING = "at misc_cg_cancel_charge"


@pytest.fixture(scope="session", params=["stock", "series"])
def ran(request):
    """One boot of a base that runs all programs in turn."""
    programs = selftests.build(kernel.build(trees.kernel("series")))
    host = kernel.build(trees.kernel(request.param))
    steps = ",".join(["load:kvm-intel", *(f"run:{name}" for name in PROGRAMS)])
    machine = qemu.Machine(host.image, initramfs.build(host, programs), steps, vcpus=VCPUS, memory_mb=4096,
                           timeout=TIMEOUT)
    result = qemu.boot(machine, place.BUILD / f"test/td/{request.param}")
    assert not result.timed_out, f"the host hung: {result.last_words()}; output: {result.output[-500:]}"
    return result


def results_of(result, program, folder):
    """(result, name, text) of each test of one program."""
    parts = re.split(r"^# run (\S+)\r?\n", result.output, flags=re.M)
    tap = folder / f"{program}.tap"
    tap.write_text(dict(zip(parts[1::2], parts[2::2])).get(program, ""))
    return list(runner.read_tap(tap))


@pytest.mark.parametrize("program", PROGRAMS)
def test_selftest(ran, program, tmp_path):
    results = results_of(ran, program, tmp_path)
    assert results, f"{program} reported no test: {ran.did('run', program)}; {ran.output[-500:]}"
    bad = [f"{name}: {kind} {text}" for kind, name, text in results
           if kind == "failed" and KVM_BUG not in name or kind == "skipped" and text not in SKIPS]
    assert not bad, "\n".join(bad)


def test_known_bug_of_kvm_is_still_there(ran, tmp_path):
    """A fix has to take it out of this list."""
    results = results_of(ran, "tdx_keyid_test", tmp_path)
    assert [name for kind, name, _ in results if kind == "failed"] == [f"tdx_keyid_test: {KVM_BUG}"]
    assert ran.says(KVM_BUG_WARNING)


def test_host_is_well_after_it(ran):
    """No violation, no complaint, and everything that TDs took is back."""
    assert ran.status == 0, ran.stderr
    assert not [line for line in ran.complaints() if KVM_BUG_WARNING not in line]
    assert ran.stats["violations"] == 0, ran.stderr
    assert ran.stats["keyids"]["in_use"] == 1, "only the global KeyID may be in use"
