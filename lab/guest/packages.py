# SPDX-License-Identifier: GPL-2.0-only
"""Firmware and kernel of a TD as Debian packages them: fetched once, unpacked in the cache, never installed."""
import re
import subprocess
import tempfile
from pathlib import Path

from lab import place, source
from lab.say import LabError, step

FOLDER = place.CACHE / "guest"
# The kernel that Debian builds for virtual machines: the same source, fewer drivers, a quarter of the download.
KERNEL = "linux-image-cloud-amd64"


def download(names, folder):
    """Packages @names as files in @folder; the lists of the archive are made anew when they are of no use."""
    def attempt():
        got = source.apt("download", *names, cwd=folder)
        return got, [path for path in Path(folder).glob("*.deb")]
    got, debs = attempt()
    if got.returncode or len(debs) < len(names):
        update = source.apt("update")
        if update.returncode:
            raise LabError("guest: cannot reach the Debian archive: "
                           f"{source.first_complaint(update.stdout)}; check the network, then run this again")
        got, debs = attempt()
    if got.returncode or len(debs) < len(names):
        raise LabError(f"guest: cannot download {' '.join(names)}: {source.first_complaint(got.stdout)}")
    return debs


def unpacked(name, packages, title):
    """The folder with the contents of @packages, a list or what makes one; it is kept under @name."""
    target = FOLDER / name
    # The lists of the archive are shared with those who look for kernel sources.
    with place.locked(place.CACHE / "source"):
        if target.exists():
            return target
        FOLDER.mkdir(parents=True, exist_ok=True)
        with step(title) as s, tempfile.TemporaryDirectory(dir=FOLDER) as tmp:
            s.detail = "downloading"
            new = Path(tmp) / "new"
            debs = download(packages() if callable(packages) else packages, tmp)
            for deb in debs:
                unpack = subprocess.run(["dpkg-deb", "-x", deb, new], text=True, capture_output=True)
                if unpack.returncode:
                    raise LabError(f"guest: cannot unpack {deb.name}: {unpack.stderr.strip()}")
            # apt writes the colon and the plus of a version in its own way.
            s.detail = ", ".join(sorted(deb.stem.replace("%3a", ":").replace("%2b", "+") for deb in debs))
            new.rename(target)
    return target


def kernel_packages():
    """The packages with image and modules of the kernel that KERNEL stands for now."""
    def depends():
        return re.search(r"Depends: linux-image-(\d\S+)", source.apt("depends", KERNEL, tool="apt-cache").stdout)
    found = depends() or (source.apt("update"), depends())[1]
    if not found:
        raise LabError(f"guest: Debian offers no {KERNEL}: give a kernel of your own with GUEST_KERNEL=FILE")
    return [f"linux-binary-{found[1]}", f"linux-modules-{found[1]}"]


def kernel():
    """(image, folder of modules) of Debian's kernel."""
    folder = unpacked("kernel", kernel_packages, "guest kernel")
    image = next(folder.glob("usr/lib/modules/*/vmlinuz"), None) or next(folder.glob("boot/vmlinuz-*"), None)
    if not image:
        raise LabError(f"guest: {place.shown(folder)} has no kernel image: make distclean removes what is there")
    return image, next(folder.glob("usr/lib/modules/*/kernel"))


def firmware():
    """The firmware that starts what QEMU hands it with -kernel."""
    return unpacked("firmware", ["ovmf-generic"], "guest firmware") / "usr/share/ovmf/OVMF.fd"


def secure_firmware():
    """The firmware that starts only what is signed, from a disk."""
    return unpacked("secureboot", ["ovmf-inteltdx"], "guest firmware") / "usr/share/ovmf/OVMF.inteltdx.ms.fd"
