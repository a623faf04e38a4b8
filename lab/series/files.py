# SPDX-License-Identifier: GPL-2.0-only
"""The project's files: the folders that mirror the kernel's, and safe writing."""
import contextlib
import fcntl
import os
from pathlib import Path

from .errors import SeriesError


@contextlib.contextmanager
def locked(path):
    """Keep other runs out while the body runs."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def mirror_roots(repo, base):
    """The top folders of the kernel: the same names here hold our new files."""
    return set(repo.fields("ls-tree", "-z", "-d", "--name-only", base))


def mirrored(root, roots):
    """Every file in the project's folders that mirror the kernel's."""
    found = []
    for top in sorted(roots):
        for folder, _, names in os.walk(Path(root, top)):
            found += [Path(folder, name).relative_to(root).as_posix() for name in names]
    return sorted(found)


def check_claimed(root, roots, claimed):
    """SeriesError if a mirrored file is none of @claimed."""
    stray = [path for path in mirrored(root, roots) if path not in claimed]
    if stray:
        raise SeriesError(f"{several(stray)} no patch adds: name it in an Adds: line or remove it")


def several(paths):
    """"a, b and 3 more" for a message."""
    shown = list(paths)[:3]
    rest = len(paths) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


class Transaction:
    """Writes several files so that either all of them change or none.

    put() and remove() only note what to do.  commit() first writes everything
    under other names, where a full disk hurts nobody, then renames.  Leaving the
    `with` block by an exception puts back what was there.
    """

    def __init__(self):
        self._wanted = {}
        self._old = {}

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind:
            self._restore()

    def put(self, path, content, executable=False):
        path = Path(path)
        mode = 0o755 if executable else 0o644
        if not _same(path, content, executable):
            self._wanted[path] = (content, mode)

    def remove(self, path):
        if Path(path).exists():
            self._wanted[Path(path)] = None

    @property
    def written(self):
        return sorted(path for path, new in self._wanted.items() if new)

    @property
    def removed(self):
        return sorted(path for path, new in self._wanted.items() if not new)

    def commit(self):
        parts = {}
        try:
            for path, new in self._wanted.items():
                if new:
                    parts[path] = _write_aside(path, *new)
            for path, new in self._wanted.items():
                self._old[path] = _snapshot(path)
                if new:
                    os.rename(parts[path], path)
                    del parts[path]
                else:
                    path.unlink()
                    _prune(path.parent)
        except OSError as error:
            raise SeriesError(f"cannot write {error.filename or 'series/'}: {error.strerror}; "
                              "nothing was changed") from None
        finally:
            for part in parts.values():
                part.unlink(missing_ok=True)
                _prune(part.parent)

    def _restore(self):
        for path, old in self._old.items():
            if old:
                path.parent.mkdir(parents=True, exist_ok=True)
                os.rename(_write_aside(path, *old), path)
            else:
                path.unlink(missing_ok=True)
                _prune(path.parent)


def _same(path, content, executable):
    return (path.is_file() and path.read_bytes() == content
            and bool(path.stat().st_mode & 0o100) == executable)


def _snapshot(path):
    return (path.read_bytes(), path.stat().st_mode & 0o777) if path.exists() else None


def _write_aside(path, content, mode):
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.new")
    try:
        part.write_bytes(content)
        part.chmod(mode)
    except OSError:
        part.unlink(missing_ok=True)
        _prune(part.parent)
        raise
    return part


def _prune(folder):
    """Remove @folder and its parents as far as they are empty."""
    with contextlib.suppress(OSError):
        while True:
            folder.rmdir()
            folder = folder.parent
