# SPDX-License-Identifier: GPL-2.0-only
"""Dynamic PAMT without TDs: when it is chosen, what it costs, and the module's own pages."""
import pytest

from lab.tests.pamt_host import BASE, CONNECT, DYNAMIC, DYNAMIC_PAMT, EXT, Host, assert_well, calls, counters
from lab.tests.test_boot import assert_tdx_off, assert_tdx_up, pamt_kb

DYNAMIC_CONNECT = {"features0": hex(BASE | DYNAMIC_PAMT | CONNECT | EXT)}
DYNAMIC_BIT = 1 << 16


@pytest.fixture(scope="session")
def host():
    return Host()


@pytest.fixture
def boot(host, request):
    def run(*steps, **machine):
        return host.boot(request.node.name, *steps, "vm", **machine)
    return run


def chose_dynamic(result):
    """Did the kernel set the bit in R8 of TDH.SYS.CONFIG?"""
    line = next(text for text in (result.folder / "trace.txt").read_text().splitlines() if "TDH.SYS.CONFIG" in text)
    word = next(word for word in line.split() if word.startswith("hkid="))
    return bool(int(word.removeprefix("hkid="), 0) & DYNAMIC_BIT)


def test_idle_host_saves_40_times(host):
    dynamic, static = host.boot("idle", "vm"), host.boot("idle static", "vm", cmdline="tdx_pamt=static")
    for result in (dynamic, static):
        assert_tdx_up(result)
        assert pamt_kb(result) == result.stats["pamt_kb"]
    assert chose_dynamic(dynamic) and not chose_dynamic(static)
    cost = counters(dynamic)
    assert cost["static_kb"] == pamt_kb(dynamic)
    assert cost["pairs_kb"] == cost["pairs"] == 0
    assert (cost["static_kb"] + cost["state_kb"]) * 40 <= pamt_kb(static), cost


@pytest.mark.parametrize("memory_mb, kb", [(1024, 44), (2048, 84)])
def test_what_is_static(boot, memory_mb, kb):
    """For each GB a bitmap of 32 KB and the 2M level, 8 KB; a page for the 1G level."""
    result = boot(memory_mb=memory_mb)
    assert_tdx_up(result)
    assert pamt_kb(result) == kb
    assert result.says(f"virt/tdx: {2 * memory_mb // 1024} KB allocated to track Dynamic PAMT")


@pytest.mark.parametrize("machine", [{"memory_mb": 6144}, {"nodes": 2}, {"vcpus": 4, "sockets": 2}, {"vcpus": 8}],
                         ids=["6 GB", "2 nodes", "2 packages", "8 CPUs"])
def test_machines(boot, machine):
    result = boot(**machine)
    assert_tdx_up(result)
    assert chose_dynamic(result)


def test_forced_static(boot):
    result = boot(cmdline="tdx_pamt=static")
    assert_tdx_up(result)
    assert result.says("virt/tdx: Dynamic PAMT is available, not used because of tdx_pamt=static")
    assert counters(result) == {}
    assert calls(result, "TDH.PHYMEM.PAMT.ADD") == 0


@pytest.mark.parametrize("word", ["auto", "dynamic"])
def test_other_words(boot, word):
    result = boot(cmdline=f"tdx_pamt={word}")
    assert_tdx_up(result)
    assert chose_dynamic(result)
    assert result.says('unknown, use "auto" or "static"') == (word != "auto")


@pytest.mark.parametrize("cmdline", ["", "tdx_pamt=auto", "tdx_pamt=static"])
def test_module_without_it(boot, cmdline):
    result = boot(seam={}, cmdline=cmdline)
    assert_tdx_up(result)
    assert not chose_dynamic(result)
    assert not result.says("Dynamic PAMT")
    assert counters(result) == {}


def test_field_that_cannot_be_read(boot):
    """The module that has the feature has the field."""
    plain = boot()
    reads = [text for text in (plain.folder / "trace.txt").read_text().splitlines() if "TDH.SYS.RD" in text]
    nth = next(i for i, text in enumerate(reads, 1) if "field=0x9100000100000013" in text)
    result = boot(seam=DYNAMIC | {"inject": f"SYS.RD:{nth}:OPERAND_INVALID|1"})
    assert_tdx_off(result, "virt/tdx: TDX-Module initialization failed (-5)")


def test_configuration_that_is_refused(boot):
    """48 bits are all that a pair's page numbers can have: the module says no."""
    result = boot(seam=DYNAMIC | {"inject": "SYS.CONFIG:1:OPERAND_INVALID|R8"})
    assert_tdx_off(result, "virt/tdx: TDX-Module initialization failed (-5)")


def test_pool_of_the_extensions_has_pamt(boot):
    """50 MB in one piece: 25 regions, or 26 if it does not begin with one."""
    result = boot(seam=DYNAMIC_CONNECT, memory_mb=1024)
    assert_tdx_up(result)
    assert_well(result)
    assert result.says("virt/tdx: 50 MB allocated for TDX Module Extensions")
    assert result.stats["ext_pool_pages"] == 12800
    assert result.stats["pamt_pairs"] in (25, 26)
    assert calls(result, "TDH.PHYMEM.PAMT.ADD") == result.stats["pamt_pairs"]
    assert counters(result)["pairs"] == result.stats["pamt_pairs"]
    assert counters(result)["pairs_kb"] == 8 * result.stats["pamt_pairs"]


@pytest.mark.parametrize("status, errno, said", [
    ("OPERAND_BUSY|RCX", -16, "virt/tdx: No PAMT (-16) for 51200 KB of TDX Module Extensions"),
    ("HPA_RANGE_NOT_FREE|RCX", -5, "virt/tdx: No PAMT (-5) for 51200 KB of TDX Module Extensions")])
@pytest.mark.parametrize("nth", [1, 3])
def test_pool_without_pamt(boot, status, errno, said, nth):
    """TDX ends here, but the host goes on: the module is asked for a while and nothing is stranded."""
    result = boot(seam=DYNAMIC_CONNECT | {"inject": f"PHYMEM.PAMT.ADD:{nth}:{status}:*"})
    assert_tdx_off(result, said, f"virt/tdx: TDX-Module initialization failed ({errno})")
    assert calls(result, "TDH.EXT.MEM.ADD") == 0
    assert result.stats["pamt_pairs"] == 0
    assert calls(result, "TDH.PHYMEM.PAMT.ADD") <= nth + 8 + 256


def test_objects_of_connect_have_pamt(host):
    """The KUnit suites create and delete real objects: all pairs but the pool's are back."""
    kunit = Host(config=("host", "kunit"))
    result = kunit.boot("connect", seam=DYNAMIC_CONNECT, memory_mb=1024, vcpus=4, cmdline="panic_on_warn=1")
    assert_well(result)
    assert calls(result, "TDH.SPDM.CREATE") > 0 and calls(result, "TDH.IOMMU.SETUP") > 0
    assert result.stats["pamt_pairs"] in (25, 26)
    assert counters(result)["pairs"] == result.stats["pamt_pairs"]
