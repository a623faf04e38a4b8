# SPDX-License-Identifier: GPL-2.0-only
"""Root filesystems of Debian, which mmdebstrap makes from the toolbox's archive."""
import re
import subprocess

from lab import source
from lab.say import LabError

SUITE = "forky"


def mounted(*command):
    """@command in a mount namespace of its own: whatever it mounts is gone with it."""
    return subprocess.run(["unshare", "--mount", "--propagation", "private", *map(str, command)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace")


def complaint(output):
    """The line of @output that says why, which is not what the one who ran it says."""
    found = [text for text in output.splitlines() if text.startswith("E: ") and "mmdebstrap" not in text]
    return found[0] if found else source.first_complaint(output)


def proxies():
    """The toolbox's own proxies, for the apt that makes another root."""
    said = subprocess.run(["apt-config", "dump"], text=True, capture_output=True, check=True).stdout
    return [f"--aptopt={text}" for text in re.findall(r"^Acquire::https?::Proxy\S* .*$", said, re.M)]


def install(root, variant, packages, failed, *more):
    """Debian with @packages in the folder @root; @more is for mmdebstrap, and @failed begins the error if it fails."""
    # The suite's Release file may be past its Valid-Until on a frozen archive.
    made = mounted("mmdebstrap", "--quiet", f"--variant={variant}", *more,
                   '--aptopt=Acquire::Check-Valid-Until "false"', '--aptopt=Acquire::Retries "3"', *proxies(),
                   f"--include={','.join(packages)}", SUITE, root, "/etc/apt/sources.list")
    if made.returncode:
        raise LabError(f"{failed}: {complaint(made.stdout)}; check the network and the disk, then run this again")
