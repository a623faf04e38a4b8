# SPDX-License-Identifier: GPL-2.0-only
"""Where things are inside the toolbox (lab/inside mounts them there)."""
import contextlib
import fcntl
from pathlib import Path

SRC = Path("/src")
CACHE = Path("/cache")
BUILD = SRC / "build"
LOGS = BUILD / "log"
# Files and folders that variables of the user's name, each under the name of its variable, read-only.
GIVEN = Path("/run/given")


def shown(path):
    """A path as the user knows it: relative to the clone."""
    path = Path(path)
    return str(path.relative_to(SRC)) if path.is_relative_to(SRC) else str(path)


@contextlib.contextmanager
def locked(path):
    """Only one run of the lab at a time works on @path; the lock lies beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
