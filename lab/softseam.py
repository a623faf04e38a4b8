# SPDX-License-Identifier: GPL-2.0-only
"""Builds softseam's plugin and the program that starts it, with their own Makefile."""
import os

from lab import place
from lab.say import command

OUT = place.BUILD / "softseam"


def make(*targets, log="softseam.log", what="building softseam", on_line=None):
    return command(["make", "-C", place.SRC / "softseam", f"O={OUT}", f"-j{os.cpu_count()}", *targets],
                   log, what, on_line)


def build():
    with place.locked(OUT):
        make("plugin", "run")
