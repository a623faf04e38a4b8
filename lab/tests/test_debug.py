# SPDX-License-Identifier: GPL-2.0-only
"""The KUnit suites, and a TDX host that comes up or does not, under KASAN and lockdep."""
import pytest

from lab import initramfs, kernel, place, qemu, softseam, trees
from lab.tests.test_boot import INITIALIZED
from lab.tests.test_kunit import ALL, CONNECT, SUITES, read_ktap

CHECKERS = ("KernelAddressSanitizer initialized (generic)", "Lock dependency validator")
# Debugging keeps little memory for itself, but all of it is shadowed.
MEMORY_MB = 3072


@pytest.fixture(scope="session")
def debug_boot():
    softseam.build()
    built = kernel.build(trees.kernel("series", config=("host", "kunit", "debug")))
    images = {"kernel": built.image, "initramfs": initramfs.build(built)}

    def run(name, **machine):
        machine = {"steps": "load:kvm-intel,vm,load:tdx-host", "vcpus": 4} | machine
        result = qemu.boot(qemu.Machine(**images, memory_mb=MEMORY_MB, timeout=900, **machine),
                           place.BUILD / "test/boot" / f"debug-{name}")
        assert not result.timed_out, f"the host hung: {result.last_words()}"
        for checker in CHECKERS:
            assert result.says(checker), f"{checker} is not at work; {result.last_words()}"
        assert not result.says("lockdep is turned off")
        assert result.status == 0, result.stderr
        assert result.stats["violations"] == 0, result.stderr
        return result
    return run


def assert_ran(result):
    for step in ("kvm-intel", "tdx-host"):
        assert result.did("load", step)["ok"]
    assert result.did("vm")["ok"]
    assert not result.complaints()


@pytest.fixture(scope="session")
def suites(debug_boot):
    result = debug_boot("kunit", cmdline="panic_on_warn=1", seam=ALL)
    assert_ran(result)
    return read_ktap(result.console)


@pytest.mark.parametrize("name", SUITES)
def test_suite_passes(name, suites):
    assert suites.get(name), f"{name} did not run or did not end"
    bad = [case for case in suites[name] if case.result != "passed"]
    assert not bad, "\n".join(f"{case} {case.result}: " + "\n".join(case.said) for case in bad)


def test_extensions_that_are_interrupted(debug_boot):
    result = debug_boot("interrupted", cmdline="panic_on_warn=1 kunit.enable=0",
                        seam={"features0": CONNECT, "interrupt_every": 127})
    assert result.says(INITIALIZED)
    assert_ran(result)


def test_cpu_goes_and_comes_back(debug_boot):
    result = debug_boot("hotplug", cmdline="panic_on_warn=1 kunit.enable=0",
                        steps="load:kvm-intel,vm,load:tdx-host,offline:1,online:1,vm")
    assert result.did("offline")["ok"] and result.did("online")["ok"]
    assert_ran(result)


@pytest.mark.parametrize("inject", ["EXT.MEM.ADD:2:OPERAND_BUSY|1", "EXT.INIT:1:SYS_BUSY"])
def test_extensions_that_fail(debug_boot, inject):
    result = debug_boot(f"fails-{inject[:8]}", cmdline="kunit.enable=0", steps="load:kvm-intel",
                        seam={"features0": CONNECT, "inject": inject})
    assert result.says("TDX-Module initialization failed (-5)")
    complaints = [text for text in result.complaints() if "arch/x86/virt/vmx/tdx/ext.c" not in text]
    assert len(result.complaints()) == 1 and not complaints, result.complaints()
