# SPDX-License-Identifier: GPL-2.0-only
"""Each mail of the series, applied with git am, builds on the ones before it and passes its tests; KERNEL=7.3 too.

SHARD=i/n takes a part of the patches.
"""
import re
import subprocess

import pytest

from lab import initramfs, kernel, place, qemu, series, shard, softseam, trees
from lab.tests.series_fake import IDENTITY, git_am
from lab.tests.test_kunit import CONNECT, read_ktap

VERSION = trees.version()
NAME = f"patches-{VERSION}"
TREE = place.BUILD / f"patches/linux-{VERSION}"
TDX_DIRS = ("arch/x86/virt/", "arch/x86/kvm/", "arch/x86/coco/", "drivers/virt/coco/")
TESTS = "arch/x86/virt/vmx/tdx/tests"
TOUCHED = series.touched(place.SRC)
PATCHES = [name for name, _ in TOUCHED]
# From the one on that brings the option for the tests.
FIRST_TESTED = next(at for at, (_, files) in enumerate(TOUCHED) if f"{TESTS}/Kconfig" in [file.path for file in files])
# What each patch does is tested on the main version.
TESTED = PATCHES[FIRST_TESTED if trees.override() is None else -1:]
SOURCES = {file.path for _, files in TOUCHED for file in files if file.is_c}
PART = shard.stretch(PATCHES, *shard.wanted())


def git(*args):
    return subprocess.run(["git", *args], cwd=TREE, text=True, capture_output=True, check=True).stdout


@pytest.fixture(scope="session")
def commits(tmp_path_factory):
    """
    {patch: commit} of the mails on a pristine kernel, in a clone whose work tree the tests may move. The kernel without
    any is None's.
    """
    source = trees.pristine()
    folder = tmp_path_factory.mktemp("mails")
    sent = series.mails(place.SRC, folder / "mails", source, IDENTITY, trees.override())
    paths = {file.path for _, found in TOUCHED for file in found}
    git_am(source.path, sent[1:], folder / "am", sorted(paths))
    trees.scratch(TREE.relative_to(place.BUILD), source.path, source.commit)
    git("fetch", "--quiet", "--no-tags", str(folder / "am"), "HEAD")
    applied = git("rev-list", "--reverse", f"{source.commit}..FETCH_HEAD").split()
    return dict(zip([None, *PATCHES], [source.commit, *applied], strict=True))


def warnings(compiler, patch, commit):
    """Build the kernel at @commit, with @patch: what is warned of, without line numbers."""
    git("checkout", "--quiet", "--detach", commit)
    built = kernel.Kernel(NAME, TREE, compiler=compiler)
    kernel.configure(built)
    built.forget(SOURCES)
    log = built.make("W=1", *TDX_DIRS, log=f"{NAME}-{compiler}-{patch or 'stock'}.log",
                     what=f"{patch or 'the stock kernel'} with {compiler}")
    return {re.sub(r":\d+", "", text) for text in log.read_text(errors="replace").splitlines()
            if re.search(r"\bwarning\b", text, re.I)}


@pytest.fixture(scope="session", params=["gcc", "clang"])
def compiler(request, commits):
    """A compiler, and what it warns of in the stock kernel."""
    return request.param, warnings(request.param, None, commits[None])


@pytest.mark.parametrize("patch", PART)
def test_builds(patch, compiler, commits):
    name, stock = compiler
    assert not warnings(name, patch, commits[patch]) - stock


def suites_in_tree():
    text = "".join(path.read_text() for path in (TREE / TESTS).glob("*_kunit.c"))
    return set(re.findall(r'^\t\.name = "(\S+)"', text, re.M))


@pytest.mark.parametrize("patch", [patch for patch in TESTED if patch in PART])
def test_suites_pass(patch, commits):
    """On a module that has what the last patch can use; no suite may be skipped."""
    git("checkout", "--quiet", "--detach", commits[patch])
    softseam.build()
    built = kernel.build(kernel.Kernel(NAME, TREE, config=("host", "kunit")))
    machine = qemu.Machine(kernel=built.image, initramfs=initramfs.build(built), steps="load:kvm-intel,vm",
                           vcpus=4, cmdline="panic_on_warn=1", timeout=300, seam={"features0": CONNECT})
    result = qemu.boot(machine, place.BUILD / "test/boot" / f"{NAME}-{patch[:4]}")
    found = read_ktap(result.console)
    assert suites_in_tree() <= set(found), result.last_words()
    bad = [str(case) for suite in found.values() for case in suite if case.result != "passed"]
    assert not bad
    assert result.did("vm")["ok"]
    assert not result.complaints()
    assert result.stats["violations"] == 0, result.stderr
