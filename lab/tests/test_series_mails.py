# SPDX-License-Identifier: GPL-2.0-only
"""series/ to mails, and what checkpatch says of them."""
import email
import email.header
import os
import re

import pytest

from lab import series
from lab.tests.series_fake import (  # noqa: F401 (fixtures)
    CORE, IDENTITY, cache, change, git_am, project, refused, staged, tarball, two_patches)


@pytest.fixture
def mailed(staged):
    staged.sent = staged.send()
    return staged


def read(path):
    return email.message_from_bytes(path.read_bytes())


def test_one_mail_per_patch_and_a_cover_letter(mailed):
    assert [path.name for path in mailed.sent] == [
        "0000-cover-letter.patch", "0001-one.patch", "0002-two.patch"]
    assert [read(path)["Subject"] for path in mailed.sent] == [
        "[PATCH 0/2] fake: Do a thing", "[PATCH 1/2] one", "[PATCH 2/2] two"]


def test_mails_are_threaded(mailed):
    cover, *rest = [read(path) for path in mailed.sent]
    assert all(mail["In-Reply-To"] == cover["Message-Id"] for mail in rest)


def test_mails_are_from_who_sends_them(mailed):
    text = "".join(path.read_text() for path in mailed.sent)
    assert {read(path)["From"] for path in mailed.sent} == {IDENTITY}
    assert "Signed-off-by" not in text
    assert "series@tdx.invalid" not in text


def test_cover_letter_sums_up(mailed):
    text = mailed.sent[0].read_text()
    assert "What and why." in text
    assert re.search(r"arch/x86/new.c +\| +1 \+", text)
    assert "3 files changed" in text


@pytest.mark.parametrize("reroll", [None, 3])
def test_git_am_gives_the_staged_tree(staged, tmp_path, reroll):
    sent = staged.send(reroll=reroll)
    tree = git_am(staged.source.path, sent[1:], tmp_path / "am")
    assert tree == staged.head_tree()
    assert ("[PATCH v3 1/2]" in sent[1].read_text()) == bool(reroll)


def test_git_am_of_what_is_hard(project, tmp_path):
    """A deleted file, a mode, an executable, no newline, odd characters, a long subject in UTF-8."""
    project.stage()
    (project.tree / "arch/x86/old.c").unlink()
    (project.tree / "tools/run.sh").chmod(0o644)
    project.write("tools/new.sh", "\x0c no newline \u2028 é")
    (project.tree / "tools/new.sh").chmod(0o755)
    project.edit(CORE, "return 3;", "return 30;")
    project.commit("x86: é " + "long " * 30 + "\n\nFrom here on, é.\n\n> quoted\n\n  --- indented")
    project.refresh()
    tree = git_am(project.source.path, project.send()[1:], tmp_path / "am")
    assert tree == project.head_tree()


def test_what_was_there_before_goes(mailed):
    (mailed.mails / "0009-old.patch").write_text("")
    (mailed.root / "series/0002-two.patch").unlink()
    (mailed.root / "tools/new.sh").unlink()
    assert [path.name for path in mailed.send()] == ["0000-cover-letter.patch", "0001-one.patch"]
    assert sorted(os.listdir(mailed.mails.parent)) == [
        ".linux.lock", ".series.lock", "linux", "series"]


def test_a_bad_series_leaves_the_old_mails(mailed):
    before = [path.read_bytes() for path in mailed.sent]
    mailed.patch(2, "two", change(CORE, 17, 170).replace(" int f17", " int g17"), ["tools/new.sh"])
    refused(mailed.send, "series/0002-two.patch: hunk 1 of 1")
    assert [path.read_bytes() for path in mailed.sent] == before
    assert sorted(os.listdir(mailed.mails)) == [path.name for path in mailed.sent]


def test_needs_no_tree_and_leaves_no_objects(project):
    two_patches(project)
    objects = sorted(project.source.objects.rglob("*"))
    project.send()
    assert not project.tree.exists()
    assert sorted(project.source.objects.rglob("*")) == objects


def test_nothing_to_mail(project):
    refused(project.send, "series/ holds no patches")


@pytest.mark.parametrize("text", ["", "subject only\n", "subject\nno empty line\ntext\n"])
def test_bad_cover_letter(staged, text):
    staged.put("series/cover-letter.txt", text)
    refused(staged.send, "series/cover-letter.txt must be a subject")


def test_no_cover_letter(staged):
    (staged.root / "series/cover-letter.txt").unlink()
    refused(staged.send, "series/cover-letter.txt cannot be read", "No such file")


@pytest.mark.parametrize("env", [
    {}, {"GIT_AUTHOR_NAME": "A B"}, {"GIT_AUTHOR_EMAIL": "a@b.c"},
    {"GIT_AUTHOR_NAME": " ", "GIT_AUTHOR_EMAIL": "a@b.c"},
    {"GIT_AUTHOR_NAME": "A <B>", "GIT_AUTHOR_EMAIL": "a@b.c"},
    {"GIT_AUTHOR_NAME": "A B", "GIT_AUTHOR_EMAIL": "nowhere"},
])
def test_nobody_sends(env):
    refused(lambda: series.identity_of(env), "git config --global user.name", "user.email")


def test_somebody_sends():
    env = {"GIT_AUTHOR_NAME": "Zoë B", "GIT_AUTHOR_EMAIL": "z@b.c"}
    assert series.identity_of(env) == "Zoë B <z@b.c>"


def test_sender_with_an_accent(staged):
    staged.sent = series.mails(staged.root, staged.mails, staged.source, "Zoë B <z@b.c>")
    name = email.header.decode_header(read(staged.sent[1])["From"])
    assert str(email.header.make_header(name)) == "Zoë B <z@b.c>"


# checkpatch: a script that says what it is told stands in for the kernel's.

def kernel(tmp_path, script):
    folder = tmp_path / "kernel"
    (folder / "scripts").mkdir(parents=True)
    (folder / "scripts/checkpatch.pl").write_text(script)
    return folder


def says(kind, text, line=1):
    return f'print "$ARGV[-1]:{line}: WARNING:{kind}: {text}\\n"; '


def test_checkpatch_is_strict_and_clean(mailed, tmp_path):
    fake = kernel(tmp_path, 'die unless grep {$_ eq "--strict"} @ARGV; '
                            'die unless grep {$_ eq "--ignore=MISSING_SIGN_OFF"} @ARGV;')
    assert series.check(mailed.root, mailed.sent, fake) == []


def test_checkpatch_finding(mailed, tmp_path):
    fake = kernel(tmp_path, says("LONG_LINE", "too long", 7) + "exit 1;")
    found = series.check(mailed.root, mailed.sent, fake)
    assert [str(finding) for finding in found] == [
        "0001-one.patch:7: WARNING:LONG_LINE: too long", "0002-two.patch:7: WARNING:LONG_LINE: too long"]


def test_new_files_must_be_in_maintainers(mailed, tmp_path):
    fake = kernel(tmp_path, says("FILE_PATH_CHANGES", "added") + "exit 1;")
    assert len(series.check(mailed.root, mailed.sent, fake)) == 2
    mailed.put("MAINTAINERS", "NEW\nF:\tarch/x86/new.c\nF:\ttools/\n")
    assert series.check(mailed.root, mailed.sent, fake) == []


@pytest.mark.parametrize(("pattern", "bare"), [
    ("arch/x86/new.c", ["tools/new.sh"]), ("arch/x86/", ["tools/new.sh"]), ("arch/x86", ["tools/new.sh"]),
    ("*/new.sh", ["arch/x86/new.c"]), ("arch/*", ["arch/x86/new.c", "tools/new.sh"]),
    ("arch/x86/ne", ["arch/x86/new.c", "tools/new.sh"])])
def test_maintainers_patterns(staged, pattern, bare):
    staged.put("MAINTAINERS", f"NEW\nF:\t{pattern}\n")
    assert series.uncovered(staged.root) == bare


def test_kconfig_may_name_its_part(staged, tmp_path):
    staged.edit(CORE, "int f0(void)", 'source "arch/x86/core.c.more"\nint f0(void)')
    staged.commit("three")
    staged.refresh()
    sent = staged.send()
    line = sent[3].read_text().split("\n").index('+source "arch/x86/core.c.more"') + 1
    fake = kernel(tmp_path, f'if ($ARGV[-1] =~ /0003/) {{ {says("EMBEDDED_FILENAME", "x", line)} }}')
    assert series.check(staged.root, sent, fake) == []
    (fake / "scripts/checkpatch.pl").write_text(says("EMBEDDED_FILENAME", "x", 5))
    assert len(series.check(staged.root, sent, fake)) == 3


@pytest.mark.parametrize(("script", "said"), [
    ('die "broken\\n"', "does not run on 0001-one.patch: broken"),
    ("exit 3", "does not run on 0001-one.patch: no message"),
    ('print "gibberish\\n"', "cannot be read: gibberish"),
])
def test_checkpatch_that_does_not_work(mailed, tmp_path, script, said):
    fake = kernel(tmp_path, script)
    refused(lambda: series.check(mailed.root, mailed.sent, fake), said)
