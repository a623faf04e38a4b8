# SPDX-License-Identifier: GPL-2.0-only
"""A real browser, which talks to nobody, and the picture of a run's report that the README shows."""
import subprocess
import tempfile
from pathlib import Path

from lab import place
from lab.say import LabError, line

PICTURE = place.SRC / "doc/report.png"
PICTURE_SIZE = "1100,1400"

CHROMIUM = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
            "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=4000"]


def run(page, profile, *options):
    done = subprocess.run([*CHROMIUM, f"--user-data-dir={profile}", *options, page.as_uri()], text=True,
                          capture_output=True, timeout=180)
    assert done.returncode == 0, done.stderr[-500:]
    return done.stdout


def dom(page, profile):
    """The document after its scripts have run, as HTML."""
    return run(page, profile, "--dump-dom")


def screenshot(page, profile, path, size="1200,1500", dark=False):
    options = ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if dark else []
    run(page, profile, f"--screenshot={path}", f"--window-size={size}", "--hide-scrollbars", *options)


def picture():
    """make picture: draw doc/report.png from the report of the last run."""
    page = place.BUILD / "run/report.html"
    if not page.exists():
        raise LabError(f"there is no {place.shown(page)}: make run first")
    PICTURE.parent.mkdir(exist_ok=True)
    new = PICTURE.with_name("report.new.png")
    with tempfile.TemporaryDirectory() as profile:
        try:
            screenshot(page, Path(profile), new, PICTURE_SIZE)
            new.rename(PICTURE)
        finally:
            new.unlink(missing_ok=True)
    line(place.shown(PICTURE))
