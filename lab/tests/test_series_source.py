# SPDX-License-Identifier: GPL-2.0-only
"""The pristine kernel as a git repository."""
import multiprocessing
import resource
import shutil

import pytest

from lab import series
from lab.series.git import Repository
from lab.tests.series_fake import STOCK, pack, refused, tarball  # noqa: F401 (a fixture)


def entries(source):
    """path -> (mode, content) of the whole pristine tree."""
    repo = Repository(source.path)
    found = {}
    for entry in repo.fields("ls-tree", "-z", "-r", source.commit):
        meta, _, path = entry.partition("\t")
        mode, _, blob = meta.split(" ")
        found[path] = (mode, repo.run("cat-file", "blob", blob))
    return found


def test_holds_what_the_tarball_holds(tarball, tmp_path):
    source = series.pristine(tarball, tmp_path)
    found = entries(source)
    assert source.release == "9.9.1"
    assert set(found) == set(STOCK) | {"link"}
    assert found["link"] == ("120000", b"Makefile")
    assert found["tools/run.sh"][0] == "100755"
    assert found["arch/x86/core.c"] == ("100644", STOCK["arch/x86/core.c"].encode())
    assert found["Documentation/blob.bin"][1] == STOCK["Documentation/blob.bin"]


def test_hides_no_new_file_from_git(tarball, tmp_path):
    source = series.pristine(tarball, tmp_path)
    assert entries(source)[".gitignore"][1] == b"*.o\n"


def test_same_commit_everywhere(tarball, tmp_path):
    one, two = (series.pristine(tarball, tmp_path / name) for name in ("a", "b"))
    assert one.commit == two.commit
    assert one.path != two.path


def test_made_once(tarball, tmp_path):
    first = series.pristine(tarball, tmp_path)
    before = {file: file.stat().st_mtime_ns for file in first.path.rglob("*")}
    assert series.pristine(tarball, tmp_path) == first
    assert {file: file.stat().st_mtime_ns for file in first.path.rglob("*")} == before


def test_is_a_single_pack(tarball, tmp_path):
    source = series.pristine(tarball, tmp_path)
    assert len(list(source.objects.glob("pack/*.pack"))) == 1
    assert not list(source.objects.glob("[0-9a-f][0-9a-f]"))


def _make(arguments):
    return series.pristine(*arguments).commit


def test_two_runs_at_once(tarball, tmp_path):
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        commits = pool.map(_make, [(tarball, tmp_path)] * 4)
    assert len(set(commits)) == 1
    assert sorted(path.suffix for path in (tmp_path / "pristine").iterdir()) == ["", ".git"]


def test_sweeps_what_a_killed_run_left(tarball, tmp_path):
    left = tmp_path / "pristine/new-abc"
    left.mkdir(parents=True)
    series.pristine(tarball, tmp_path)
    assert not left.exists()


def test_another_point_release_is_another_repository(tarball, tmp_path):
    newer = pack(tmp_path / "linux-source-9.9.tar.xz",
                 STOCK | {"Makefile": STOCK["Makefile"].replace("= 1\n", "= 2\n")})
    one, two = series.pristine(tarball, tmp_path), series.pristine(newer, tmp_path)
    assert (one.release, two.release) == ("9.9.1", "9.9.2")
    assert one.path != two.path


def nothing_left(cache):
    return not list((cache / "pristine").glob("*.git")) and not list((cache / "pristine").glob("new-*"))


def test_missing_tarball(tmp_path):
    refused(lambda: series.pristine(tmp_path / "none.tar.xz", tmp_path), "no kernel source at",
            "none.tar.xz", "No such file")


@pytest.mark.parametrize("keep", [0, 100, -100])
def test_broken_tarball(tarball, tmp_path, keep):
    broken = tmp_path / "linux-source-9.9.tar.xz"
    broken.write_bytes(tarball.read_bytes()[:keep])
    refused(lambda: series.pristine(broken, tmp_path), "linux-source-9.9.tar.xz is broken")
    assert nothing_left(tmp_path)


def test_tarball_of_something_else(tmp_path):
    other = pack(tmp_path / "other.tar.xz", {"Makefile": "all:\n", "tools/run.sh": ""})
    refused(lambda: series.pristine(other, tmp_path), "other.tar.xz is no kernel source")
    assert nothing_left(tmp_path)


def test_cache_that_cannot_be_written(tarball, tmp_path):
    (tmp_path / "file").write_text("")
    refused(lambda: series.pristine(tarball, tmp_path / "file"), "cannot write", "Not a directory")


def test_full_disk(tarball, tmp_path):
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, limit[1]))
    try:
        refused(lambda: series.pristine(tarball, tmp_path), "git fast-import failed")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert nothing_left(tmp_path)
    assert series.pristine(tarball, tmp_path).release == "9.9.1"


def test_damaged_repository_in_the_cache(tarball, tmp_path):
    source = series.pristine(tarball, tmp_path)
    shutil.rmtree(source.path / "refs")
    (source.path / "packed-refs").unlink(missing_ok=True)
    refused(lambda: series.pristine(tarball, tmp_path), str(source.path), "remove it")
