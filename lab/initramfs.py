# SPDX-License-Identifier: GPL-2.0-only
"""Packs the host's user space: our init, busybox, the kernel's modules."""
import hashlib
import subprocess
from pathlib import Path

from lab import place
from lab.say import command

INIT = Path(__file__).parent / "init/init.c"
BUSYBOX = Path("/bin/busybox")
CFLAGS = ["-static", "-O2", "-Wall", "-Wextra", "-Werror"]


def dependencies(module):
    """Names of the modules to load before @module, in order."""
    out = subprocess.run(["modinfo", "-F", "depends", module], text=True, capture_output=True, check=True)
    return [name for name in out.stdout.strip().split(",") if name]


def applets():
    """What busybox can be called as."""
    names = subprocess.run([BUSYBOX, "--list"], text=True, capture_output=True, check=True).stdout.split()
    return [name for name in names if name != "busybox"]


def entries(init, modules, programs, folder):
    """Lines in the form that the kernel's gen_init_cpio reads."""
    yield "dir /dev 0755 0 0"
    yield "nod /dev/console 0600 0 0 c 5 1"
    for name in ("bin", "modules", "proc", "sys", "tmp"):
        yield f"dir /{name} 0755 0 0"
    yield f"file /init {init} 0755 0 0"
    yield f"file /bin/busybox {BUSYBOX} 0755 0 0"
    for applet in applets():
        yield f"slink /bin/{applet} busybox 0755 0 0"
    by_name = {path.stem: path for path in modules}
    for name, path in by_name.items():
        deps = folder / f"{name}.deps"
        deps.write_text("\n".join(needed(path, by_name)) + "\n")
        yield f"file /modules/{name}.ko {path} 0644 0 0"
        yield f"file /modules/{name}.deps {deps} 0644 0 0"
    for program in programs:
        yield f"file /bin/{program.name} {program} 0755 0 0"


def needed(module, by_name):
    """All modules below @module, deepest first."""
    order = []
    for name in dependencies(module):
        for below in needed(by_name[name], by_name) + [name]:
            if below not in order:
                order.append(below)
    return order


def digest(programs):
    """What tells an initramfs with these programs from others of the same kernel."""
    names = ",".join(sorted(path.name for path in programs))
    return [hashlib.sha256(names.encode()).hexdigest()[:8]] if names else []


def build(kernel, programs=()):
    """The initramfs for @kernel, with extra static @programs in /bin."""
    folder = place.BUILD / "initramfs" / "-".join([kernel.out.name, *digest(programs)])
    image = folder / "initramfs.cpio"
    with place.locked(folder):
        folder.mkdir(parents=True, exist_ok=True)
        inputs = [INIT, Path(__file__), *kernel.modules, *programs]
        if image.exists() and all(image.stat().st_mtime > p.stat().st_mtime for p in inputs):
            return image
        init = folder / "init"
        command(["gcc", *CFLAGS, "-o", init, INIT], f"init-{kernel.out.name}.log", "compiling lab/init/init.c")
        listing = folder / "list"
        listing.write_text("\n".join(entries(init, kernel.modules, programs, folder)) + "\n")
        new = image.with_suffix(".new")
        with new.open("wb") as out:
            subprocess.run([kernel.out / "usr/gen_init_cpio", listing], stdout=out, check=True)
        new.rename(image)
    return image
