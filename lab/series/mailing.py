# SPDX-License-Identifier: GPL-2.0-only
"""series/ to mails that a maintainer applies with git am."""
import os
import re
import shutil
import tempfile
import time
from pathlib import Path

from . import chain, files, patches
from .errors import SeriesError, writing
from .git import scratch

COVER = "cover-letter.txt"


def identity_of(env):
    """"Name <address>" from GIT_AUTHOR_NAME and GIT_AUTHOR_EMAIL in @env."""
    name, email = (env.get(f"GIT_AUTHOR_{what}", "").strip() for what in ("NAME", "EMAIL"))
    if not name or not re.fullmatch(r"[^\s<>]+@[^\s<>]+", email) or re.search(r"[<>\n]", name):
        raise SeriesError("git does not know who sends the mails: run 'git config --global user.name "
                          "\"Your Name\"' and 'git config --global user.email you@example.org'")
    return f"{name} <{email}>"


def mails(root, out, pristine, identity, base=None, reroll=None):
    """Write the series as mails to the folder @out; their paths in order.

    @identity is "Name <address>", @reroll the number of a second or later
    posting.  What was in @out goes, once the new mails are whole.
    """
    root, out = Path(root), Path(out)
    todo = patches.load(root / "series", base)
    if not todo:
        raise SeriesError("series/ holds no patches: there is nothing to mail")
    cover = _cover(root / "series" / COVER)
    with writing(out), files.locked(out.parent / f".{out.name}.lock"):
        fresh = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        try:
            with scratch(pristine.objects, keep=False, identity=identity,
                         date=f"{int(time.time())} +0000") as repo:
                chain.build(repo, pristine.commit, todo, root)
                _format(repo, pristine.commit, cover, fresh, reroll)
            fresh.chmod(0o755)
            return _replace(fresh, out)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def _cover(path):
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SeriesError(f"series/{COVER} cannot be read: {error.strerror}") from None
    lines = text.strip().split("\n")
    if len(lines) < 3 or lines[1].strip():
        raise SeriesError(f"series/{COVER} must be a subject, an empty line and a text")
    return "\n".join(lines) + "\n"


def _format(repo, base, cover, out, reroll):
    repo.run("config", "branch.series.description", cover)
    options = [f"--reroll-count={reroll}"] if reroll else []
    repo.run("format-patch", "--quiet", "--numbered", "--thread=shallow", "--cover-letter",
             "--cover-from-description=subject", "--no-signature", "--no-renames",
             "--diff-algorithm=histogram", "--no-base", "--abbrev=12", "--subject-prefix=PATCH",
             "--encode-email-headers", f"--output-directory={out.absolute()}", *options,
             f"{base}..refs/heads/series")


def _replace(fresh, out):
    """Put @fresh where @out is; the mails' final paths."""
    if out.exists():
        old = fresh.with_name(fresh.name + "-old")
        os.rename(out, old)
        os.rename(fresh, out)
        shutil.rmtree(old)
    else:
        os.rename(fresh, out)
    return sorted(out.glob("*.patch"))
