# SPDX-License-Identifier: GPL-2.0-only
"""The kernel tree people work in: a git repository with the series on a branch.

Two references say what the machinery did last: BASE is the pristine commit that
the series starts from, STAGED the commits as they follow from series/.  Work in
the tree that is not in series/ yet is what differs from STAGED.
"""
import os
import shutil
import tempfile
from pathlib import Path

from . import chain
from .errors import SeriesError
from .git import GitError, Repository

BRANCH = "refs/heads/series"
BASE = "refs/series/base"
STAGED = "refs/series/staged"
# A git operation that waits for its user to go on.
UNFINISHED = ("rebase-merge", "rebase-apply", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD")


class Tree:
    """The working tree at @path; `shown` is what messages call it."""

    def __init__(self, path):
        self.path = Path(path)
        self.repo = Repository(path)
        self.shown = "/".join(self.path.absolute().parts[-2:])

    @property
    def git_dir(self):
        return self.path / ".git"

    @property
    def objects(self):
        return self.git_dir / "objects"

    def exists(self):
        """True when it is there; SeriesError when something else is."""
        if not self.path.exists():
            return False
        if not self.git_dir.is_dir() or not self.repo.commit(BASE):
            raise SeriesError(f"{self.shown} is not a tree that 'make tree' made: move it away")
        return True

    def base(self):
        return self.repo.commit(BASE)

    def head(self):
        """The tip of the branch, once it is certain that HEAD is on it."""
        for name in UNFINISHED:
            if (self.git_dir / name).exists():
                raise SeriesError(f"{self.shown} is in the middle of a git operation: finish it "
                                  "with --continue or --abort first")
        try:
            branch = self.repo.text("symbolic-ref", "--quiet", "HEAD")
        except GitError:
            branch = "no branch"
        if branch != BRANCH:
            raise SeriesError(f"{self.shown} is on {branch.removeprefix('refs/heads/')}, not on the "
                              f"branch series: run 'git -C {self.shown} switch series'")
        return self.repo.commit("HEAD")

    def changes(self, untracked):
        """Paths that differ from HEAD; those git does not know, if @untracked."""
        fields = self.repo.fields("status", "--porcelain", "-z", "--no-renames",
                                  f"--untracked-files={'all' if untracked else 'no'}")
        return [field[3:] for field in fields]

    def work(self):
        """The contents of the commits on the branch."""
        return [link.content for link in chain.read(self.repo, self.base(), self.head())]

    def staged(self):
        """The contents of the commits as last staged or refreshed."""
        return [link.content for link in chain.read(self.repo, self.base(), STAGED)]

    def record(self, base, tip):
        self.repo.run("update-ref", BASE, base)
        self.repo.run("update-ref", STAGED, tip)

    def move(self, tip):
        """Make @tip the branch's; writes only files that differ."""
        try:
            self.repo.run("reset", "--quiet", "--keep", tip)
        except GitError as error:
            raise SeriesError(f"{self.shown} cannot be brought up to date: "
                              f"{_reason(error.stderr)}") from None


def _reason(stderr):
    lines = [line.removeprefix("error: ").strip() for line in stderr.splitlines() if line.strip()]
    return lines[0] if lines else "git gave no reason"


def create(path, pristine):
    """A new tree at @path with the pristine source checked out."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        repo = Repository(fresh)
        repo.run("init", "--quiet", "--template=", "--initial-branch=series")
        repo.run("config", "core.untrackedCache", "true")
        share(pristine, fresh / ".git/objects")
        repo.run("update-ref", BASE, pristine.commit)
        repo.run("reset", "--quiet", "--hard", pristine.commit)
        fresh.chmod(0o755)
        os.rename(fresh, path)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return Tree(path)


def sweep(path):
    """Remove what a killed create() left.  The caller keeps others out."""
    for stale in Path(path).parent.glob(f".{Path(path).name}-*"):
        shutil.rmtree(stale, ignore_errors=True)


def share(pristine, objects):
    """Give the object store @objects the pristine pack.

    A hard link where that works, else a copy, but never a reference to the
    cache: the tree must outlive it.
    """
    folder = Path(objects, "pack")
    folder.mkdir(parents=True, exist_ok=True)
    # The index comes last: git looks for it to find the pack.
    for source in sorted((pristine.objects / "pack").glob("pack-*"), reverse=True):
        target = folder / source.name
        if target.exists():
            continue
        part = folder / f"tmp_{source.name}"
        part.unlink(missing_ok=True)
        try:
            os.link(source, part)
        except OSError:
            shutil.copyfile(source, part)
        os.rename(part, target)
        if source.suffix == ".pack":
            # git gc would spend minutes on packing the kernel again.
            target.with_suffix(".keep").touch()
