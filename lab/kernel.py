# SPDX-License-Identifier: GPL-2.0-only
"""Builds kernels for the TDX host, each tree and configuration in a folder of its own."""
import dataclasses
import hashlib
import os
import re
import subprocess
from pathlib import Path

from lab import place
from lab.say import LabError, command, line, step

CONFIGS = Path(__file__).parent / "kernel.d"
# Where every tree is seen while it is built, so that ccache shares between trees and clones.
SEEN_AT = Path("/linux")
# The same version string whenever and by whomever it is built.
FIXED = ["KBUILD_BUILD_TIMESTAMP=1970-01-01", "KBUILD_BUILD_USER=tdx", "KBUILD_BUILD_HOST=lab",
         "LOCALVERSION="]
OPTION = re.compile(r"^(?:# )?CONFIG_(\w+)(?:=.*| is not set)\s*?$", re.M)


@dataclasses.dataclass(frozen=True)
class Kernel:
    """@name tells the tree ("stock", "series"), @config the fragments, e.g. ("host",).

    A tree of the user's own is @called as the user does, and @more is a file with options of the user's.
    """
    name: str
    tree: Path
    config: tuple = ("host",)
    compiler: str = "gcc"
    called: str = ""
    more: Path = None

    @property
    def title(self):
        """The tree as the user knows it."""
        return self.called or place.shown(self.tree)

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
        return run_mounted(self.tree, make, log, what, on_line, self.title)

    def forget(self, sources):
        """Have @sources compiled anew, so that a compiler says again what it has to say."""
        for source in sources:
            (self.out / source).with_suffix(".o").unlink(missing_ok=True)


def run_mounted(tree, cmd, log, what, on_line=None, title=None):
    """Run @cmd with @tree, which the user knows as @title, at SEEN_AT; what is read-only is so there too."""
    mounted = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
               'mount --rbind "$0" "$1" && shift && exec "$@"', str(tree), str(SEEN_AT)]
    return command([*mounted, *cmd], log, what, on_line,
                   rename=(f"{SEEN_AT}/", f"{(title or place.shown(tree)).rstrip('/')}/"))


def options_in(text):
    """{option: its last line} of a fragment; CONFIG_NAME=n is how people write what Kconfig writes in another way."""
    lines = {match[1]: match[0].rstrip() for match in OPTION.finditer(text)}
    return {name: f"# CONFIG_{name} is not set" if said.endswith("=n") else said for name, said in lines.items()}


def wanted_options(kernel):
    """{option: line} of the kernel's fragments, and of the user's on top; LabError if these do not go together."""
    options = {}
    for name in kernel.config:
        options |= options_in((CONFIGS / f"{name}.config").read_text())
    more = options_in(kernel.more.read_text(errors="replace")) if kernel.more else {}
    for name, text in more.items():
        # What init loads must be there to be loaded.
        if options.get(name, "").endswith("=m") and text != options[name]:
            raise LabError(f"{kernel.more.name}: {text}: the lab loads this module, so CONFIG_{name}=m must stay")
    return options | more


def wanted_config(kernel):
    """The lines of the kernel's fragments."""
    return list(wanted_options(kernel).values())


def unknown(tree, names):
    """Those of @names that no Kconfig file of @tree knows."""
    left = set(names)
    for path in tree.rglob("Kconfig*"):
        if left and path.is_file():
            left -= set(re.findall(r"^\s*(?:menu)?config (\w+)", path.read_text(errors="replace"), re.M))
    return left


def check_config(kernel):
    """Every line of the fragments must have survived Kconfig.

    A tree of the user's may be older or newer than the lab's fragments: what it never heard of is left out and said.
    """
    wanted, have = wanted_options(kernel), options_in((kernel.out / ".config").read_text())
    lost = {name for name, text in wanted.items() if have.get(name, f"# CONFIG_{name} is not set") != text}
    theirs = options_in(kernel.more.read_text(errors="replace")) if kernel.more else {}
    left_out = unknown(kernel.tree, lost - set(theirs)) if kernel.called and lost else set()
    if left_out:
        line(f"{kernel.title}: has no {' '.join(sorted(f'CONFIG_{name}' for name in left_out))}, built without")
    if lost - left_out:
        lines = " ".join(text for name, text in wanted.items() if name in lost - left_out)
        raise LabError(f"kernel config {'+'.join(kernel.config)}: Kconfig dropped {lines}: "
                       f"see what they depend on in {kernel.title}")


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
    try:
        check_config(kernel)
    except LabError:
        stamp.unlink()
        raise


def state(kernel):
    """What the build depends on; None if the tree has changes that git does not know, or may have them."""
    def git(*args):
        return subprocess.run(["git", "-C", kernel.tree, *args], text=True, capture_output=True, check=True).stdout
    if kernel.called:
        return None
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
        with step(f"kernel {kernel.called or kernel.out.name}") as s:
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
                        what=f"building the kernel {kernel.called or kernel.out.name}", on_line=count)
            s.detail = f"{kernel.release()}, {objects} objects compiled"
        if now:
            stamp.write_text(now)
    return kernel
