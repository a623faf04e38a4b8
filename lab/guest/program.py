# SPDX-License-Identifier: GPL-2.0-only
"""Builds the program that starts TDs on the TDX host."""
from pathlib import Path

from lab import initramfs, place
from lab.say import command

SOURCE = Path(__file__).parent / "host/td_host.c"
OUT = place.BUILD / "guest"


def build():
    """The program, linked so that it needs nothing else."""
    program = OUT / SOURCE.stem
    with place.locked(OUT):
        OUT.mkdir(parents=True, exist_ok=True)
        if not program.exists() or program.stat().st_mtime < SOURCE.stat().st_mtime:
            command(["gcc", *initramfs.CFLAGS, "-o", program, SOURCE], "td_host.log", "compiling td_host.c")
    return program
