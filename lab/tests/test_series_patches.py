# SPDX-License-Identifier: GPL-2.0-only
"""The form of a patch file."""
import pytest

from lab.series import patches
from lab.tests.series_fake import CORE, change, refused

DIFF = change(CORE, 3, 30)


def parse(tmp_path, text, name="0001-x.patch"):
    file = tmp_path / "series" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return patches.parse(file)


@pytest.mark.parametrize(("subject", "name"), [
    ("x86/virt/tdx: Add page lists", "0007-x86-virt-tdx-Add-page-lists.patch"),
    ("Fix a.c... and b_c", "0007-Fix-a.c.-and-b_c.patch"),
    ("é", "0007-patch.patch"),
    ("a" * 80, "0007-" + "a" * 52 + ".patch"),
])
def test_file_name(subject, name):
    assert patches.file_name(7, subject) == name


def test_render_then_parse(tmp_path):
    text = patches.render("é: Do it", "Why.\n\nHow.", ["b/new.c", "a/new.c"], DIFF.encode())
    patch = parse(tmp_path, text)
    assert patch.subject == "é: Do it"
    assert patch.adds == ("a/new.c", "b/new.c")
    assert patch.message == "é: Do it\n\nWhy.\n\nHow.\n"
    assert patches.render(patch.subject, patch.body, patch.adds, patch.diff) == text


def test_no_changelog(tmp_path):
    patch = parse(tmp_path, patches.render("Do it", "", [], DIFF.encode()))
    assert patch.message == "Do it\n"


def test_counts_what_hunks_do(tmp_path):
    diff = change(CORE, 3, 30) + change(CORE, 9, 90).partition("+++")[2].partition("\n")[2]
    [file] = parse(tmp_path, f"Subject: x\n\ny\n---\n{diff}").files
    assert (file.path, file.added, file.removed, file.deletes) == (CORE, 2, 2, False)
    assert len(file.hunks) == 2


def test_removed_line_that_looks_like_a_header(tmp_path):
    diff = ("diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n--- a\r\x0cb\n+++ b\n one\n"
            "\\ No newline at end of file\n")
    [file] = parse(tmp_path, f"Subject: x\n\ny\n---\n{diff}").files
    assert (file.added, file.removed) == (1, 1)


@pytest.mark.parametrize(("text", "said"), [
    ("Subject: x\n\nbody\n", "has no '---' line"),
    ("Adds: a\n\nbody\n---\n" + DIFF, "has no Subject: line"),
    ("Subject: x\nTo: me\n\nbody\n---\n" + DIFF, "header line 'To: me'"),
    ("Subject: x\nSubject: y\n\nbody\n---\n" + DIFF, "header line 'Subject: y'"),
    ("Subject: [RFC] x\n\nbody\n---\n" + DIFF, "git am would cut off"),
    ("Subject: x\nAdds: ../a\n\nbody\n---\n", "bad line 'Adds: ../a'"),
    ("Subject: x\nAdds: /a\n\nbody\n---\n", "bad line 'Adds: /a'"),
    ("Subject: x\nAdds: a/b\nAdds: a/b\n\nbody\n---\n", "bad line 'Adds: a/b'"),
    ("Subject: x\n\nbody\n---\n", "changes nothing"),
    ("Subject: x\n\nSee:\ndiff -u a b\n---\n" + DIFF, "the line 'diff -u a b'"),
    ("Subject: x\n\nSee:\n--- a/f\n---\n" + DIFF, "the line '--- a/f'"),
    ("Subject: x\n\nbody\n---\n f | 2 +-\n" + DIFF, "line 5: expected 'diff --git"),
    ("Subject: x\n\nbody\n---\ndiff --git a/f b/g\n", "line 5: expected 'diff --git"),
    ("Subject: x\n\nbody\n---\n" + DIFF[:-20], "the hunk ends too early"),
    ("Subject: x\n\nbody\n---\n" + DIFF.replace(" +", " "), "not a hunk header"),
    ("Subject: x\n\nbody\n---\ndiff --git a/f b/f\nnew file mode 100644\n", "'new file mode 100644'"),
    ("Subject: x\n\nbody\n---\ndiff --git a/f b/f\nrename from f\n", "'rename from f'"),
    ("Subject: x\n\nbody\n---\ndiff --git a/f b/f\nGIT binary patch\n", "f is binary"),
    (b"Subject: x\n\n\xff\n---\n" + DIFF.encode(), "is not UTF-8"),
])
def test_bad_patch(tmp_path, text, said):
    refused(lambda: parse(tmp_path, text), "series/0001-x.patch", said)


def test_bad_names(tmp_path):
    good = "Subject: x\n\ny\n---\n" + DIFF
    parse(tmp_path, good)
    (tmp_path / "series/fix.patch").write_text(good)
    refused(lambda: patches.load(tmp_path / "series"), "series/fix.patch", "NNNN-subject.patch")
    (tmp_path / "series/fix.patch").rename(tmp_path / "series/0001-y.patch")
    refused(lambda: patches.load(tmp_path / "series"), "two patches", "number 0001")


@pytest.mark.parametrize(("message", "said"), [
    ("", "has no commit message"),
    ("one\ntwo", "second line"),
    ("one\n\n---\ntwo", "the line '---'"),
    ("one\n\nIndex: two", "the line 'Index: two'"),
    ("bad \udcff", "not UTF-8"),
])
def test_bad_message(message, said):
    refused(lambda: patches.split_message(message, "commit 1"), "commit 1", said)


def test_message_is_cleaned():
    assert patches.split_message("one  \n\n\n\ntwo\t\n\n\n\nthree\n\n", "") == ("one", "two\n\nthree")
