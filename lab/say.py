# SPDX-License-Identifier: GPL-2.0-only
"""What the lab tells the user: one line a step, progress on long ones."""
import contextlib
import re
import subprocess
import sys
import threading
import time

from lab import place

PROGRESS_SECONDS = 15


class LabError(Exception):
    """Something the user must know: one line that says what to do."""


def line(text):
    """One write, so that threads do not mix their lines."""
    print(f"{text}\n", end="", flush=True)


class Step:
    """A long step: `detail` is shown while it runs and when it is done."""

    def __init__(self, name):
        self.name = name
        self.detail = ""
        self.start = time.monotonic()
        self._done = threading.Event()

    def seconds(self):
        return time.monotonic() - self.start

    def _tick(self):
        every = 1 if sys.stdout.isatty() else PROGRESS_SECONDS
        while not self._done.wait(every):
            text = f"{self.name}: {self.detail or 'working'}, {self.seconds():.0f} s"
            if sys.stdout.isatty():
                print(f"\r\033[K{text}", end="", flush=True)
            else:
                line(text)


@contextlib.contextmanager
def step(name):
    """Show progress while the body runs and one line with its time after it."""
    s = Step(name)
    ticker = threading.Thread(target=s._tick, daemon=True)
    ticker.start()
    try:
        yield s
    finally:
        s._done.set()
        ticker.join()
        if sys.stdout.isatty():
            print("\r\033[K", end="")
    line(f"{name}: {s.detail or 'done'} ({s.seconds():.1f} s)")


def renamed(text, there, here):
    """@text with paths that begin with @there beginning with @here; include@there is another path."""
    return re.sub(rf"(?<![\w./-]){re.escape(there)}", lambda _: here, text)


def command(cmd, log, what, on_line=None, rename=("", ""), **popen):
    """Run @cmd with its output in build/log/@log; LabError with its last words.

    @rename replaces the beginning of paths in the toolbox by what the user knows.
    """
    place.LOGS.mkdir(parents=True, exist_ok=True)
    path = place.LOGS / log
    last = []
    with path.open("w") as out:
        proc = subprocess.Popen(cmd, stdin=subprocess.DEVNULL, text=True, errors="replace",
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **popen)
        for text in proc.stdout:
            text = renamed(text, *rename) if rename[0] else text
            out.write(text)
            last = (last + [text.rstrip()])[-400:]
            if on_line:
                on_line(text)
        status = proc.wait()
    if status:
        raise LabError(f"{what} failed: {first_error(last)} (all of it: {place.shown(path)})")
    return path


CAUSES = ("No space left on device",)
ERRORS = ("error:", "ERROR:", "undefined reference", "*** ")


def first_error(lines):
    """The first line that names a cause or, without one, an error; else the last line."""
    for words in (CAUSES, ERRORS):
        for text in lines:
            if any(word in text for word in words):
                return text.strip()
    return lines[-1].strip() if lines else "no output"
