# SPDX-License-Identifier: GPL-2.0-only
"""Turns patches into commits without touching a working tree.

Applying works on an index that holds only the files the series touches, and
git fast-import hangs the results into the kernel's tree: a kernel-sized index
per patch would cost a tenth of a second each.
"""
import os
import re
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from .errors import SeriesError
from .git import GitError
from .patches import Patch, clean


@dataclass(frozen=True)
class Link:
    """A commit of the chain, with its tree and the patch it came from."""
    commit: str
    tree: str
    message: str
    patch: Patch = None

    @property
    def content(self):
        """What the commit says and does, whoever made it and when."""
        return self.tree, self.message


def read(repo, base, tip):
    """The chain of commits after @base up to @tip."""
    fields = repo.fields("log", "-z", "--reverse", "--format=%H%x00%T%x00%B", f"{base}..{tip}")
    return [Link(fields[at], fields[at + 1], clean(fields[at + 2]))
            for at in range(0, len(fields), 3)]


def build(repo, base, patches, root, blobs=None):
    """Commit @patches on top of @base in @repo.

    New files come from @root, or from @blobs: path -> (mode, blob).
    """
    stock = _stock(repo, base, patches)
    _check_claims(patches, stock)
    if blobs is None:
        _check_present(patches, root)
        blobs = _store(repo, patches, root)
    repo.run("read-tree", "--empty")
    repo.run("update-index", "-z", "--index-info", data=_index_info(stock))
    before = dict(stock)
    changes = []
    for patch in patches:
        _apply(repo, patch)
        after = _index(repo)
        lines = [b"D %s\n" % _quoted(path) for path in before.keys() - after.keys()]
        lines += [b"M %s %s %s\n" % (*after[path], _quoted(path)) for path in after
                  if after[path] != before.get(path)]
        lines += [b"M %s %s %s\n" % (*blobs[path], _quoted(path)) for path in patch.adds]
        if not lines:
            raise SeriesError(f"{patch.shown} changes nothing")
        changes.append(sorted(lines))
        before = after
    return _commit(repo, base, patches, changes)


def _quoted(path):
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return os.fsencode(f'"{escaped}"')


def _stock(repo, base, patches):
    """path -> (mode, blob) in @base, for each path that a patch names."""
    named = {path for patch in patches for path in patch.adds}
    named |= {file.path for patch in patches for file in patch.files}
    if not named:
        return {}
    found = {}
    for entry in repo.fields("--literal-pathspecs", "ls-tree", "-z", "-r", base, "--",
                             *sorted(named)):
        meta, _, path = entry.partition("\t")
        mode, _, blob = meta.split(" ")
        found[path] = (mode.encode(), blob.encode())
    return found


def _check_claims(patches, stock):
    """Each new file is added once and whole."""
    owner = {}
    for patch in patches:
        for file in patch.files:
            if file.path in owner:
                raise SeriesError(f"{patch.shown} changes {file.path}, which {owner[file.path]} "
                                  "adds whole: put the change into the file itself")
        for path in patch.adds:
            if path in owner:
                raise SeriesError(f"{path} is added by two patches, {owner[path]} and "
                                  f"{patch.shown}: remove one Adds: line")
            if path in stock:
                raise SeriesError(f"{patch.shown} adds {path}, which stock Linux has: "
                                  "change it with a hunk")
            owner[path] = patch.shown


def _check_present(patches, root):
    for patch in patches:
        for path in patch.adds:
            try:
                mode = Path(root, path).lstat().st_mode
            except OSError:
                raise SeriesError(f"{patch.shown} adds {path}, which is not in the tree: "
                                  "create it or remove the Adds: line") from None
            if not stat.S_ISREG(mode):
                raise SeriesError(f"{patch.shown} adds {path}, which is not a regular file")


def _store(repo, patches, root):
    """Write the new files as blobs: path -> (mode, blob)."""
    paths = [path for patch in patches for path in patch.adds]
    if not paths:
        return {}
    files = [Path(root, path).absolute() for path in paths]
    ids = repo.text("hash-object", "-w", "--no-filters", "--stdin-paths",
                    data=b"".join(os.fsencode(file) + b"\n" for file in files)).split()
    return {path: (mode_of(file), blob.encode())
            for path, file, blob in zip(paths, files, ids, strict=True)}


def mode_of(file):
    """git's mode for a regular file."""
    return b"100755" if file.stat().st_mode & stat.S_IXUSR else b"100644"


def _index_info(stock):
    return b"".join(b"%s %s\t%s\0" % (*entry, os.fsencode(path)) for path, entry in stock.items())


def _index(repo):
    found = {}
    for entry in repo.fields("ls-files", "-z", "--stage"):
        meta, _, path = entry.partition("\t")
        mode, blob, _ = meta.split(" ")
        found[path] = (mode.encode(), blob.encode())
    return found


def _apply(repo, patch):
    if not patch.diff.strip():
        return
    try:
        repo.run("apply", "--cached", "--whitespace=nowarn", "-", data=patch.diff)
    except GitError as error:
        raise SeriesError(_refusal(patch, error.stderr)) from None


def _refusal(patch, said):
    """Which hunk of which file git refused."""
    name = patch.shown
    if match := re.search(r"^error: patch failed: (.+):(\d+)$", said, re.M):
        path, line = match[1], int(match[2])
        hunks = next((file.hunks for file in patch.files if file.path == path), ())
        which = f"hunk {hunks.index(line) + 1} of {len(hunks)}" if line in hunks else "a hunk"
        return f"{name}: {which} for {path} (line {line}) does not apply: correct the patch by hand"
    if match := re.search(r"^error: (.+): does not exist in index$", said, re.M):
        return f"{name}: {match[1]} is not there to be changed: the kernel does not have it (any more)"
    return f"{name} does not apply: {said.strip().splitlines()[0]}"


def _commit(repo, base, patches, changes):
    """Feed all commits to one git fast-import."""
    if not patches:
        return []
    ident = _ident(repo)
    stream = []
    for number, (patch, lines) in enumerate(zip(patches, changes, strict=True), start=1):
        message = patch.message.encode()
        parent = b":%d" % (number - 1) if number > 1 else base.encode()
        stream += [b"commit refs/heads/series\nmark :%d\n" % number, ident,
                   b"data %d\n%s\nfrom %s\n" % (len(message), message, parent), *lines]
    stream.append(b"done\n")
    repo.run("fast-import", "--quiet", "--force", "--done", data=b"".join(stream))
    links = read(repo, base, "refs/heads/series")
    return [replace(link, patch=patch) for link, patch in zip(links, patches, strict=True)]


def _ident(repo):
    lines = b""
    for role in ("AUTHOR", "COMMITTER"):
        name, email, date = (repo.env[f"GIT_{role}_{what}"] for what in ("NAME", "EMAIL", "DATE"))
        lines += f"{role.lower()} {name} <{email}> {date}\n".encode()
    return lines
