# SPDX-License-Identifier: GPL-2.0-only
"""Packs the user space of a Linux TD: our init, busybox, and the modules that the kernel has not built in."""
import lzma
import subprocess
from pathlib import Path

from lab import initramfs, place
from lab.guest import packages
from lab.say import LabError, command

SOURCES = Path(__file__).parent / "init"
OUT = place.BUILD / "guest"
# In the order in which they need each other.
MODULES = ("failover", "net_failover", "virtio_net", "virtio_blk", "configfs", "tsm_report", "tdx-guest", "evdev",
           "button")
FOLDERS = ("bin", "dev", "modules", "proc", "sys", "tmp")


def program(out):
    """Our init, linked so that it needs nothing else."""
    init = out / "init"
    sources = sorted(SOURCES.glob("*.c"))
    command(["gcc", *initramfs.CFLAGS, "-o", init, *sources], "guest-init.log", "compiling the init of TDs")
    return init


def modules(folder, out):
    """Unpacked copies of those of MODULES that the kernel has as modules."""
    for name in MODULES:
        packed = next(folder.rglob(f"{name}.ko*"), None)
        if not packed:
            continue
        plain = out / f"{name}.ko"
        data = packed.read_bytes()
        plain.write_bytes(lzma.decompress(data) if packed.suffix == ".xz" else data)
        yield plain


def entries(init, found, order):
    """Lines in the form that the kernel's gen_init_cpio reads."""
    for name in FOLDERS:
        yield f"dir /{name} 0755 0 0"
    yield "nod /dev/console 0600 0 0 c 5 1"
    yield f"file /init {init} 0755 0 0"
    yield f"file /bin/lease {SOURCES / 'lease'} 0755 0 0"
    yield f"file /bin/busybox {initramfs.BUSYBOX} 0755 0 0"
    for applet in initramfs.applets():
        yield f"slink /bin/{applet} busybox 0755 0 0"
    yield f"file /modules/order {order} 0644 0 0"
    for path in found:
        yield f"file /modules/{path.name} {path} 0644 0 0"


def build(gen_init_cpio, debian=True):
    """The initial RAM disk for Debian's kernel or, without modules, for one that has all of them built in.

    @gen_init_cpio is the program of a built kernel.
    """
    image, folder = (OUT / "initrd.cpio", packages.kernel()[1]) if debian else (OUT / "plain.cpio", SOURCES)
    with place.locked(OUT):
        OUT.mkdir(parents=True, exist_ok=True)
        inputs = [*SOURCES.iterdir(), Path(__file__), folder]
        if image.exists() and all(image.stat().st_mtime > path.stat().st_mtime for path in inputs):
            return image
        found = list(modules(folder, OUT))
        order, listing = OUT / "order", OUT / "list"
        order.write_text("".join(f"/modules/{path.name}\n" for path in found))
        listing.write_text("\n".join(entries(program(OUT), found, order)) + "\n")
        new = image.with_suffix(".new")
        with new.open("wb") as out:
            made = subprocess.run([gen_init_cpio, listing], stdout=out, stderr=subprocess.PIPE, text=True)
        if made.returncode:
            raise LabError(f"guest: cannot make the initial RAM disk: {made.stderr.strip()}")
        new.rename(image)
    return image
