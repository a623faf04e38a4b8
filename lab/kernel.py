# SPDX-License-Identifier: GPL-2.0-only
"""Builds kernels for the TDX host, each tree and configuration in a folder of its own."""
import dataclasses
import hashlib
import os
import subprocess
from pathlib import Path

from lab import place
from lab.say import LabError, command, step

CONFIGS = Path(__file__).parent / "kernel.d"
# Where every tree is seen while it is built, so that ccache shares between trees and clones.
SEEN_AT = Path("/linux")
# The same version string whenever and by whomever it is built.
FIXED = ["KBUILD_BUILD_TIMESTAMP=1970-01-01", "KBUILD_BUILD_USER=tdx", "KBUILD_BUILD_HOST=lab",
         "LOCALVERSION="]


@dataclasses.dataclass(frozen=True)
class Kernel:
    """@name tells the tree ("stock", "series"), @config the fragments, e.g. ("host",)."""
    name: str
    tree: Path
    config: tuple = ("host",)
    compiler: str = "gcc"

    @property
    def out(self):
        parts = [self.name, *self.config] + (["clang"] if self.compiler == "clang" else [])
        return place.BUILD / "kernel" / "-".join(parts)

    @property
    def image(self):
        return self.out / "arch/x86/boot/bzImage"

    @property
    def modules(self):
        order = (self.out / "modules.order").read_text().split()
        return [self.out / name.replace(".o", ".ko") for name in order]

    def release(self):
        return (self.out / "include/config/kernel.release").read_text().strip()

    def make(self, *args, log, what, on_line=None):
        """make @args in this kernel's folder, with its tree at SEEN_AT."""
        self.out.mkdir(parents=True, exist_ok=True)
        llvm = ["LLVM=1"] if self.compiler == "clang" else []
        make = ["make", "-C", str(SEEN_AT), f"O={self.out}", f"-j{os.cpu_count()}",
                *llvm, *FIXED, *args]
        return run_mounted(self.tree, make, log, what, on_line)

    def forget(self, sources):
        """Have @sources compiled anew, so that a compiler says again what it has to say."""
        for source in sources:
            (self.out / source).with_suffix(".o").unlink(missing_ok=True)


def run_mounted(tree, cmd, log, what, on_line=None):
    """Run @cmd with @tree at SEEN_AT."""
    mounted = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
               'mount --rbind "$0" "$1" && shift && exec "$@"', str(tree), str(SEEN_AT)]
    return command([*mounted, *cmd], log, what, on_line,
                   rename=(f"{SEEN_AT}/", f"{place.shown(tree)}/"))


def wanted_config(kernel):
    """The lines of the kernel's fragments."""
    texts = [(CONFIGS / f"{name}.config").read_text() for name in kernel.config]
    return [line for text in texts for line in text.splitlines() if line.startswith(("CONFIG_", "# CONFIG_"))]


def configure(kernel):
    """tinyconfig plus the fragments; an error names every line that Kconfig dropped."""
    lines = wanted_config(kernel)
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    stamp, config = kernel.out / ".lab-config", kernel.out / ".config"
    log = f"config-{kernel.out.name}.log"
    if not (stamp.exists() and stamp.read_text() == digest and config.exists()):
        kernel.make("tinyconfig", log=log, what="tinyconfig")
        with config.open("a") as out:
            out.write("\n".join(lines) + "\n")
        stamp.write_text(digest)
    kernel.make("olddefconfig", log=log, what="olddefconfig")
    have = set(config.read_text().splitlines())
    lost = [line for line in lines if line.startswith("CONFIG_") and line not in have]
    if lost:
        stamp.unlink()
        raise LabError(f"kernel config {'+'.join(kernel.config)}: Kconfig dropped {' '.join(lost)}: "
                       f"see what they depend on in {place.shown(kernel.tree)}")


def state(kernel):
    """What the build depends on; None if the tree has changes that git does not know."""
    def git(*args):
        return subprocess.run(["git", "-C", kernel.tree, *args], text=True, capture_output=True, check=True).stdout
    if not (kernel.tree / ".git").exists():
        tree = kernel.tree.name
    elif git("status", "--porcelain", "--untracked-files=no"):
        return None
    else:
        tree = git("rev-parse", "HEAD^{tree}").strip()
    return "\n".join([tree, kernel.compiler, *wanted_config(kernel)])


def build(kernel):
    """Build image and modules unless they are already what the tree says."""
    with place.locked(kernel.out):
        now = state(kernel)
        stamp = kernel.out / ".lab-built"
        if now and stamp.exists() and stamp.read_text() == now:
            return kernel
        with step(f"kernel {kernel.out.name}") as s:
            stamp.unlink(missing_ok=True)
            s.detail = "configuring"
            configure(kernel)
            objects = 0

            def count(text):
                nonlocal objects
                if " CC " in text or " AS " in text:
                    objects += 1
                    s.detail = f"{objects} objects compiled"
            kernel.make("bzImage", "modules", log=f"build-{kernel.out.name}.log",
                        what=f"building the kernel {kernel.out.name}", on_line=count)
            s.detail = f"{kernel.release()}, {objects} objects compiled"
        if now:
            stamp.write_text(now)
    return kernel
