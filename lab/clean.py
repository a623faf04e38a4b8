# SPDX-License-Identifier: GPL-2.0-only
"""make clean: removes what can be made again, and nothing else."""
import os
import shutil

from lab import place, trees
from lab.say import LabError, line


def clean():
    kept = "" if os.environ.get("DISCARD") == "1" else trees.unsaved_work()
    for path in sorted(place.BUILD.glob("*")):
        if kept and path == trees.SERIES_TREE:
            continue
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    if kept:
        raise LabError(f"build/linux kept: it has {kept}; make refresh saves it, "
                       "make clean DISCARD=1 throws it away")
    place.BUILD.rmdir() if place.BUILD.exists() else None
    line("build/ removed")
