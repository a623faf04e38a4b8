# SPDX-License-Identifier: GPL-2.0-only
"""The pristine kernel as a git repository with one commit.

Debian ships the source as a tarball.  It goes straight into a single pack:
unpacking 95,000 files only to add them to git would take several times as long.
"""
import contextlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .errors import SeriesError, writing
from .files import locked
from .git import DATE, IDENTITY, Repository, environment

REF = "refs/heads/pristine"
# Part of the repository's name: raise it when the same tarball is to give another tree.
FORMAT = 1


@dataclass(frozen=True)
class Pristine:
    """The pristine source: a bare repository, its one commit, "7.2.12"."""
    path: Path
    commit: str
    release: str

    @property
    def objects(self):
        return self.path / "objects"


def pristine(tarball, cache, progress=None):
    """The repository of @tarball's source under @cache; made when it is missing.

    @progress, if given, is called with a short text now and then.  Runs at the
    same time make it once; a broken run leaves nothing that a later one takes
    for whole.
    """
    tarball, folder = Path(tarball), Path(cache) / "pristine"
    try:
        stat = tarball.stat()
    except OSError as error:
        raise SeriesError(f"no kernel source at {tarball}: {error.strerror}") from None
    path = folder / (f"{tarball.name.split('.tar')[0]}-{stat.st_size}-{int(stat.st_mtime)}"
                     f".{FORMAT}.git")
    if not path.exists():
        with writing(folder), locked(folder / "lock"):
            _sweep(folder)
            if not path.exists():
                _make(tarball, path, progress or (lambda text: None))
    return _open(path)


def _open(path):
    repo = Repository(path)
    commit = repo.commit(REF)
    if not commit:
        raise SeriesError(f"{path} holds no kernel source: remove it and run again")
    return Pristine(path, commit, repo.text("log", "-1", "--format=%s", commit).split()[1])


def _sweep(folder):
    """Remove what a killed run left.  The caller holds the lock."""
    for stale in folder.glob("new-*"):
        shutil.rmtree(stale, ignore_errors=True)


def _make(tarball, path, progress):
    fresh = Path(tempfile.mkdtemp(prefix="new-", dir=path.parent))
    try:
        repo = Repository(fresh)
        repo.run("init", "--quiet", "--bare", "--template=", "--initial-branch=pristine")
        _import(tarball, repo, progress)
        fresh.chmod(0o755)
        os.rename(fresh, path)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def _import(tarball, repo, progress):
    """Stream the tarball's files through git fast-import into one commit."""
    unpack = subprocess.Popen(["xz", "-dc", "-T0", str(tarball.absolute())],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    store = subprocess.Popen(
        ["git", "-c", "pack.compression=1", "-c", "fastimport.unpackLimit=0",
         "fast-import", "--quiet", "--depth=0", "--done"],
        cwd=repo.path, env=environment(), stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        _stream(unpack.stdout, store.stdin, tarball.name, progress)
        store.stdin.close()
        if store.wait():
            raise SeriesError(f"git fast-import failed: {_said(store)}")
    except (tarfile.TarError, EOFError) as error:
        raise SeriesError(f"{tarball} is broken: {_said(unpack, error)}") from None
    except BrokenPipeError:
        raise SeriesError(f"git fast-import failed: {_said(store)}") from None
    finally:
        for child in (unpack, store):
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout, child.stderr):
                with contextlib.suppress(OSError, AttributeError):
                    pipe.close()


def _said(child, otherwise="it was killed"):
    """The first line a dying @child printed."""
    lines = child.stderr.read().decode(errors="replace").strip().splitlines()
    return lines[0] if lines else otherwise


def _stream(source, out, name, progress):
    entries, release, mark = [], None, 0
    archive = tarfile.open(fileobj=source, mode="r|", bufsize=1 << 20)
    for member in archive:
        path = member.name.removeprefix("./").partition("/")[2]
        if not path or member.isdir():
            continue
        mode, content = _content(archive, member, path)
        if path == "Makefile":
            release = _release(content)
        elif path == ".gitignore":
            content = _without_debian(content)
        mark += 1
        out.write(b"blob\nmark :%d\ndata %d\n%b\n" % (mark, len(content), content))
        entries.append(b"M %s :%d %s\n" % (mode, mark, _quoted(path)))
        if mark % 5000 == 0:
            progress(f"{mark} files")
    if not release:
        raise SeriesError(f"{name} is no kernel source: it has no Makefile with a VERSION")
    _commit(out, f"Linux {release}\n\nAs in Debian's {name}.\n".encode(), entries)


def _content(archive, member, path):
    if member.issym():
        return b"120000", os.fsencode(member.linkname)
    if not member.isreg():
        raise SeriesError(f"the kernel source holds {path}, which is no file and no symlink")
    return (b"100755" if member.mode & 0o100 else b"100644"), archive.extractfile(member).read()


def _without_debian(ignore):
    """The kernel's .gitignore without the part that Debian appends.

    That part hides everything but debian/, so a new file would go unnoticed.
    """
    parts = ignore.split(b"\n\n")
    return b"\n\n".join(part for part in parts if b"/*" not in part.split(b"\n")).rstrip() + b"\n"


def _commit(out, message, entries):
    out.write(b"commit %s\n" % REF.encode())
    for role in (b"author", b"committer"):
        out.write(b"%s %s %s\n" % (role, IDENTITY.encode(), DATE.encode()))
    out.write(b"data %d\n%s\n" % (len(message), message))
    out.writelines(entries)
    out.write(b"done\n")


def _quoted(path):
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return os.fsencode(f'"{escaped}"')


def _release(makefile):
    """"7.2.12" from the kernel's Makefile, None if that is not what it is."""
    text = makefile.decode(errors="replace")
    found = [re.search(rf"^{key} *= *(\S*)$", text, re.M)
             for key in ("VERSION", "PATCHLEVEL", "SUBLEVEL", "EXTRAVERSION")]
    if not all(found[:3]):
        return None
    release = ".".join(match[1] for match in found[:3])
    return release + (found[3][1] if found[3] else "")
