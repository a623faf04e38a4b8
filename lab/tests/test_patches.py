# SPDX-License-Identifier: GPL-2.0-only
"""Each patch of the series builds on the ones before it, with both compilers, and passes its tests."""
import re
import subprocess

import pytest

from lab import initramfs, kernel, place, qemu, series, softseam, trees
from lab.tests.test_kunit import CONNECT, read_ktap

TREE = place.BUILD / "patches/linux"
TDX_DIRS = ("arch/x86/virt/", "arch/x86/kvm/", "arch/x86/coco/", "drivers/virt/coco/")
TESTS = "arch/x86/virt/vmx/tdx/tests"
TOUCHED = series.touched(place.SRC)
PATCHES = [name for name, _ in TOUCHED]
# From the one on that brings the option for the tests.
FIRST_TESTED = next(at for at, (_, files) in enumerate(TOUCHED) if f"{TESTS}/Kconfig" in [file.path for file in files])


def git(*args, cwd=TREE):
    return subprocess.run(["git", *args], cwd=cwd, text=True, capture_output=True, check=True).stdout


@pytest.fixture(scope="session")
def commits():
    """The series' commits in a clone whose work tree the tests may move."""
    links = trees.stage(series.KEEP).links
    if not TREE.exists():
        TREE.parent.mkdir(parents=True, exist_ok=True)
        git("clone", "--quiet", "--shared", "--no-checkout", str(trees.SERIES_TREE), str(TREE), cwd=place.BUILD)
    git("fetch", "--quiet", "origin", "series")
    return dict(zip(PATCHES, [link.commit for link in links], strict=True))


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("patch", PATCHES)
def test_builds(patch, compiler, commits):
    git("checkout", "--quiet", "--detach", commits[patch])
    built = kernel.Kernel("patches", TREE, compiler=compiler)
    kernel.configure(built)
    built.make("W=1", *TDX_DIRS, log=f"patch-{compiler}-{patch}.log", what=f"{patch} with {compiler}")


def suites_in_tree():
    text = "".join(path.read_text() for path in (TREE / TESTS).glob("*_kunit.c"))
    return set(re.findall(r'^\t\.name = "(\S+)"', text, re.M))


@pytest.mark.parametrize("patch", PATCHES[FIRST_TESTED:])
def test_suites_pass(patch, commits):
    """On a module that has what the last patch can use; no suite may be skipped."""
    git("checkout", "--quiet", "--detach", commits[patch])
    softseam.build()
    built = kernel.build(kernel.Kernel("patches", TREE, config=("host", "kunit")))
    machine = qemu.Machine(kernel=built.image, initramfs=initramfs.build(built), steps="load:kvm-intel,vm",
                           vcpus=4, cmdline="panic_on_warn=1", timeout=300, seam={"features0": CONNECT})
    result = qemu.boot(machine, place.BUILD / "test/boot" / f"patch-{patch[:4]}")
    found = read_ktap(result.console)
    assert suites_in_tree() <= set(found), result.last_words()
    bad = [str(case) for suite in found.values() for case in suite if case.result != "passed"]
    assert not bad
    assert result.did("vm")["ok"]
    assert not result.complaints()
    assert result.stats["violations"] == 0, result.stderr
