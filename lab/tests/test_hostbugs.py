# SPDX-License-Identifier: GPL-2.0-only
"""Bugs that a host could have, put into its kernel on purpose: each is caught and named."""
import dataclasses
import subprocess
from pathlib import Path

import pytest

from lab import initramfs, kernel, place, qemu, selftests, series, softseam, trees
from lab.tests.pamt_host import DYNAMIC

PATCHES = Path(__file__).parent / "hostbugs"
CLFLUSH_BEFORE_ALLOC = hex(0x140000 | 1 << 23)


@dataclasses.dataclass
class Bug:
    """What names it: a violation (rule, caller, words), a status of a leaf, or a test that fails."""
    violation: tuple = None
    status: tuple = None
    failing: str = None
    run: str = "tdx_launch"
    base: str = "stock"
    machine: dict = dataclasses.field(default_factory=dict)


BUGS = {
    "no-clflush": Bug(violation=("no-clflush", "tdh_mng_addcx", ""),
                      machine={"seam": {"features0": CLFLUSH_BEFORE_ALLOC}}),
    "no-reset": Bug(violation=("no-reset", None, ""), machine={"seam": {"erratum": "on"}}),
    "private-write": Bug(violation=("host-write", None, "")),
    "freed-early": Bug(violation=("never-returned", None, "")),
    "no-track": Bug(status=("TDH.MEM.PAGE.REMOVE", "TDX_TLB_TRACKING_NOT_DONE")),
    "one-package": Bug(status=("TDH.MNG.ADDCX", "TDX_TD_KEYS_NOT_CONFIGURED"),
                       machine={"sockets": 2, "vcpus": 4}),
    "no-vp-flush": Bug(status=("TDH.MNG.VPFLUSHDONE", "TDX_FLUSHVP_NOT_DONE")),
    "key-leaked": Bug(failing="keyids.all_in_use", run="tdx_keyid_test"),
    "early-reclaim": Bug(status=("TDH.PHYMEM.PAGE.RECLAIM", "TDX_LIFECYCLE_STATE_INCORRECT")),
    "pair-kept": Bug(violation=("never-returned", None, "PAMT"), base="series", machine={"seam": DYNAMIC}),
}


def git(*args, cwd):
    return subprocess.run(["git", *args], cwd=cwd, text=True, capture_output=True, check=True).stdout


@pytest.fixture(scope="session")
def programs():
    softseam.build()
    return selftests.build(kernel.build(trees.kernel("series")))


def origin(base):
    """Repository and commit of the source of @base."""
    if base == "series":
        trees.stage(series.KEEP)
        return trees.SERIES_TREE, git("rev-parse", "series", cwd=trees.SERIES_TREE).strip()
    found = trees.pristine()
    return found.path, found.commit


@pytest.fixture(scope="session")
def tree():
    """tree(base): a clone of the source of a base that may be changed, as it is without a bug."""
    return lambda base: trees.scratch(f"hostbugs/{base}", *origin(base))


def boot_with(tree, patch, bug, programs, folder):
    git("apply", str(patch), cwd=tree)
    host = kernel.build(kernel.Kernel(f"hostbugs-{bug.base}", tree))
    machine = {"vcpus": 2, "memory_mb": 2048, "timeout": 120} | bug.machine
    machine["seam"] = {"symbols": host.out / "System.map"} | machine.get("seam", {})
    return qemu.boot(qemu.Machine(host.image, initramfs.build(host, programs), f"load:kvm-intel,run:{bug.run}",
                                  **machine), folder)


def test_every_patch_is_tried():
    assert {path.stem for path in PATCHES.glob("*.patch")} == set(BUGS)


@pytest.mark.parametrize("name", BUGS)
def test_caught_and_named(name, tree, programs):
    bug = BUGS[name]
    folder = place.BUILD / "test/hostbugs" / name
    result = boot_with(tree(bug.base), PATCHES / f"{name}.patch", bug, programs, folder)
    if bug.violation:
        found = {(each["rule"], each["caller"], each["text"]) for each in result.violations}
        rule, caller, words = bug.violation
        assert any(rule == r and caller in (None, c) and words in text for r, c, text in found), \
            f"violations: {found}; {result.last_words()}"
    if bug.status:
        leaf, status = bug.status
        refused = [line for line in (folder / "trace.txt").read_text().splitlines() if leaf in line and status in line]
        assert refused, f"no {status} of {leaf}; {result.last_words()}"
    if bug.failing:
        assert f"not ok 1 {bug.failing}" in result.output, result.output[-500:]
