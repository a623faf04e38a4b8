# SPDX-License-Identifier: GPL-2.0-only
"""The user's own kernel trees, and lines of configuration for them: looked at before anything is built."""
import dataclasses
import hashlib
import os
import re

from lab import kernel as kernels
from lab import place
from lab.say import LabError

# What the kernel's Makefile takes for a build in the tree itself, and then refuses one elsewhere.
BUILT_IN_PLACE = (".config", "include/config", "arch/x86/include/generated")
# How a configuration begins that is not meant to be edited, so a whole one.
WHOLE = "#\n# Automatically generated file; DO NOT EDIT."


@dataclasses.dataclass(frozen=True)
class Use:
    """What a tree is built as: with the fragment @config, from @sources and the option @option that it must have."""
    variable: str
    config: str
    option: str
    sources: tuple
    lacks: str


HOST = Use("LINUX", "host", "INTEL_TDX_HOST", ("arch/x86/virt/vmx/tdx/tdx.c", "arch/x86/kvm/vmx/tdx.c"),
           "cannot be a TDX host that runs TDs, as Linux 6.16 and newer can")
GUEST = Use("GUEST_LINUX", "guest", "INTEL_TDX_GUEST", ("arch/x86/coco/tdx/tdx.c", "drivers/virt/coco/tdx-guest"),
            "cannot be a TD that tells what it is, as Linux 6.7 and newer can")


def given(variable):
    """What the user wrote after @variable=; empty if it is not set."""
    return os.environ.get(variable, "")


def alone(variable, *others):
    """Refuse @variable together with any of @others, which choose the same thing."""
    for other in others:
        if given(variable) and given(other):
            raise LabError(f"{variable}={given(variable)} {other}={given(other)}: both choose the kernel; leave out one")


def release_in(makefile):
    """The version that the text of a kernel's Makefile begins with, e.g. 6.18; None if it is no kernel's."""
    found = [re.search(rf"^{name} *= *(\d+)$", makefile, re.M) for name in ("VERSION", "PATCHLEVEL")]
    return ".".join(match[1] for match in found) if all(found) else None


def check_is_kernel(tree, name):
    """The version of the kernel in @tree, which the user calls @name; LabError if it is none."""
    if not tree.is_dir():
        # lab/inside leaves nothing there for what it could not find.
        raise LabError(f"{name}: there is no such folder")
    makefile = tree / "Makefile"
    release = release_in(makefile.read_text(errors="replace")) if makefile.is_file() else None
    if not release or not (tree / "arch/x86/Kconfig").is_file():
        raise LabError(f"{name}: this is no kernel tree: name the folder that has the kernel's Makefile and arch/x86/Kconfig")
    return release


def check_is_clean(tree, name):
    """The kernel builds in a folder elsewhere only what was never built in place."""
    for path in BUILT_IN_PLACE:
        if (tree / path).exists():
            raise LabError(f"{name}: the tree was built or configured in place ({path}), which no build elsewhere can use: "
                           "run make mrproper there (keep its .config if you need it), or name a clean copy, "
                           "as git worktree add makes one")


def check_has_tdx(tree, name, use, release):
    """Sources and option must be there, so that nobody waits for a build that cannot be of use."""
    for source in use.sources:
        if not (tree / source).exists():
            raise LabError(f"{name}: Linux {release} without {source} {use.lacks}")
    declared = re.compile(rf"^(menu)?config {use.option}$", re.M)
    if not any(declared.search(path.read_text(errors="replace")) for path in (tree / "arch/x86").glob("Kconfig*")):
        raise LabError(f"{name}: Linux {release} without the option {use.option} {use.lacks}")


def fragment(variable):
    """The file with lines of configuration that @variable names; None if it is not set."""
    if not given(variable):
        return None
    path, name = place.GIVEN / variable, f"{variable}={given(variable)}"
    if not path.is_file():
        raise LabError(f"{name}: there is no such file")
    text = path.read_text(errors="replace")
    if text.startswith(WHOLE):
        raise LabError(f"{name}: this is a whole configuration, and the lab has one: name a file with just the lines "
                       "that you want to be different")
    if not kernels.options_in(text):
        raise LabError(f"{name}: there is no line like CONFIG_NAME=y or # CONFIG_NAME is not set in it")
    return path


def chosen(use):
    """The kernel of the tree that the user names for @use; None if there is none; LabError if it is of no use."""
    config = f"{use.variable}_CONFIG"
    if not given(use.variable):
        if given(config):
            raise LabError(f"{config}={given(config)}: needs {use.variable}=FOLDER, the kernel tree that it is for")
        return None
    tree, name = place.GIVEN / use.variable, f"{use.variable}={given(use.variable)}"
    release = check_is_kernel(tree, name)
    check_is_clean(tree, name)
    check_has_tdx(tree, name, use, release)
    # However the user calls it, it is built in one folder.
    real = given(f"{use.variable}_REAL") or str(tree.resolve())
    digest = hashlib.sha256(real.encode()).hexdigest()[:12]
    found = kernels.Kernel(f"own-{digest}", tree, (use.config,), called=given(use.variable), more=fragment(config))
    kernels.wanted_options(found)
    return found


def host():
    """The kernel of LINUX=FOLDER."""
    alone("LINUX", "BASE", "KERNEL")
    return chosen(HOST)


def guest():
    """The kernel of GUEST_LINUX=FOLDER."""
    alone("GUEST_LINUX", "GUEST_KERNEL")
    return chosen(GUEST)


def refuse(command):
    """LINUX does nothing for @command, which must not look as if it did."""
    if given("LINUX"):
        raise LabError(f"LINUX={given('LINUX')}: {command} tests the series; LINUX is for run, td, shell, td-shell, bench, "
                       "and test SUITE=td")
