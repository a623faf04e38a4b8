# SPDX-License-Identifier: GPL-2.0-only
"""TDX Module Extensions and TDX Connect on softseam: the pool, what may go wrong, and who pays."""
import re

import pytest

from lab import initramfs, kernel, place, qemu, softseam, trees
from lab.tests import page_owner
from lab.tests.test_boot import assert_tdx_off, assert_tdx_up, calls

# What every module here has, and the bits of TDX_FEATURES0 that are tried.
BASE = 0x140000
CONNECT, CLFLUSH_BEFORE_ALLOC, EXT = 1 << 6, 1 << 23, 1 << 39
OFFERED = {"features0": hex(BASE | CONNECT | EXT)}


def fatal(status, what, kb):
    return f"Fatal: TDX module failed (0x{status:016x}) to {what}, stranded {kb} KB"


def assert_fatal(result, *messages):
    """TDX is off, the kernel warned once, and nothing else is wrong."""
    for message in (*messages, "virt/tdx: TDX-Module initialization failed (-5)"):
        assert result.says(message), f"the kernel did not say {message!r}; {result.last_words()}"
    warnings = [line for line in result.console.splitlines() if "WARNING:" in line]
    assert len(warnings) == 1, warnings
    assert result.stats["violations"] == 0, result.stderr
    assert result.status == 0, result.stderr


def test_pool_of_50_mb(boot):
    result = boot(seam=OFFERED)
    assert_tdx_up(result)
    assert result.says("virt/tdx: 50 MB allocated for TDX Module Extensions")
    assert result.stats["ext_pool_pages"] == 12800
    assert calls(result, "TDH.EXT.MEM.ADD") == 25
    assert calls(result, "TDH.EXT.INIT") == 1


@pytest.mark.parametrize("pages, mb, lists", [
    (0, 0, 0), (1, 1, 1), (2, 1, 1), (511, 2, 1), (512, 2, 1), (513, 3, 2), (1025, 5, 3)])
def test_pool_sizes(boot, pages, mb, lists):
    result = boot(seam=OFFERED | {"ext_pool_pages": pages})
    assert_tdx_up(result)
    assert result.says(f"virt/tdx: {mb} MB allocated for TDX Module Extensions") == bool(pages)
    assert result.stats["ext_pool_pages"] == pages
    assert calls(result, "TDH.EXT.MEM.ADD") == lists
    assert calls(result, "TDH.EXT.INIT") == 1


def test_pool_interrupted_100_times(boot):
    """512 pages are interrupted after 127, 254, 381 and 508 of them, in each of 25 lists."""
    result = boot(seam=OFFERED | {"interrupt_every": 127})
    assert_tdx_up(result)
    assert result.stats["ext_pool_pages"] == 12800
    assert calls(result, "TDH.EXT.MEM.ADD") == 25 + 100
    assert calls(result, "TDH.EXT.INIT") == 1


def test_everything_interrupted_at_every_step(boot):
    result = boot(seam=OFFERED | {"interrupt_every": 1, "ext_pool_pages": 1025})
    assert_tdx_up(result)
    assert result.stats["ext_pool_pages"] == 1025
    assert calls(result, "TDH.EXT.MEM.ADD") == 1025
    assert calls(result, "TDH.EXT.INIT") > 1


def test_pages_are_flushed_where_the_module_asks(boot):
    """softseam counts a page that comes with dirty lines as a violation."""
    features = hex(BASE | CONNECT | EXT | CLFLUSH_BEFORE_ALLOC)
    result = boot(seam={"features0": features})
    assert_tdx_up(result)
    assert result.stats["ext_pool_pages"] == 12800


@pytest.mark.parametrize("nth", [1, 2, 25])
def test_add_that_fails(boot, nth):
    result = boot(seam=OFFERED | {"inject": f"EXT.MEM.ADD:{nth}:OPERAND_BUSY|1"})
    assert_fatal(result, fatal(0x8000020000000001, "accept memory", nth * 2048))
    assert calls(result, "TDH.EXT.MEM.ADD") == nth
    assert calls(result, "TDH.EXT.INIT") == 0
    assert result.stats["ext_pool_pages"] == (nth - 1) * 512


def test_start_that_fails(boot):
    result = boot(seam=OFFERED | {"inject": "EXT.INIT:1:SYS_BUSY"})
    assert_fatal(result, fatal(0x8000020200000000, "start its extensions", 12800 * 4))


@pytest.fixture(scope="session")
def counting():
    """A kernel that knows who took each page; its KUnit suites do not run."""
    softseam.build()
    built = kernel.build(trees.kernel("series", config=("host", "kunit")))
    return {"kernel": built.image, "initramfs": initramfs.build(built),
            "cmdline": f"kunit.enable=0 {page_owner.CMDLINE}"}


@pytest.fixture
def count(counting, request):
    """count(seam): boot, and list the pages that are out of the page allocator."""
    def run(seam, steps=""):
        steps = ",".join(filter(None, [steps, page_owner.STEP]))
        folder = place.BUILD / "test/boot" / request.node.name.replace("/", "_")
        result = qemu.boot(qemu.Machine(**counting, steps=steps, seam=seam), folder)
        assert not result.timed_out, f"the host hung: {result.last_words()}"
        return result
    return run


def pool_pages(result):
    return page_owner.pages(result, "tdx_ext_init")


def pamt_pages(result):
    return page_owner.pages(result, "tdx_enable", "alloc_contig_pages_noprof", but=("tdx_ext_init",))


PAMT_PAGES = 4108 // 4


@pytest.mark.parametrize("pages", [0, 513, 12800])
def test_pool_is_out_of_the_allocator_and_in_sysfs(count, pages):
    result = count(OFFERED | {"ext_pool_pages": pages},
                   "load:tdx-host,run:cat+/sys/devices/faux/tdx_host/ext_pool_kb")
    assert pool_pages(result) == pages
    assert pamt_pages(result) == PAMT_PAGES
    assert result.output.splitlines()[1] == str(4 * pages)


def test_no_pool_in_sysfs_without_extensions(count):
    result = count({"features0": hex(BASE | CONNECT)}, "load:tdx-host,run:ls+/sys/devices/faux/tdx_host")
    assert "version" in result.output
    assert "ext_pool_kb" not in result.output
    assert pool_pages(result) == 0


# Statuses that a call can fail with, where it fails, and what the module was told about by then.
FAILURES = {
    "first add": ("EXT.MEM.ADD:1:OPERAND_BUSY|1", 512),
    "second add": ("EXT.MEM.ADD:2:OPERAND_BUSY|1", 1024),
    "last add": ("EXT.MEM.ADD:25:OPERAND_BUSY|1", 12800),
    "start": ("EXT.INIT:1:SYS_BUSY", 12800),
    "add that was interrupted": ("EXT.MEM.ADD:1:INTERRUPTED_RESUMABLE:3/EXT.MEM.ADD:4:OPERAND_BUSY|1", 512),
}


@pytest.mark.parametrize("erratum", ["off", "on"])
@pytest.mark.parametrize("failure", FAILURES)
def test_exactly_what_was_offered_stays_out(count, failure, erratum):
    """The PAMT comes back, once the module is stopped and cannot look anything up in it."""
    inject, offered = FAILURES[failure]
    result = count(OFFERED | {"inject": inject, "cpu": "spr" if erratum == "on" else "gnr"})
    assert result.says(f"stranded {4 * offered} KB")
    assert_fatal(result)
    assert pool_pages(result) == offered
    assert page_owner.pages(result, "tdx_enable") == offered
    assert pamt_pages(result) == 0
    assert calls(result, "TDH.SYS.DISABLE") == 1
    assert result.stats["sys_state"] == "SHUTDOWN"


def test_module_that_does_not_stop_keeps_its_pamt(count):
    result = count(OFFERED | {"inject": "EXT.MEM.ADD:1:OPERAND_BUSY|1/SYS.DISABLE:1:OPERAND_INVALID|1"})
    assert_fatal(result, fatal(0x8000020000000001, "accept memory", 2048),
                 f"virt/tdx: TDX module does not stop, stranded {4 * PAMT_PAGES} KB of PAMT")
    assert pool_pages(result) == 512
    assert pamt_pages(result) == PAMT_PAGES


def test_too_little_memory_for_the_pool(boot):
    result = boot(seam=OFFERED | {"ext_pool_pages": 1048576})
    assert_tdx_off(result, "virt/tdx: No 4194304 KB of contiguous memory for TDX Module Extensions",
                   "virt/tdx: TDX-Module initialization failed (-12)")
    assert calls(result, "TDH.EXT.MEM.ADD") == 0


def test_pool_from_two_nodes(boot):
    assert_tdx_up(boot(nodes=2, memory_mb=1024, seam=OFFERED))


def seamcalls(result):
    """The calls and their operands, but for addresses, which differ from boot to boot."""
    lines = (result.folder / "trace.txt").read_text().splitlines()
    bare = [re.sub(r"^\[.*?\] cpu\d+ | \d+ns$", "", line) for line in lines]
    return [re.sub(r"(tdmrs)=0x[0-9a-f]+", r"\1", line) for line in bare]


@pytest.mark.parametrize("features0", [BASE, BASE | CONNECT])
def test_module_without_extensions_sees_no_difference(boot, features0):
    """Same SEAMCALLs as from the kernel without the series, in the same order."""
    seam = {"features0": hex(features0)}
    stock = seamcalls(boot("stock", vcpus=1, seam=seam))
    series = seamcalls(boot("series", vcpus=1, seam=seam))
    assert len(stock) > 50
    assert series == stock


def test_extensions_without_connect_cost_two_reads(boot):
    stock = seamcalls(boot("stock", vcpus=1, seam={"features0": hex(BASE | EXT)}))
    series = seamcalls(boot("series", vcpus=1, seam={"features0": hex(BASE | EXT)}))
    new = [call for call in series if call not in stock]
    assert [call.split()[0] for call in new] == ["TDH.SYS.RD", "TDH.SYS.RD"]
    assert [call for call in series if call not in new] == stock


def test_stock_kernel_pays_nothing(boot):
    result = boot("stock", seam=OFFERED)
    assert_tdx_up(result)
    assert result.stats["ext_pool_pages"] == 0
