# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's encoders of page lists, tried with all counts in user space."""
import shutil
import subprocess
from pathlib import Path

import pytest

from lab import trees

SOURCE = Path(__file__).with_name("encoders.c")
TDX = "arch/x86/virt/vmx/tdx"
# What a wrong encoder could look like: each must be found.
SLIPS = {
    "count not checked for 0": ("page_list.h", "!nr_entries || ", ""),
    "count off by one": ("page_list.h", "nr_entries > TDX_HPA_LIST_MAX_ENTRIES", "nr_entries >= TDX_HPA_LIST_MAX_ENTRIES"),
    "last entry off by one": ("page_list.h", "nr_entries - 1));", "nr_entries));"),
    "address one bit short": ("page_list.h", "GENMASK_ULL(51, 12)", "GENMASK_ULL(50, 12)"),
    "no singleton": ("page_array.h", "if (nr_entries == 1)", "if (nr_entries == 0)"),
    "size one bit low": ("page_array.h", "GENMASK_ULL(63, 55)", "GENMASK_ULL(62, 54)"),
    "page not checked": ("page_array.h", "(list_pa | page_pa) & ~TDX_HPA_PFN", "list_pa & ~TDX_HPA_PFN"),
}


@pytest.fixture
def headers(tmp_path):
    """A copy of the kernel's headers, and the tree that they include from."""
    tree = trees.kernel("series").tree
    for name in ("page_list.h", "page_array.h"):
        shutil.copy(tree / TDX / name, tmp_path)
    return tmp_path, tree


def run(folder, tree):
    program = folder / "encoders"
    subprocess.run(["gcc", "-O3", "-march=native", "-Wall", "-Wextra", "-Werror", "-Wno-sign-compare",
                    f"-I{folder}", f"-I{tree}/tools/include", "-o", program, SOURCE], check=True)
    return subprocess.run([program], text=True, capture_output=True)


def test_all_counts(headers):
    done = run(*headers)
    assert done.returncode == 0, done.stdout
    assert "4294967296 counts" in done.stdout


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_found(slip, headers):
    name, right, wrong = SLIPS[slip]
    path = headers[0] / name
    assert right in path.read_text(), f"{name} no longer has {right}"
    path.write_text(path.read_text().replace(right, wrong, 1))
    try:
        done = run(*headers)
    except subprocess.CalledProcessError:
        # FIELD_PREP() noticed it in the compiler already, which the real headers pass.
        return
    assert done.returncode == 1, f"not found: {done.stdout}"
