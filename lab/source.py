# SPDX-License-Identifier: GPL-2.0-only
"""Kernel sources as Debian packages them: found, fetched once, kept in the cache."""
import re
import subprocess
import tempfile
from pathlib import Path

from lab import place
from lab.say import LabError, step

# The base versions that series/ is known to apply to, the main one first.
BASES = ("7.2", "7.3")

APT = place.CACHE / "apt"
EXPERIMENTAL = "deb {mirror} experimental main"


def apt(*args, tool="apt-get", cwd=APT):
    """Run an apt tool with state of the lab's own: the toolbox is read-only.  Downloads go to @cwd."""
    for folder in ("lists/partial", "cache/archives/partial"):
        (APT / folder).mkdir(parents=True, exist_ok=True)
    options = [f"-oDir::State::lists={APT}/lists", f"-oDir::Cache={APT}/cache",
               f"-oDir::Etc::sourcelist={sources_list()}", "-oDir::Etc::sourceparts=-",
               "-oAPT::Sandbox::User=root", "-oAcquire::Check-Valid-Until=false",
               "-oAcquire::Retries=3", "-oAPT::Update::Error-Mode=any", "-oAPT::Default-Release=forky"]
    return subprocess.run([tool, *options, *args], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=cwd)


def sources_list():
    """The toolbox's archive, with experimental for kernels not in testing yet."""
    path = APT / "sources.list"
    if not path.exists():
        APT.mkdir(parents=True, exist_ok=True)
        own = Path("/etc/apt/sources.list").read_text()
        mirror = re.search(r"^deb (?:\[[^]]*\] )?(\S+)", own, re.M).group(1)
        path.write_text(own + EXPERIMENTAL.format(mirror=mirror) + "\n")
    return path


def first_complaint(output):
    for text in output.splitlines():
        if text.startswith(("E:", "W:", "Err:")):
            return text
    return output.strip().splitlines()[-1] if output.strip() else "no output"


def newest_offered():
    found = re.findall(r"^linux-source-(\d+\.\d+) ", apt("search", "--names-only",
                       r"^linux-source-[0-9]", tool="apt-cache").stdout, re.M)
    return max(found, key=lambda v: [int(n) for n in v.split(".")], default="none")


def fetch(version, folder):
    """Download linux-source-@version and put its tarball into @folder."""
    update = apt("update")
    if update.returncode:
        raise LabError("kernel source: cannot reach the Debian archive: "
                       f"{first_complaint(update.stdout)}; check the network, then run this again")
    name = f"linux-source-{version}"
    if apt("show", name, tool="apt-cache").returncode:
        raise LabError(f"kernel source: Debian no longer offers {name}; the newest there is "
                       f"{newest_offered()}, and the series applies to {' and '.join(BASES)}: "
                       f"try KERNEL=VERSION with one of these")
    release = [] if "forky" in apt("policy", name, tool="apt-cache").stdout else ["-t", "experimental"]
    with tempfile.TemporaryDirectory(dir=folder) as tmp:
        got = apt(*release, "download", name)
        debs = list(APT.glob(f"{name}_*.deb"))
        if got.returncode or not debs:
            raise LabError(f"kernel source: cannot download {name}: {first_complaint(got.stdout)}")
        deb = max(debs, key=lambda p: p.stat().st_mtime)
        unpack = subprocess.run(["dpkg-deb", "-x", deb, tmp], text=True, capture_output=True)
        if unpack.returncode:
            raise LabError(f"kernel source: cannot unpack {deb.name}: {unpack.stderr.strip()}")
        full = deb.name.split("_")[1]
        tarball = next(Path(tmp).glob("usr/src/linux-source-*.tar.xz"))
        target = folder / f"linux-source-{version}_{full}.tar.xz"
        tarball.rename(target)
        for old in debs:
            old.unlink()
    return target


def tarball(version):
    """The tarball of linux-source-@version, e.g. 7.2: the one in the cache, if any."""
    folder = place.CACHE / "source"
    folder.mkdir(parents=True, exist_ok=True)
    with place.locked(folder):
        kept = sorted(folder.glob(f"linux-source-{version}_*.tar.xz"),
                      key=lambda p: p.stat().st_mtime)
        if kept:
            return kept[-1]
        with step(f"kernel source {version}") as s:
            s.detail = "downloading"
            path = fetch(version, folder)
            s.detail = path.name
        return path
