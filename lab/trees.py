# SPDX-License-Identifier: GPL-2.0-only
"""The kernel trees of the lab: stock, as unpacked, and the series in build/linux."""
import os
import subprocess
import tempfile
from pathlib import Path

from lab import kernel as kernels
from lab import own, place, series, source
from lab.say import LabError, line, step

SERIES_TREE = place.BUILD / "linux"
MAILS = place.BUILD / "series"
STOCK_TREES = place.CACHE / "trees"
# The base that stands for the tree that LINUX names.
OWN = "own"


def choice(name, allowed):
    """The environment's @name, one of @allowed; the first one if it is not set."""
    text = os.environ.get(name) or allowed[0]
    if text not in allowed:
        raise LabError(f"{name}={text}: there is {' and '.join(allowed)}")
    return text


def wanted_base():
    """What the environment chooses for the TDX host; a bad choice, a tree of no use too, is a clear error."""
    return OWN if own.host() else choice("BASE", ("series", "stock"))


def version():
    return choice("KERNEL", source.BASES)


def override():
    """The name of the folder with this version's own patches; None for the main version."""
    return None if version() == source.BASES[0] else version()


def pristine():
    """The stock source as a git repository in the cache."""
    tarball = source.tarball(version())
    name = tarball.name.removesuffix(".tar.xz")
    if list((place.CACHE / "pristine").glob(f"{name}-*")):
        return series.pristine(tarball, place.CACHE)
    with step("stock source") as s:
        found = series.pristine(tarball, place.CACHE, lambda text: setattr(s, "detail", text))
        s.detail = f"Linux {found.release} as a git repository"
    return found


def stock():
    """A plain tree of the stock source, shared by all clones; nobody writes to it."""
    found = pristine()
    target = STOCK_TREES / f"linux-{found.release}-{found.commit[:12]}"
    with place.locked(target):
        if not target.exists():
            with step("stock tree") as s, tempfile.TemporaryDirectory(dir=STOCK_TREES) as tmp:
                archive = subprocess.Popen(["git", "-C", found.path, "archive", "--prefix=linux/",
                                            found.commit], stdout=subprocess.PIPE)
                unpack = subprocess.run(["tar", "-x", "-C", tmp], stdin=archive.stdout,
                                        capture_output=True, text=True)
                if archive.wait() or unpack.returncode:
                    raise LabError(f"cannot unpack the stock tree: {unpack.stderr.strip()[:200]}")
                (Path(tmp) / "linux").rename(target)
                s.detail = f"Linux {found.release}"
    return target


def stage(work):
    """Bring build/linux to the state of series/; @work as in series.stage()."""
    found = pristine()
    place.BUILD.mkdir(exist_ok=True)
    with step("series") as s:
        staged = series.stage(place.SRC, SERIES_TREE, found, override(), work)
        s.detail = f"{len(staged.links)} patches on Linux {found.release}"
        if staged.work:
            s.detail += f"; building your work in build/linux too ({staged.work})"
        elif not staged.changed and not staged.fresh:
            s.detail += ", unchanged"
    return staged


def kernel(base, **how):
    """The kernel of @base ("series", "stock", OWN), its tree made or staged as need be."""
    if base == OWN:
        return own.host()
    if base == "stock":
        tree = stock()
    else:
        stage(series.KEEP)
        tree = SERIES_TREE
    name = base if override() is None else f"{base}-{version()}"
    return kernels.Kernel(name, tree, **how)


def tree():
    discard = os.environ.get("DISCARD") == "1"
    stage(series.DISCARD if discard else series.REFUSE)
    line("build/linux: branch series; edit and commit there, then make refresh")


def refresh():
    done = series.refresh(place.SRC, SERIES_TREE, override(), os.environ.get("OVERWRITE") == "1")
    for path in done.written:
        line(f"written {place.shown(path)}")
    for path in done.removed:
        line(f"removed {place.shown(path)}")
    line(f"series/ has what build/linux has ({len(done.written)} written, {len(done.removed)} removed)")


def mails():
    identity = series.identity_of(os.environ)
    for path in series.mails(place.SRC, MAILS, pristine(), identity, override()):
        line(place.shown(path))


def scratch(name, repository, commit):
    """build/@name: a clone of @repository at @commit whose work tree may be changed, as nobody changed it yet."""
    clone = place.BUILD / name

    def git(*args, cwd=clone):
        subprocess.run(["git", *args], cwd=cwd, text=True, capture_output=True, check=True)
    if not clone.exists():
        clone.parent.mkdir(parents=True, exist_ok=True)
        git("clone", "--quiet", "--shared", "--no-checkout", str(repository), str(clone), cwd=place.BUILD)
    git("fetch", "--quiet", "--no-tags", str(repository), commit)
    git("checkout", "--quiet", "--force", "--detach", commit)
    return clone


def unsaved_work():
    """What build/linux holds that series/ does not, in words; empty if nothing."""
    if not (SERIES_TREE / ".git").exists():
        return ""
    return series.stage(place.SRC, SERIES_TREE, pristine(), override(), series.KEEP).work
