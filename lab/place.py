# SPDX-License-Identifier: GPL-2.0-only
"""Where things are inside the toolbox (lab/inside mounts them there)."""
from pathlib import Path

SRC = Path("/src")
CACHE = Path("/cache")
BUILD = SRC / "build"
LOGS = BUILD / "log"


def shown(path):
    """A path as the user knows it: relative to the clone."""
    path = Path(path)
    return str(path.relative_to(SRC)) if path.is_relative_to(SRC) else str(path)
