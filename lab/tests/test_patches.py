# SPDX-License-Identifier: GPL-2.0-only
"""Each patch of the series builds on the ones before it, with both compilers."""
import subprocess

import pytest

from lab import kernel, place, series, trees

TREE = place.BUILD / "patches/linux"
TDX_DIRS = ("arch/x86/virt/", "arch/x86/kvm/", "arch/x86/coco/", "drivers/virt/coco/")
PATCHES = [name for name, _ in series.touched(place.SRC)]


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
