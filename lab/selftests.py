# SPDX-License-Identifier: GPL-2.0-only
"""Builds the kernel selftests of the series as static programs for the host's initramfs."""
import os

from lab import kernel as kernels
from lab import place
from lab.say import step

OUT = place.BUILD / "selftests/tdx"
SOURCE = "tools/testing/selftests/tdx/host"


def launcher(kernel):
    """tdx_launch alone, as a list of programs."""
    return [path for path in build(kernel) if path.name == "tdx_launch"]


def build(kernel):
    """The programs, built with the headers of @kernel's tree."""
    with place.locked(OUT), place.locked(kernel.out):
        with step("TDX selftests") as s:
            kernel.make("headers", log="headers.log", what="exporting the kernel's headers")
            OUT.mkdir(parents=True, exist_ok=True)
            kernels.run_mounted(kernel.tree, [
                "make", "-C", kernels.SEEN_AT / SOURCE, f"-j{os.cpu_count()}", f"OUTPUT={OUT}",
                f"KHDR_INCLUDES=-isystem {kernel.out}/usr/include", "USERLDFLAGS=-static",
                f"top_srcdir={kernels.SEEN_AT}"], "selftests.log", "building the TDX selftests")
            programs = sorted(path for path in OUT.glob("tdx_*") if os.access(path, os.X_OK))
            s.detail = f"{len(programs)} programs"
    return programs
