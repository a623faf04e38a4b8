# SPDX-License-Identifier: GPL-2.0-only
"""The form in which a commit is stored: series/NNNN-subject.patch.

    Subject: x86/virt/tdx: Add page lists
    Adds: arch/x86/virt/vmx/tdx/page_list.c

    The changelog.
    ---
    diff --git a/arch/x86/virt/vmx/tdx/Makefile b/arch/x86/virt/vmx/tdx/Makefile
    ...

The diff is against files that stock Linux has.  A file named by an Adds: line is
in the tree at its kernel path, whole.
"""
import re
from dataclasses import dataclass
from pathlib import Path

from .errors import SeriesError

NAME = re.compile(r"(\d{4})-(.+)\.patch")
HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
FRESH = ("new file mode", "rename from", "rename to", "copy from", "copy to")
# git am takes such a line for the end of the changelog.
BREAKS = re.compile(r"---\s*$|--- \S|diff -|Index: ")


@dataclass(frozen=True)
class FileDiff:
    """The hunks for one file: where each starts in the old file, what they do."""
    path: str
    deletes: bool
    hunks: tuple
    added: int
    removed: int


@dataclass(frozen=True)
class Patch:
    """One patch; `origin` is the file it came from, for messages."""
    name: str
    origin: Path
    subject: str
    body: str
    adds: tuple
    diff: bytes
    files: tuple

    @property
    def message(self):
        """The commit message."""
        return f"{self.subject}\n\n{self.body}\n" if self.body else f"{self.subject}\n"

    @property
    def shown(self):
        """Its file as the user knows it."""
        return shown(self.origin)

    @property
    def slug(self):
        return slug_of(self.name)


def slug_of(name):
    """What of a patch file's name stays when patches are renumbered."""
    return NAME.fullmatch(name)[2]


def file_name(number, subject):
    """NNNN-subject.patch, in characters that every file system takes."""
    slug = re.sub(r"[^A-Za-z0-9._]+", "-", subject)
    slug = re.sub(r"\.{2,}", ".", slug).strip("-")[:52].rstrip(".-")
    return f"{number:04d}-{slug or 'patch'}.patch"


def render(subject, body, adds, diff):
    """The bytes of a patch file."""
    head = [f"Subject: {subject}", *(f"Adds: {path}" for path in sorted(adds)), ""]
    if body:
        head.append(body)
    return "\n".join([*head, "---", ""]).encode() + diff


def clean(message):
    """A commit message as git's own clean-up would leave it, without the last newline."""
    text = "\n".join(line.rstrip() for line in message.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


def split_message(message, where):
    """(subject, body) of a commit message that survives being mailed."""
    subject, _, rest = clean(message).partition("\n")
    if not subject:
        raise SeriesError(f"{where} has no commit message")
    if rest and not rest.startswith("\n"):
        raise SeriesError(f"{where}: the second line of the commit message must be empty")
    if subject.startswith("["):
        raise SeriesError(f"{where}: the subject begins with '[', which git am would cut off")
    for line in rest.split("\n"):
        if BREAKS.match(line):
            raise SeriesError(f"{where}: the changelog holds the line '{line}', "
                              "where a mail's changelog ends: indent it")
    try:
        message.encode()
    except UnicodeEncodeError:
        raise SeriesError(f"{where}: the commit message is not UTF-8") from None
    return subject, rest.strip("\n")


def load(series, base=None):
    """The patches of the folder @series in order, with the overrides for @base."""
    series = Path(series)
    patches = [parse(path) for path in patch_files(series)]
    numbers = [patch.name[:4] for patch in patches]
    for number in numbers:
        if numbers.count(number) > 1:
            raise SeriesError(f"two patches in {series.name}/ have the number {number}: "
                              "renumber one")
    if not base:
        return patches
    overrides = {path.name: parse(path) for path in patch_files(series / base)}
    for name in overrides.keys() - {patch.name for patch in patches}:
        raise SeriesError(f"{series.name}/{base}/{name} overrides no patch: "
                          f"there is no {series.name}/{name}")
    return [overrides.get(patch.name, patch) for patch in patches]


def patch_files(folder):
    """The patch files in @folder by number; any other *.patch is an error."""
    found = sorted(Path(folder).glob("*.patch"))
    for path in found:
        if not NAME.fullmatch(path.name):
            raise SeriesError(f"{shown(path)}: a patch is named NNNN-subject.patch")
    return found


def adds_of(path):
    """The Adds: lines of a patch file that need not be sound otherwise."""
    head = Path(path).read_bytes().partition(b"\n\n")[0].decode(errors="replace")
    return [line[6:].strip() for line in head.splitlines() if line.startswith("Adds: ")]


def shown(path):
    """series/0001-x.patch or series/7.3/0001-x.patch, for messages."""
    parts = path.absolute().parts
    return "/".join(parts[-3 if parts[-2][:1].isdigit() else -2:])


def parse(path):
    """Read one patch file; SeriesError says what is wrong with it."""
    where = shown(Path(path))
    raw = Path(path).read_bytes()
    head, mark, diff = raw.partition(b"\n---\n")
    if not mark:
        raise SeriesError(f"{where} has no '---' line after its changelog")
    try:
        header, _, body = head.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise SeriesError(f"{where}: the changelog is not UTF-8") from None
    subject, adds = _header(header, where)
    subject, body = split_message(f"{subject}\n\n{body}", where)
    if not adds and not diff.strip():
        raise SeriesError(f"{where} changes nothing")
    return Patch(Path(path).name, Path(path), subject, body, tuple(sorted(adds)), diff,
                 tuple(parse_diff(diff, where, raw.count(b"\n") - diff.count(b"\n"))))


def _header(header, where):
    subject, adds = None, []
    for line in header.rstrip("\n").split("\n"):
        key, _, value = line.partition(": ")
        if key == "Subject" and subject is None and value.strip():
            subject = value.strip()
        elif key == "Adds" and value.strip():
            adds.append(value.strip())
        else:
            raise SeriesError(f"{where}: header line '{line}' is neither the Subject: nor an Adds:")
    if not subject:
        raise SeriesError(f"{where} has no Subject: line")
    for path in adds:
        if path.startswith("/") or ".." in path.split("/") or adds.count(path) > 1:
            raise SeriesError(f"{where}: bad line 'Adds: {path}'")
    return subject, adds


def parse_diff(diff, where, line=0):
    """Yield a FileDiff for each file; @line is where the diff starts in the patch."""
    lines = re.findall(rb"[^\n]*\n|[^\n]+", diff)
    at = 0
    while at < len(lines):
        try:
            found, at = _file(lines, at, where)
        except ValueError as error:
            raise SeriesError(f"{where}, line {line + at + 1}: {error}") from None
        yield found


def _file(lines, at, where):
    """One file's part of a diff, and where the next begins."""
    path = _path(lines[at])
    at += 1
    deletes = False
    while at < len(lines) and not lines[at].startswith((b"@@", b"diff --git ")):
        text = lines[at].decode(errors="replace").rstrip("\n")
        if text.startswith(FRESH):
            raise SeriesError(f"{where}: a hunk may only change a file that stock Linux has, but "
                              f"{path} is '{text}': put a new file in the tree and name it in an Adds: line")
        if text.startswith(("GIT binary patch", "Binary files ")):
            raise SeriesError(f"{where}: {path} is binary: a patch can change text only")
        deletes |= text.startswith("deleted file mode")
        at += 1
    hunks, added, removed = [], 0, 0
    while at < len(lines) and lines[at].startswith(b"@@"):
        start, plus, minus, at = _hunk(lines, at)
        hunks.append(start)
        added, removed = added + plus, removed + minus
    return FileDiff(path, deletes, tuple(hunks), added, removed), at


def _path(line):
    match = re.fullmatch(rb"diff --git a/(.+) b/\1\n", line)
    if not match:
        raise ValueError("expected 'diff --git a/FILE b/FILE'")
    return match[1].decode(errors="surrogateescape")


def _hunk(lines, at):
    """(first old line, lines added, lines removed, where the next begins)."""
    match = HUNK.match(lines[at])
    if not match:
        raise ValueError("not a hunk header")
    old, new = int(match[2] or 1), int(match[4] or 1)
    plus = minus = 0
    at += 1
    while old > 0 or new > 0:
        sign = lines[at][:1] if at < len(lines) else b""
        if sign not in (b" ", b"+", b"-", b"\\", b"\n"):
            raise ValueError("the hunk ends too early")
        old -= sign in (b" ", b"-", b"\n")
        new -= sign in (b" ", b"+", b"\n")
        plus += sign == b"+"
        minus += sign == b"-"
        at += 1
    if at < len(lines) and lines[at].startswith(b"\\"):
        at += 1
    return int(match[1]), plus, minus, at
