# SPDX-License-Identifier: GPL-2.0-only
"""What `make test` asks about the series."""
import fnmatch
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import patches
from .errors import SeriesError

# Whoever posts the series signs it off; the project cannot.
INHERENT = ("MISSING_SIGN_OFF",)
# Without the history of the kernel, checkpatch has nothing to look up in git.
NO_GIT = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "HOME": "/nonexistent",
          "GIT_DIR": "/nonexistent"}
FINDING = re.compile(r"(.*?):(\d+): (ERROR|WARNING|CHECK):(\w+): (.*)")


@dataclass(frozen=True)
class Finding:
    """A complaint of checkpatch: @line is in the mail."""
    mail: str
    line: int
    level: str
    kind: str
    text: str

    def __str__(self):
        return f"{self.mail}:{self.line}: {self.level}:{self.kind}: {self.text}"


@dataclass(frozen=True)
class Touched:
    """A file that a patch changes or adds, at its kernel path."""
    path: str
    adds: bool
    deletes: bool

    @property
    def is_c(self):
        return self.path.endswith((".c", ".h"))


def touched(root, base=None):
    """(patch name, its files) for each patch in order."""
    result = []
    for patch in patches.load(Path(root, "series"), base):
        found = [Touched(path, True, False) for path in patch.adds]
        found += [Touched(file.path, False, file.deletes) for file in patch.files]
        result.append((patch.name, sorted(found, key=lambda file: file.path)))
    return result


def checkpatch(mail, kernel):
    """What the checkpatch.pl --strict of the source tree @kernel says to one mail."""
    kernel = Path(kernel).absolute()
    done = subprocess.run(
        ["perl", "scripts/checkpatch.pl", "--strict", "--terse", "--no-summary", "--show-types",
         "--color=never", f"--ignore={','.join(INHERENT)}", str(Path(mail).absolute())],
        cwd=kernel, env=NO_GIT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        errors="replace")
    found = [_finding(Path(mail).name, line) for line in done.stdout.splitlines() if line.strip()]
    if done.stderr.strip() or (done.returncode and not found):
        said = (done.stderr.strip() or "no message").splitlines()[0]
        raise SeriesError(f"checkpatch.pl does not run on {Path(mail).name}: {said}")
    return found


def _finding(mail, line):
    match = FINDING.fullmatch(line)
    if not match:
        raise SeriesError(f"checkpatch.pl says of {mail} what cannot be read: {line}")
    return Finding(mail, int(match[2]), match[3], match[4], match[5])


def check(root, mails, kernel):
    """All findings of checkpatch on @mails that stand."""
    bare = uncovered(root)
    standing = []
    for mail in mails:
        if Path(mail).name.startswith("0000-"):
            continue
        lines = Path(mail).read_text(encoding="utf-8", errors="replace").split("\n")
        standing += [finding for finding in checkpatch(mail, kernel)
                     if not _answered(finding, lines[finding.line - 1], bare)]
    return standing


def _answered(finding, line, bare):
    """Is there nothing to do about @finding, which is about @line of the mail?"""
    if finding.kind == "FILE_PATH_CHANGES":
        # "Does MAINTAINERS need updating?"  Not when it covers each new file.
        return not bare
    # Kconfig has to name Kconfig.tdx, and its own name is a part of that.
    return finding.kind == "EMBEDDED_FILENAME" and line.startswith('+source "')


def uncovered(root):
    """Added files that no F: line of the project's MAINTAINERS covers."""
    try:
        text = Path(root, "MAINTAINERS").read_text(encoding="utf-8")
    except OSError:
        text = ""
    patterns = re.findall(r"^F:\t(.*)$", text, re.M)
    added = [file.path for _, found in touched(root) for file in found if file.adds]
    return [path for path in added if not any(_covers(pattern, path) for pattern in patterns)]


def _covers(pattern, path):
    """As get_maintainer.pl has it: a trailing slash takes all below, * stops at a slash."""
    if pattern.endswith("/"):
        return path.startswith(pattern)
    return (pattern.count("/") == path.count("/") and fnmatch.fnmatchcase(path, pattern)) \
        or path.startswith(pattern + "/")
