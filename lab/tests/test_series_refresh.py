# SPDX-License-Identifier: GPL-2.0-only
"""The kernel tree to series/."""
import os
import subprocess

import pytest

from lab import series
from lab.series import files, refreshing
from lab.tests.series_fake import (  # noqa: F401 (fixtures)
    CORE, STOCK, cache, change, project, refused, staged, tarball, two_patches)

NEW = "arch/x86/new.c"
NOTHING = series.Refreshed((), ())


def test_stage_then_refresh_changes_nothing(staged):
    before = staged.state()
    assert staged.refresh() == NOTHING
    assert staged.state() == before
    assert staged.stage().changed == ()
    assert staged.refresh() == NOTHING
    assert staged.state() == before


def test_refresh_does_not_depend_on_configuration(staged, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text(
        "[diff]\n\tnoprefix = true\n\tcontext = 7\n\talgorithm = patience\n\texternal = false\n"
        "\tinterHunkContext = 9\n\trenames = copies\n[core]\n\tabbrev = 7\n\tquotePath = true\n"
        "[color]\n\tui = always\n[format]\n\tsignature = me\n[log]\n\tshowSignature = true\n")
    (staged.tree / ".git/info").mkdir(exist_ok=True)
    (staged.tree / ".git/info/attributes").write_text("*.c diff=odd -text\n* binary\n")
    for key, value in (("diff.context", "9"), ("diff.noprefix", "true"),
                       ("diff.odd.xfuncname", "nothing"), ("core.autocrlf", "true")):
        staged.git.run("config", key, value)
    before = staged.state()
    assert staged.refresh() == NOTHING
    assert staged.state() == before


def test_new_commit(staged):
    staged.edit(CORE, "return 5;", "return 50;")
    staged.write("arch/x86/more/sub.c", "int sub;\n")
    staged.write("tools/x.sh", "#!/bin/sh\n")
    (staged.tree / "tools/x.sh").chmod(0o755)
    staged.commit("x86: Change é\n\nWhy.\n\nHow.")
    done = staged.refresh()
    name = staged.root / "series/0003-x86-Change.patch"
    assert done == series.Refreshed(tuple(sorted([
        name, staged.root / "arch/x86/more/sub.c", staged.root / "tools/x.sh"])), ())
    assert name.read_text() == (
        "Subject: x86: Change é\nAdds: arch/x86/more/sub.c\nAdds: tools/x.sh\n\nWhy.\n\nHow.\n---\n"
        + change(CORE, 5, 50))
    assert os.access(staged.root / "tools/x.sh", os.X_OK)
    head = staged.git.commit("HEAD^{tree}") or staged.head_tree()
    assert staged.stage().changed == ()
    assert staged.head_tree() == head


def test_hunk_header_names_the_function_not_a_label(staged):
    lines = "".join(f"\tstep({n});\n" for n in range(8))
    staged.write("arch/x86/old.c", f"int name(void)\n{{\n{lines}out:\n{lines}\treturn 1;\n}}\n")
    staged.commit("three")
    staged.edit("arch/x86/old.c", "return 1", "return 2")
    staged.commit("four")
    staged.refresh()
    assert "@@ int name(void)\n" in (staged.root / "series/0004-four.patch").read_text()


def test_edit_of_an_added_file(staged):
    staged.write(NEW, "int fresher;\n")
    staged.git.run("commit", "--quiet", "-a", "--fixup=HEAD~")
    env = staged.git.env | {"GIT_SEQUENCE_EDITOR": "true"}
    subprocess.run(["git", "rebase", "--quiet", "-i", "--autosquash", "refs/series/base"],
                   cwd=staged.tree, env=env, check=True)
    assert staged.refresh() == series.Refreshed((staged.root / NEW,), ())
    assert (staged.root / NEW).read_text() == "int fresher;\n"


def test_dropped_commit(staged):
    staged.git.run("rebase", "--quiet", "--onto", "HEAD~2", "HEAD~1")
    done = staged.refresh()
    assert done.written == (staged.root / "series/0001-two.patch",)
    assert done.removed == (staged.root / NEW, staged.root / "series/0001-one.patch",
                            staged.root / "series/0002-two.patch")
    assert not (staged.root / "arch").exists()
    assert staged.stage().changed == ()


def test_all_commits_dropped(staged):
    staged.git.run("reset", "--quiet", "--hard", "refs/series/base")
    staged.refresh()
    assert [path.name for path in (staged.root / "series").iterdir()] == ["cover-letter.txt"]
    assert staged.stage().links == ()


def test_deleted_stock_file(staged):
    (staged.tree / "arch/x86/old.c").unlink()
    (staged.tree / "tools/run.sh").unlink()
    staged.commit("three")
    staged.refresh()
    text = (staged.root / "series/0003-three.patch").read_text()
    assert "deleted file mode 100644" in text and "deleted file mode 100755" in text
    assert staged.stage().changed == ()
    assert staged.refresh() == NOTHING


def test_mode_and_missing_newline(staged):
    (staged.tree / "tools/run.sh").chmod(0o644)
    staged.write("arch/x86/old.c", STOCK["arch/x86/old.c"].rstrip("\n"))
    staged.write(NEW.replace("new", "odd"), "\x0c\r\n\u2028 no newline")
    staged.commit("three")
    tree = staged.head_tree()
    staged.refresh()
    staged.stage()
    assert staged.head_tree() == tree
    assert staged.refresh() == NOTHING


def test_maintainers_section_follows_the_patch(staged):
    staged.edit("MAINTAINERS", "OMEGA", "MIDDLE\nF:\tarch/x86/new.c\n\nOMEGA")
    staged.commit("three")
    staged.refresh()
    assert (staged.root / "MAINTAINERS").read_text() == "MIDDLE\nF:\tarch/x86/new.c\n"
    assert series.uncovered(staged.root) == ["tools/new.sh"]


# Overrides.

def other_base(project):
    """Stage for the base 9.9 with the second patch varied there."""
    project.put("series/9.9/0002-two.patch",
                (project.root / "series/0002-two.patch").read_text().replace("170", "171"))
    project.stage(base="9.9")


def test_override_stays(staged):
    other_base(staged)
    before = staged.state()
    assert staged.refresh(base="9.9") == NOTHING
    assert staged.state() == before


def test_override_is_written_only_where_needed(staged):
    staged.edit(CORE, "return 170;", "return 172;")
    staged.git.run("commit", "--quiet", "-a", "--amend", "--no-edit")
    done = staged.refresh(base="9.9")
    assert done == series.Refreshed((staged.root / "series/9.9/0002-two.patch",), ())
    assert staged.refresh(base="9.9") == NOTHING


def test_override_that_is_not_needed_any_more(staged):
    other_base(staged)
    staged.edit(CORE, "return 171;", "return 170;")
    staged.git.run("commit", "--quiet", "-a", "--amend", "--no-edit")
    done = staged.refresh(base="9.9")
    assert done == series.Refreshed((), (staged.root / "series/9.9/0002-two.patch",))
    assert not (staged.root / "series/9.9").exists()


def test_override_follows_its_patch(staged):
    other_base(staged)
    staged.stage()
    staged.git.run("rebase", "--quiet", "--onto", "HEAD~2", "HEAD~1")
    staged.refresh()
    assert [path.name for path in (staged.root / "series/9.9").iterdir()] == ["0001-two.patch"]


def test_other_base_adds_no_patch(staged):
    staged.edit("arch/x86/old.c", "return 1", "return 2")
    staged.commit("three")
    refused(staged.refresh, "2 patches and this tree 3 commits", base="9.9")


def test_other_base_adds_no_file(staged):
    staged.write("arch/x86/extra.c", "")
    staged.git.run("add", "-A")
    staged.git.run("commit", "--quiet", "--amend", "--no-edit")
    refused(staged.refresh, "does not add the files that series/0002-two.patch adds", base="9.9")


# What is refused, with nothing changed.

def unchanged(project, *parts, **how):
    before, head = project.state(), project.git.commit("HEAD")
    refused(project.refresh, *parts, **how)
    assert project.state() == before
    assert project.git.commit("HEAD") == head


def test_no_tree(project):
    refused(project.refresh, "there is no build/linux", "make tree")
    assert not project.tree.parent.exists()


def test_changed_file(staged):
    staged.edit(CORE, "return 5;", "return 50;")
    unchanged(staged, "build/linux has uncommitted changes", CORE)


def test_untracked_file(staged):
    staged.write("arch/x86/forgotten.c", "")
    unchanged(staged, "build/linux has uncommitted changes", "arch/x86/forgotten.c")


def test_merge(staged):
    staged.git.run("switch", "--quiet", "-c", "side", "HEAD~")
    staged.edit("arch/x86/old.c", "return 1", "return 2")
    staged.commit("side")
    staged.git.run("switch", "--quiet", "series")
    staged.git.run("merge", "--quiet", "--no-edit", "side")
    unchanged(staged, "build/linux has the merge commit", "rebase")


def test_foreign_history(staged):
    orphan = staged.git.text("commit-tree", "-m", "x", "HEAD^{tree}")
    staged.git.run("reset", "--quiet", "--hard", orphan)
    unchanged(staged, "does not start at the pristine source", "refs/series/base")


def test_added_file_changed_later(staged):
    staged.write(NEW, "int fresher;\n")
    staged.commit("three")
    unchanged(staged, '("three") changes arch/x86/new.c', '("one") adds', "fold")


def test_added_file_deleted_later(staged):
    (staged.tree / NEW).unlink()
    staged.commit("three")
    unchanged(staged, '("three") changes arch/x86/new.c', '("one") adds')


def test_renamed_stock_file(staged):
    staged.git.run("mv", "arch/x86/old.c", "arch/x86/moved.c")
    staged.commit("three")
    unchanged(staged, '("three") renames arch/x86/old.c to arch/x86/moved.c', "kernel source")


def test_stock_file_deleted_and_added_again(staged):
    (staged.tree / "arch/x86/old.c").unlink()
    staged.commit("three")
    staged.write("arch/x86/old.c", "int entirely_different;\n")
    staged.commit("four")
    unchanged(staged, "0004-four.patch adds arch/x86/old.c, which stock Linux has")


@pytest.mark.parametrize("path", ["root.txt", "softseam/x.c", "series/x"])
def test_added_outside_the_kernels_folders(staged, path):
    staged.write(path, "")
    staged.commit("three")
    unchanged(staged, f'("three") adds {path}', "folders")


def test_added_symlink(staged):
    (staged.tree / "arch/x86/sym.c").symlink_to("core.c")
    staged.commit("three")
    unchanged(staged, '("three") adds arch/x86/sym.c, which is not a regular file')


def test_stock_file_becomes_a_symlink(staged):
    (staged.tree / "arch/x86/old.c").unlink()
    (staged.tree / "arch/x86/old.c").symlink_to("core.c")
    staged.commit("three")
    unchanged(staged, '("three") turns arch/x86/old.c into another type')


def test_binary_stock_file(staged):
    staged.write("Documentation/blob.bin", "\0other")
    staged.commit("three")
    unchanged(staged, '("three") changes Documentation/blob.bin, which is binary')


def test_empty_commit(staged):
    staged.git.run("commit", "--quiet", "--allow-empty", "-m", "three")
    unchanged(staged, '("three") changes nothing')


def test_changelog_that_a_mail_would_cut(staged):
    staged.edit(CORE, "return 5;", "return 50;")
    staged.commit("three\n\nBefore:\n---\nAfter.")
    unchanged(staged, '("three")', "the line '---'")


def test_stray_file_in_the_project(staged):
    staged.put("tools/stray.txt", "")
    unchanged(staged, "tools/stray.txt no patch adds")


def test_series_changed_since_stage(staged):
    staged.put(NEW, "int edited_in_the_project;\n")
    staged.edit(CORE, "return 5;", "return 50;")
    staged.commit("three")
    unchanged(staged, "series/ or a file it adds changed since it was staged", "OVERWRITE=1")
    refused(staged.stage, "build/linux has work")
    staged.refresh(overwrite=True)
    assert (staged.root / NEW).read_text() == "int fresh;\n"


def test_series_broken_since_stage(staged):
    staged.put("series/0001-one.patch", "<<<<<<< ours\nAdds: arch/x86/new.c\n")
    unchanged(staged, "changed and is not sound", "0001-one.patch")
    staged.refresh(overwrite=True)
    assert staged.stage().changed == ()


# All or nothing.

@pytest.fixture
def reworked(staged):
    """Staged, with commits that change, add and remove project files."""
    staged.git.run("rebase", "--quiet", "--onto", "HEAD~2", "HEAD~1")
    staged.write("arch/x86/other.c", "int other;\n")
    staged.commit("three")
    return staged


def test_disk_full(reworked, monkeypatch):
    write = files.Path.write_bytes
    count = iter(range(100))

    def fail(path, content):
        if path.name.endswith(".new") and next(count) == 1:
            write(path, content[:3])
            raise OSError(28, "No space left on device")
        return write(path, content)
    monkeypatch.setattr(files.Path, "write_bytes", fail)
    unchanged(reworked, "No space left on device", "nothing was changed")


@pytest.mark.parametrize("after", range(3))
def test_failing_rename(reworked, monkeypatch, after):
    rename = os.rename
    count = iter(range(100))

    def fail(old, new):
        if str(old).endswith(".new") and next(count) == after:
            raise OSError(5, "Input/output error", str(new))
        rename(old, new)
    monkeypatch.setattr(files.os, "rename", fail)
    before = {path: entry[:2] for path, entry in reworked.state().items()}
    refused(reworked.refresh, "Input/output error", "nothing was changed")
    assert {path: entry[:2] for path, entry in reworked.state().items()} == before


def test_interrupted(reworked, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt
    monkeypatch.setattr("lab.series.refreshing.Tree.record", interrupt)
    before = {path: entry[:2] for path, entry in reworked.state().items()}
    with pytest.raises(KeyboardInterrupt):
        reworked.refresh()
    assert {path: entry[:2] for path, entry in reworked.state().items()} == before


def test_result_is_read_back(reworked, monkeypatch):
    render = refreshing.Commit.render
    monkeypatch.setattr(refreshing.Commit, "render",
                        lambda commit: render(commit).replace(b"Subject: ", b"Subject: not "))
    before = {path: entry[:2] for path, entry in reworked.state().items()}
    refused(reworked.refresh, "would not give the commits of build/linux back")
    assert {path: entry[:2] for path, entry in reworked.state().items()} == before
