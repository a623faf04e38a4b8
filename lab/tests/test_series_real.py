# SPDX-License-Identifier: GPL-2.0-only
"""This project's series on the real kernel.

SERIES_SOURCE names Debian's linux-source-X.Y.tar.xz and SERIES_CACHE the folder
where the pristine repository is kept; without them there is nothing to test on.
"""
import os
import re
import shutil
from pathlib import Path

import pytest

from lab import series
from lab.series.git import Repository
from lab.tests.series_fake import IDENTITY, git_am

ROOT = Path(__file__).parents[2]
NEEDED = ("SERIES_SOURCE", "SERIES_CACHE")
pytestmark = pytest.mark.skipif(not all(os.environ.get(name) for name in NEEDED),
                                reason=f"needs {' and '.join(NEEDED)}")


@pytest.fixture(scope="module")
def source():
    return series.pristine(os.environ["SERIES_SOURCE"], os.environ["SERIES_CACHE"])


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A copy of the project's own files: the tests write to it."""
    copy = tmp_path_factory.mktemp("real") / "project"
    skip = shutil.ignore_patterns("build", ".git", "__pycache__", "lab", "softseam")
    shutil.copytree(ROOT, copy, ignore=skip, copy_function=shutil.copy2)
    return copy


@pytest.fixture(scope="module")
def tree(clone, source):
    series.stage(clone, clone / "build/linux", source)
    return clone / "build/linux"


def state(folder):
    return {path: (path.read_bytes(), path.stat().st_mode) for path in folder.rglob("*")
            if path.is_file() and "build" not in path.parts}


def test_stage_refresh_stage_is_identical(clone, tree, source):
    before = state(clone)
    assert series.refresh(clone, tree) == series.Refreshed((), ())
    assert state(clone) == before
    assert series.stage(clone, tree, source).changed == ()


def test_git_am_on_a_pristine_kernel(clone, tree, source, tmp_path):
    sent = series.mails(clone, tmp_path / "mails", source, IDENTITY)
    paths = {file.path for _, found in series.touched(clone) for file in found}
    assert git_am(source.path, sent[1:], tmp_path / "am", sorted(paths)) == \
        Repository(tree).text("rev-parse", "HEAD^{tree}")


def test_maintainers_is_the_section_of_the_kernels(clone, tree):
    section = (clone / "MAINTAINERS").read_text()
    kernels = (tree / "MAINTAINERS").read_text()
    assert kernels.count(f"\n\n{section}\n") == 1
    assert re.fullmatch(r"[A-Z0-9 ]+\n(?:[A-Z]:\t.+\n)+", section)


def test_every_added_file_is_in_maintainers(clone):
    assert series.uncovered(clone) == []


def test_files_in_maintainers_are_there(clone, tree):
    for pattern in re.findall(r"^F:\t(.*)$", (clone / "MAINTAINERS").read_text(), re.M):
        assert list(tree.glob(pattern.rstrip("/"))), pattern
