# SPDX-License-Identifier: GPL-2.0-only
"""TDs that run on softseam: the kernel's own selftests, on the stock kernel and on the series."""
import re

import pytest

from lab import initramfs, kernel, own, place, qemu, runner, selftests, trees

PROGRAMS = ("tdx_lib_test", "tdx_vm_ioctl_test", "tdx_vcpu_ioctl_test", "tdx_run_test", "tdx_measure_test",
            "tdx_memory_test", "tdx_keyid_test", "tdx_stress_test")
TIMEOUT = 600
VCPUS = 4

# What these machines cannot have.
SKIPS = ("one vCPU has nobody to interrupt", "GPAs of 52 bits need 5-level EPT")

# Stock KVM uncharges the misc cgroup for a TD whose charge was refused.
KVM_BUG = "accounting.limit"
KVM_BUG_WARNING = "at misc_cg_cancel_charge"


def is_known(base, name):
    """What a tree of the user's own is made from can be either."""
    return base != "series" and KVM_BUG in name


def complaints(result, base):
    return [line for line in result.complaints() if base == "series" or KVM_BUG_WARNING not in line]


@pytest.fixture(scope="session", params=[trees.OWN] if own.host() else ["stock", "series"])
def base(request):
    return request.param


@pytest.fixture(scope="session")
def ran(base):
    """One boot of a base that runs all programs in turn."""
    programs = selftests.build(trees.kernel("series"))
    host = kernel.build(trees.kernel(base))
    steps = ",".join(["load:kvm-intel", *(f"run:{name}" for name in PROGRAMS)])
    machine = qemu.Machine(host.image, initramfs.build(host, programs), steps, vcpus=VCPUS, memory_mb=4096,
                           timeout=TIMEOUT)
    result = qemu.boot(machine, place.BUILD / f"test/td/{base}")
    assert not result.timed_out, f"the host hung: {result.last_words()}; output: {result.output[-500:]}"
    return result


def results_of(result, program, folder):
    """(result, name, text) of each test of one program."""
    parts = re.split(r"^# run (\S+)\r?\n", result.output, flags=re.M)
    tap = folder / f"{program}.tap"
    tap.write_text(dict(zip(parts[1::2], parts[2::2])).get(program, ""))
    return list(runner.read_tap(tap))


@pytest.mark.parametrize("program", PROGRAMS)
def test_selftest(ran, base, program, tmp_path):
    results = results_of(ran, program, tmp_path)
    assert results, f"{program} reported no test: {ran.did('run', program)}; {ran.output[-500:]}"
    bad = [f"{name}: {kind} {text}" for kind, name, text in results
           if kind == "failed" and not is_known(base, name) or kind == "skipped" and text not in SKIPS]
    assert not bad, "\n".join(bad)


def test_bug_of_stock_kvm_is_found_and_fixed(ran, base, tmp_path):
    """Stock has it, or it need not be known here any more; the series has the fix."""
    results = results_of(ran, "tdx_keyid_test", tmp_path)
    failed = [name for kind, name, _ in results if kind == "failed"]
    if base == trees.OWN:
        pytest.skip("LINUX may have the fix or not")
    assert failed == ([f"tdx_keyid_test: {KVM_BUG}"] if base == "stock" else [])
    assert ran.says(KVM_BUG_WARNING) == (base == "stock")


def test_host_is_well_after_it(ran, base):
    """No violation, no complaint, and everything that TDs took is back."""
    assert ran.status == 0, ran.stderr
    assert not complaints(ran, base)
    assert ran.stats["violations"] == 0, ran.stderr
    assert ran.stats["keyids"]["in_use"] == 1, "only the global KeyID may be in use"
