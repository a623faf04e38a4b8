# SPDX-License-Identifier: GPL-2.0-only
"""Sparse notices when a leaf gets a list in the format of another leaf.

Each test puts a slip into a copy of a source file, mounts that over the file while
sparse runs, and wants sparse to complain about that line.
"""
import contextlib
import subprocess

import pytest

from lab import kernel, trees

TDX = "arch/x86/virt/vmx/tdx"
SLIPS = {
    "IOMMU_MT for HPA_ARRAY_T": (
        "tdx.c", "hpa_array_operand(tdx_page_array_hpa_array(mt))", "hpa_array_operand(tdx_page_array_iommu_mt(mt))"),
    "HPA_ARRAY_T for IOMMU_MT": (
        "tdx.c", "iommu_mt_operand(tdx_page_array_iommu_mt(mt))", "iommu_mt_operand(tdx_page_array_hpa_array(mt))"),
    "an output list for HPA_ARRAY_T": (
        "tdx.c", "hpa_array_operand(tdx_page_array_hpa_array(mt))", "hpa_array_operand(tdx_page_array_out(mt))"),
    "HPA_ARRAY_T for an output list": (
        "tdx.c", "hpa_array_out_operand(tdx_page_array_out(mt))", "hpa_array_out_operand(tdx_page_array_hpa_array(mt))"),
    "an operand that nobody took apart": (
        "tdx.c", "iommu_mt_operand(tdx_page_array_iommu_mt(mt))", "tdx_page_array_iommu_mt(mt)"),
    "a plain address for HPA_LIST_INFO": (
        "ext.c", "tdh_ext_mem_add(tdx_hpa_list_info(__pa(list), nr_entries))", "tdh_ext_mem_add(__pa(list))"),
}
COMPLAINT = ("incorrect type", "different base types")


@pytest.fixture(scope="session")
def checked():
    built = trees.kernel("series")
    built = kernel.Kernel("series-sparse", built.tree, built.config)
    kernel.configure(built)
    return built


def sparse(built, source):
    """What sparse says about @source."""
    target = f"{TDX}/{source}".replace(".c", ".o")
    log = built.make("C=2", "CF=-Wsparse-error=0", target, log=f"sparse-{source}.log", what=f"sparse on {source}")
    return log.read_text(errors="replace")


@contextlib.contextmanager
def mounted_over(path, copy):
    """@copy in the place of @path, in this run's own mount namespace."""
    subprocess.run(["mount", "--bind", copy, path], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)


def complains(said, source):
    return any(f"{source}:" in line and any(words in line for words in COMPLAINT) for line in said.splitlines())


@pytest.mark.parametrize("source", sorted({slip[0] for slip in SLIPS.values()}))
def test_sparse_accepts_the_real_file(source, checked):
    assert not complains(sparse(checked, source), source)


@pytest.mark.parametrize("slip", SLIPS)
def test_sparse_rejects(slip, checked, tmp_path):
    source, right, wrong = SLIPS[slip]
    path = checked.tree / TDX / source
    text = path.read_text()
    assert right in text, f"{source} no longer has {right}"
    copy = tmp_path / source
    copy.write_text(text.replace(right, wrong, 1))
    try:
        with mounted_over(path, copy):
            assert complains(sparse(checked, source), source)
    finally:
        (checked.out / TDX / source.replace(".c", ".o")).unlink(missing_ok=True)
