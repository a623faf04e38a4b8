# SPDX-License-Identifier: GPL-2.0-only
"""series/ to the kernel tree."""
import os
import shutil

import pytest

from lab import series
from lab.series import patches
from lab.tests.series_fake import (  # noqa: F401 (fixtures)
    CORE, STOCK, Project, cache, change, pack, project, refused, staged, tarball, two_patches)

NEW = "arch/x86/new.c"


def test_one_commit_per_patch(staged):
    git = staged.git
    assert git.text("log", "--format=%s", "refs/series/base..HEAD").split("\n") == ["two", "one"]
    assert git.text("log", "-1", "--format=%B") == "two\n\nFirst.\n\nSecond."
    assert git.text("symbolic-ref", "HEAD") == "refs/heads/series"
    assert "return 30;" in (staged.tree / CORE).read_text()
    assert (staged.tree / NEW).read_text() == "int fresh;\n"
    assert os.access(staged.tree / "tools/new.sh", os.X_OK)
    assert git.text("status", "--porcelain") == ""
    assert git.text("show", "--format=", "--name-only", "HEAD~").split() == [CORE, NEW]


def test_empty_series_is_the_stock_kernel(project):
    done = project.stage()
    assert done.fresh and done.links == ()
    assert project.git.commit("HEAD") == project.source.commit
    assert (project.tree / CORE).read_text() == STOCK[CORE]


def test_ids_are_the_same_for_everyone(staged, tmp_path, tarball, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Someone Else")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.autocrlf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = X\n[core]\n\tautocrlf = true\n[i18n]\n"
                                         "\tcommitEncoding = latin1\n[apply]\n\twhitespace = fix\n")
    other = Project(tmp_path / "other", tarball)
    two_patches(other)
    other.stage()
    assert other.git.commit("HEAD") == staged.git.commit("HEAD")


def test_second_stage_touches_nothing(staged):
    before = {file: file.stat().st_mtime_ns for file in staged.tree.rglob("*")
              if ".git" not in file.parts}
    done = staged.stage()
    assert done.changed == () and not done.fresh
    assert {file: file.stat().st_mtime_ns for file in before} == before


def test_only_changed_files_are_written(staged):
    old = {path: (staged.tree / path).stat().st_mtime_ns for path in (CORE, NEW, "arch/x86/old.c")}
    staged.put(NEW, "int fresher;\n")
    done = staged.stage()
    assert done.changed == (NEW,)
    new = {path: (staged.tree / path).stat().st_mtime_ns for path in old}
    assert [path for path in old if old[path] != new[path]] == [NEW]


def test_dropped_patch_leaves_the_tree(staged):
    (staged.root / "series/0001-one.patch").unlink()
    (staged.root / NEW).unlink()
    assert staged.stage().changed == (CORE, NEW)
    assert not (staged.tree / NEW).exists()


def test_tree_outlives_cache_and_clone(tmp_path, tarball):
    project = Project(tmp_path, tarball)
    two_patches(project)
    project.stage()
    shutil.rmtree(project.cache)
    assert not (project.tree / ".git/objects/info/alternates").exists()
    assert project.git.text("fsck", "--strict") == ""


def test_works_where_hard_links_do_not(project, monkeypatch):
    def refuse(*_):
        raise OSError(18, "Invalid cross-device link")
    monkeypatch.setattr(os, "link", refuse)
    two_patches(project)
    project.stage()
    assert project.git.text("fsck", "--strict") == ""


def test_newer_source(staged, tmp_path):
    makefile = STOCK["Makefile"].replace("= 1\n", "= 2\n")
    staged.tarball = pack(tmp_path / "linux-source-9.9.tar.xz", STOCK | {"Makefile": makefile})
    assert staged.stage().changed == ("Makefile",)
    assert staged.git.commit("refs/series/base") == staged.source.commit
    assert staged.refresh() == series.Refreshed((), ())


def test_override_for_another_base(project):
    two_patches(project)
    project.put("series/9.9/0002-two.patch",
                (project.root / "series/0002-two.patch").read_text().replace("170", "171"))
    project.stage(base="9.9")
    assert "return 171;" in (project.tree / CORE).read_text()
    project.stage()
    assert "return 170;" in (project.tree / CORE).read_text()


def test_override_of_nothing(project):
    two_patches(project)
    project.patch(2, "too", change(CORE, 3, 30), folder="series/9.9")
    refused(project.stage, "series/9.9/0002-too.patch overrides no patch", base="9.9")
    project.stage()


# What must not be lost.

def test_uncommitted_change_is_kept(staged):
    staged.edit("arch/x86/old.c", "return 1", "return 2")
    said = refused(staged.stage, "build/linux has work", "arch/x86/old.c", "make refresh",
                   "DISCARD=1")
    assert "commits" not in said
    assert "return 2" in (staged.tree / "arch/x86/old.c").read_text()


def test_commits_are_kept(staged):
    staged.edit("arch/x86/old.c", "return 1", "return 2")
    head = staged.commit("three")
    staged.put(NEW, "int fresher;\n")
    refused(staged.stage, "build/linux has work", "(commits)", "make refresh")
    refused(staged.stage, "build/linux has work", work=series.KEEP)
    assert staged.git.commit("HEAD") == head


def test_keep_lets_work_stand(staged):
    staged.edit("arch/x86/old.c", "return 1", "return 2")
    head = staged.commit("three")
    staged.edit(CORE, "return 30;", "return 31;")
    done = staged.stage(work=series.KEEP)
    assert done.work == f"commits; uncommitted: {CORE}"
    assert done.changed == ()
    assert staged.git.commit("HEAD") == head
    assert "return 31;" in (staged.tree / CORE).read_text()


def test_discard_leaves_a_reference(staged):
    clean = staged.git.commit("HEAD")
    staged.edit("arch/x86/old.c", "return 1", "return 2")
    head = staged.commit("three")
    staged.edit(CORE, "return 30;", "return 31;")
    done = staged.stage(work=series.DISCARD)
    assert staged.git.commit("HEAD") == clean
    assert done.changed == ("arch/x86/old.c",)
    assert staged.git.text("status", "--porcelain") == ""
    assert "return 31;" in staged.git.text("show", f"refs/series/discarded:{CORE}")
    assert staged.git.text("merge-base", head, "refs/series/discarded") == head


def test_untracked_file_in_the_way(staged):
    staged.write("arch/x86/newer.c", "mine\n")
    staged.put("arch/x86/newer.c", "int newer;\n")
    staged.patch(3, "three", adds=["arch/x86/newer.c"])
    for work in series.REFUSE, series.DISCARD:
        refused(staged.stage, "build/linux cannot be brought up to date", work=work)
        assert (staged.tree / "arch/x86/newer.c").read_text() == "mine\n"


def test_own_commits_that_series_has_are_no_work(staged):
    staged.git.run("commit", "--quiet", "--amend", "--no-edit", "--author=Me <me@example.org>")
    assert staged.stage().changed == ()
    assert staged.git.text("log", "-1", "--format=%an") == "TDX host series"


def test_another_branch(staged):
    staged.git.run("switch", "--quiet", "-c", "topic")
    refused(staged.stage, "build/linux is on topic", "switch series")
    staged.git.run("checkout", "--quiet", "--detach")
    refused(staged.stage, "build/linux is on no branch")


def test_unfinished_rebase(staged):
    (staged.tree / ".git/rebase-merge").mkdir()
    refused(staged.stage, "in the middle of a git operation", "--abort")


@pytest.mark.parametrize("make", [lambda tree: tree.mkdir(parents=True),
                                  lambda tree: (tree / ".git").mkdir(parents=True)])
def test_something_else_is_there(project, make):
    make(project.tree)
    refused(project.stage, "build/linux is not a tree that 'make tree' made")


def test_failing_checkout_leaves_nothing(project, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr("lab.series.tree.share", refuse)
    refused(project.stage, "cannot write", "build/linux: No space left on device")
    assert [path.name for path in project.tree.parent.iterdir()] == [".linux.lock"]


# Series that are wrong.

def two_hunks():
    """A diff with a hunk for f3() and one for f9()."""
    return change(CORE, 3, 30) + "@@" + change(CORE, 9, 90).partition("\n@@")[2]


@pytest.mark.parametrize(("number", "name", "line"), [(1, "f3", 15), (2, "f9", 45)])
def test_hunk_that_does_not_apply(staged, number, name, line):
    before = staged.git.commit("HEAD")
    staged.patch(1, "one", two_hunks().replace(f" int {name}(void)", " int other(void)"), [NEW])
    refused(staged.stage, f"series/0001-one.patch: hunk {number} of 2 for {CORE} (line {line})")
    assert staged.git.commit("HEAD") == before


def test_bad_patch_is_found_before_the_checkout(project):
    project.patch(1, "one", change(CORE, 3, 30).replace(" int f3", " int g3"))
    refused(project.stage, "series/0001-one.patch: hunk 1 of 1")
    assert not project.tree.exists()


def test_hunk_for_a_file_that_is_not_there(staged):
    staged.patch(1, "one", change(CORE, 3, 30).replace(CORE, "arch/x86/none.c"), [NEW])
    refused(staged.stage, "series/0001-one.patch: arch/x86/none.c is not there")


def test_override_that_does_not_apply_is_named(staged):
    text = (staged.root / "series/0002-two.patch").read_text()
    staged.put("series/9.9/0002-two.patch", text.replace(" int f17", " int g17"))
    refused(staged.stage, "series/9.9/0002-two.patch: hunk 1 of 1", base="9.9")


def test_added_file_claimed_twice(staged):
    staged.patch(2, "two", change(CORE, 17, 170), ["tools/new.sh", NEW])
    refused(staged.stage, f"{NEW} is added by two patches", "0001-one", "0002-two")


def test_added_file_claimed_by_none(staged):
    staged.put("Documentation/stray.rst", "")
    refused(staged.stage, "Documentation/stray.rst no patch adds", "Adds:")


def test_added_file_changed_by_a_later_patch(staged):
    staged.patch(2, "two", change(NEW, 1, 2, "int a(void)\n{\n\treturn 1;\n}\n"), ["tools/new.sh"])
    refused(staged.stage, f"series/0002-two.patch changes {NEW}", "0001-one.patch adds whole")


def test_added_file_that_stock_has(staged):
    staged.put("arch/x86/old.c", "")
    staged.patch(2, "two", "", ["tools/new.sh", "arch/x86/old.c"])
    refused(staged.stage, "series/0002-two.patch adds arch/x86/old.c, which stock Linux has")


def test_added_file_that_is_missing(staged):
    (staged.root / NEW).unlink()
    refused(staged.stage, f"series/0001-one.patch adds {NEW}, which is not in the tree")


def test_added_file_that_is_no_file(staged):
    (staged.root / NEW).unlink()
    (staged.root / NEW).symlink_to("core.c")
    refused(staged.stage, f"series/0001-one.patch adds {NEW}, which is not a regular file")


def test_patch_that_another_one_undoes(staged):
    staged.patch(3, "three", change(CORE, 30, 3, STOCK[CORE].replace("return 3;", "return 30;")))
    staged.stage()
    assert "return 3;" in (staged.tree / CORE).read_text()


def test_deleting_a_stock_file(staged):
    text = STOCK["arch/x86/old.c"].splitlines()
    staged.patch(3, "three", "diff --git a/arch/x86/old.c b/arch/x86/old.c\ndeleted file mode 100644\n"
                 f"--- a/arch/x86/old.c\n+++ /dev/null\n@@ -1,{len(text)} +0,0 @@\n"
                 + "".join(f"-{line}\n" for line in text))
    staged.stage()
    assert not (staged.tree / "arch/x86/old.c").exists()
    assert staged.refresh() == series.Refreshed((), ())


def test_touched(staged):
    one, two = series.touched(staged.root)
    assert one == ("0001-one.patch", [series.Touched(CORE, False, False), series.Touched(NEW, True, False)])
    assert [file.is_c for file in two[1]] == [True, False]


def test_load_is_ordered_by_number(staged):
    names = [patch.name for patch in patches.load(staged.root / "series")]
    assert names == ["0001-one.patch", "0002-two.patch"]
