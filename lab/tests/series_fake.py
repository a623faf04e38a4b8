# SPDX-License-Identifier: GPL-2.0-only
"""A tiny kernel and a project around it, for the tests of the series."""
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from lab import series
from lab.series.git import CONFIG, Repository

# Trees that last for a second need not survive a power cut.
CONFIG["core.fsync"] = "none"

STOCK = {
    "Makefile": "# SPDX\nVERSION = 9\nPATCHLEVEL = 9\nSUBLEVEL = 1\nEXTRAVERSION =\n",
    ".gitignore": "*.o\n\n#\n# Debian packaging: all but debian/\n#\n/*\n!/debian/\n",
    ".gitattributes": "*.[ch] diff=cpp\n",
    "MAINTAINERS": "ALPHA\nF:\talpha/\n\nOMEGA\nF:\tomega/\n",
    "arch/x86/core.c": "".join(f"int f{n}(void)\n{{\n\treturn {n};\n}}\n\n" for n in range(20)),
    "arch/x86/old.c": "int old(void)\n{\n\treturn 1;\n}\nint older;\nint oldest;\n",
    "tools/run.sh": "#!/bin/sh\nexit 0\n",
    "Documentation/blob.bin": b"\x00\x01\x02\xff",
}
CORE = "arch/x86/core.c"
IDENTITY = "A Sender <sender@example.org>"


def pack(path, files, top="linux-source-9.9"):
    """A source tarball as Debian ships it, with a symlink and an executable."""
    tree = path.parent / "unpacked" / top
    for name, content in files.items():
        file = tree / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    (tree / "tools/run.sh").chmod(0o755)
    if not (tree / "link").is_symlink():
        (tree / "link").symlink_to("Makefile")
    with tarfile.open(path, "w:xz") as archive:
        archive.add(tree, top)
    return path


class Project:
    """A clone of the project: series/, added files, a cache, build/linux."""

    def __init__(self, folder, tarball):
        self.root = folder / "project"
        self.cache = folder / "cache"
        self.tarball = tarball
        self.tree = self.root / "build/linux"
        self.mails = self.root / "build/series"
        (self.root / "series").mkdir(parents=True)
        self.put("series/cover-letter.txt", "fake: Do a thing\n\nWhat and why.\n")

    @property
    def source(self):
        return series.pristine(self.tarball, self.cache)

    @property
    def git(self):
        return Repository(self.tree)

    def put(self, path, text, mode=0o644):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def patch(self, number, subject, diff="", adds=(), body="Why.", folder="series"):
        """Write a patch file by hand; its path."""
        head = "".join([f"Subject: {subject}\n", *(f"Adds: {path}\n" for path in adds)])
        path = f"{folder}/{number:04d}-{subject}.patch"
        self.put(path, f"{head}\n{body}\n---\n{diff}")
        return path

    def stage(self, **how):
        return series.stage(self.root, self.tree, self.source, **how)

    def refresh(self, **how):
        return series.refresh(self.root, self.tree, **how)

    def send(self, **how):
        return series.mails(self.root, self.mails, self.source, IDENTITY, **how)

    def write(self, path, text):
        """Change a file in the kernel tree."""
        file = self.tree / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def edit(self, path, old, new):
        text = (self.tree / path).read_text()
        assert old in text
        self.write(path, text.replace(old, new))

    def commit(self, message):
        """Commit all there is in the kernel tree."""
        self.git.run("add", "-A")
        self.git.run("commit", "--quiet", "-m", message)
        return self.git.commit("HEAD")

    def head_tree(self):
        return self.git.text("rev-parse", "HEAD^{tree}")

    def state(self):
        """Every file outside build/, with content, mode and time."""
        found = {}
        for folder, names, files in os.walk(self.root):
            names[:] = [name for name in names if name != "build"]
            for name in files:
                file = Path(folder, name)
                stat = file.stat()
                found[str(file.relative_to(self.root))] = (
                    file.read_bytes(), stat.st_mode, stat.st_mtime_ns)
        return found


def two_patches(project):
    """A series of two: a hunk with a new file, then a hunk with a script."""
    project.put("arch/x86/new.c", "int fresh;\n")
    project.put("tools/new.sh", "#!/bin/sh\n", 0o755)
    project.patch(1, "one", change(CORE, 3, 30), ["arch/x86/new.c"])
    project.patch(2, "two", change(CORE, 17, 170), ["tools/new.sh"], body="First.\n\nSecond.")


def change(path, old, new, content=None):
    """A diff that turns `return old;` into `return new;` in the stock file @path."""
    lines = (content or STOCK[path]).splitlines()
    at = lines.index(f"\treturn {old};")
    first, last = max(at - 3, 0), min(at + 3, len(lines) - 1)
    body = "".join(f" {line}\n" for line in lines[first:at])
    body += f"-\treturn {old};\n+\treturn {new};\n"
    body += "".join(f" {line}\n" for line in lines[at + 1:last + 1])
    count = last - first + 1
    above = [line for line in lines[:first] if line[:1].isalpha()]
    name = f" {above[-1]}" if above else ""
    return (f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n"
            f"@@ -{first + 1},{count} +{first + 1},{count} @@{name}\n{body}")


def refused(call, *parts, **how):
    """@call fails with one line that holds each of @parts; the line."""
    with pytest.raises(series.SeriesError) as caught:
        call(**how)
    text = str(caught.value)
    assert "\n" not in text
    for part in parts:
        assert part in text, text
    return text


def git_am(source, mails, folder, paths=()):
    """Apply @mails to a plain clone of @source with git's own defaults; its HEAD's tree.

    With @paths no other files are written to the working tree.
    """
    run = ["git", "-c", "user.name=M", "-c", "user.email=m@example.org", "-c", "commit.gpgSign=false",
           "-c", "safe.directory=*"]
    git = [*run, "-C", str(folder)]
    for command in ([*run, "clone", "-q", "--shared", "--no-checkout", str(source), str(folder)],
                    [*git, "sparse-checkout", "set", "--no-cone", *(f"/{path}" for path in paths)],
                    [*git, "checkout", "-q", "pristine"],
                    [*git, "am", "-q", *map(str, mails)]):
        if paths or "sparse-checkout" not in command:
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return subprocess.run([*git, "rev-parse", "HEAD^{tree}"], check=True, text=True,
                          capture_output=True).stdout.strip()


@pytest.fixture(scope="session")
def tarball(tmp_path_factory):
    return pack(tmp_path_factory.mktemp("source") / "linux-source-9.9.tar.xz", STOCK)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def project(tmp_path, tarball, cache):
    """A project without patches; its pristine source is shared by all tests."""
    made = Project(tmp_path, tarball)
    made.cache = cache
    return made


@pytest.fixture
def staged(project):
    """A project with two patches, staged."""
    two_patches(project)
    project.stage()
    return project
