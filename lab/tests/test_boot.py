# SPDX-License-Identifier: GPL-2.0-only
"""TDX hosts on softseam: those that come up, and those that must fail and say why.

Each expected message is the kernel's own; "virt/tdx" is the prefix of its TDX code.
"""
import re
import subprocess

import pytest

from lab import place, qemu, stuck

INITIALIZED = "virt/tdx: TDX-Module initialized"


def assert_tdx_up(result):
    assert result.says(INITIALIZED), result.last_words()
    assert result.did("load", "kvm-intel")["ok"]
    vm = result.did("vm")
    assert vm["kvm_vm_types"] >> 5 & 1, "KVM offers no TDX VM type"
    assert vm["ok"], f"KVM_CREATE_VM failed with errno {vm['errno']}"
    assert result.stats["violations"] == 0, result.stderr
    assert not result.complaints()
    assert result.status == 0, result.stderr


def assert_tdx_off(result, *messages):
    """No TDX, the kernel said why, and the host is otherwise well."""
    for message in messages:
        assert result.says(message), f"the kernel did not say {message!r}; {result.last_words()}"
    assert not result.says(INITIALIZED)
    assert result.did("load", "kvm-intel")["ok"], "kvm_intel must load without TDX"
    vm = result.did("vm")
    assert not vm["kvm_vm_types"] >> 5 & 1, "KVM offers TDX VMs although there is no TDX"
    assert not vm["ok"]
    assert not result.complaints()
    assert result.status == 0, result.stderr


def calls(result, leaf):
    return result.stats["leaves"].get(leaf, {"calls": 0})["calls"]


@pytest.mark.parametrize("base", ["stock", "series"])
@pytest.mark.parametrize("memory_mb", [1024, 6144])
def test_comes_up(boot, base, memory_mb):
    result = boot(base, memory_mb=memory_mb)
    assert_tdx_up(result)
    assert calls(result, "TDH.SYS.CONFIG") == 1
    assert calls(result, "TDH.SYS.KEY.CONFIG") == 1
    assert result.stats["sys_state"] == "SHUTDOWN", "the host did not disable the module at power-off"


@pytest.mark.parametrize("vcpus", [1, 2, 8])
def test_each_cpu_is_initialised_once(boot, vcpus):
    result = boot(vcpus=vcpus)
    assert_tdx_up(result)
    assert calls(result, "TDH.SYS.INIT") == 1
    assert calls(result, "TDH.SYS.LP.INIT") == vcpus


def test_hole_below_4g_becomes_reserved_areas(boot):
    """6 GB of RAM lie at 0..2 GB and 4..8 GB: the hole must not fail SYS.CONFIG."""
    result = boot(memory_mb=6144)
    assert_tdx_up(result)
    assert result.stats["tdmrs"] >= 2
    assert result.stats["pamt_kb"] == pamt_kb(result)


def pamt_kb(result):
    line = next(text for text in result.console.splitlines() if "KB allocated for PAMT" in text)
    return int(line.split("virt/tdx: ")[1].split()[0])


@pytest.mark.parametrize("memory_mb", [1024, 6144])
def test_two_numa_nodes(boot, memory_mb):
    assert_tdx_up(boot(nodes=2, memory_mb=memory_mb))


def test_two_packages_get_a_key_each(boot):
    result = boot(vcpus=4, sockets=2)
    assert_tdx_up(result)
    assert calls(result, "TDH.SYS.KEY.CONFIG") == 2


def test_tdmr_init_interrupted_many_times(boot):
    result = boot(seam={"tdmr_init_step": "1M"})
    assert_tdx_up(result)
    assert calls(result, "TDH.SYS.TDMR.INIT") >= 1024


def test_no_entropy_is_retried(boot):
    result = boot(seam={"inject": "SYS.KEY.CONFIG:1:RND_NO_ENTROPY:9"})
    assert_tdx_up(result)
    assert calls(result, "TDH.SYS.KEY.CONFIG") == 10


def test_cpu_unplugged_and_plugged_again(boot):
    steps = "load:kvm-intel,vm,offline:1,online:1,vm"
    result = boot(steps=steps, vcpus=4)
    assert_tdx_up(result)
    assert result.did("offline", "1")["ok"] and result.did("online", "1")["ok"]
    assert all(entry["ok"] for entry in result.agent if entry["step"] == "vm")
    assert calls(result, "TDH.SYS.LP.INIT") == 4, "a CPU that comes back must not be initialised again"


def test_kvm_intel_loads_again(boot):
    result = boot(steps="load:kvm-intel,vm,unload:kvm_intel,load:kvm-intel,vm")
    assert_tdx_up(result)
    assert [entry["ok"] for entry in result.agent if entry["step"] == "load"] == [True, True]


@pytest.mark.parametrize("step", ["poweroff", "reboot"])
def test_module_disabled_at_the_end(boot, step):
    result = boot(steps=f"load:kvm-intel,vm,{step}")
    assert_tdx_up(result)
    assert calls(result, "TDH.SYS.DISABLE") == 1
    assert result.stats["sys_state"] == "SHUTDOWN"


def test_disable_interrupted_is_resumed(boot):
    result = boot(seam={"inject": "SYS.DISABLE:1:INTERRUPTED_RESUMABLE:3/SYS.DISABLE:4:SYS_BUSY:2"})
    assert_tdx_up(result)
    assert calls(result, "TDH.SYS.DISABLE") == 6
    assert result.stats["sys_state"] == "SHUTDOWN"


def test_disable_refused_is_said(boot):
    result = boot(seam={"inject": "SYS.DISABLE:1:0xC000010000000001"})
    assert result.says("TDH.SYS.DISABLE failed: 0xc000010000000001")


def test_no_module_loaded(boot):
    result = boot(seam={"module": "none"})
    assert_tdx_off(result, "virt/tdx: module not loaded")
    assert result.says("virt/tdx: BIOS enabled: private KeyID range")


def test_rbp_clobbering_module_is_refused(boot):
    result = boot(seam={"features0": "0x100000"})
    assert_tdx_off(result, "virt/tdx: frame pointer (RBP) clobber bug present, upgrade TDX module",
                   "virt/tdx: TDX-Module initialization failed (-22)")


def test_too_few_keyids(boot):
    result = boot(seam={"keyids": "31+1"})
    assert_tdx_off(result, "virt/tdx: initialization failed: too few private KeyIDs available.")
    assert calls(result, "TDH.SYS.INIT") == 0


def test_cmrs_that_do_not_cover_ram(boot):
    result = boot(seam={"cmr": "0+512M"})
    assert_tdx_off(result, "virt/tdx: TDX-Module initialization failed (-5)",
                   "virt/tdx: SEAMCALL (0x000000000000002d) failed: 0xc0000a")


@pytest.mark.parametrize("cmr", ["512M+512M:0+512M", "0+512M:256M+512M", "0+1000"])
def test_cmrs_out_of_order_overlapping_or_unaligned(boot, cmr):
    """A broken firmware: the module itself refuses to start."""
    result = boot(seam={"cmr": cmr})
    assert_tdx_off(result, "virt/tdx: SEAMCALL (0x0000000000000021) failed: 0xc0000a22")


@pytest.mark.parametrize("base", ["stock", "series"])
@pytest.mark.parametrize("leaf, number", [
    ("SYS.CONFIG", 45), ("SYS.KEY.CONFIG", 31), ("SYS.TDMR.INIT", 36), ("SYS.RD", 34)])
def test_refused_by_the_module(boot, base, leaf, number):
    result = boot(base, seam={"inject": f"{leaf}:1:OPERAND_INVALID|1"})
    assert_tdx_off(result, "virt/tdx: TDX-Module initialization failed (-5)",
                   f"virt/tdx: SEAMCALL (0x{number:016x}) failed: 0xc000010000000001")


@pytest.mark.parametrize("leaf, number", [("SYS.INIT", 33), ("SYS.LP.INIT", 35)])
def test_refused_before_the_module_is_known(boot, leaf, number):
    result = boot(seam={"inject": f"{leaf}:1:SYS_BUSY"})
    assert_tdx_off(result, f"virt/tdx: SEAMCALL (0x{number:016x}) failed: 0x8000020200000000")


def test_seamcall_that_faults(boot):
    result = boot(seam={"inject": "SYS.CONFIG:1:GP"})
    assert_tdx_off(result, "virt/tdx: TDX-Module initialization failed (-95)")


def test_kvm_wants_topology_enumeration(boot):
    """FEATURES0 without TOPOLOGY_ENUM: the core is content, kvm_intel does not load."""
    result = boot(seam={"features0": "0x40000"})
    assert result.says(INITIALIZED)
    load = result.did("load", "kvm-intel")
    assert not load["ok"] and load["errno"] == 22


def test_shell_gives_a_prompt_on_the_host(hosts):
    """What make shell starts: commands typed at the console, then a clean power-off."""
    folder = place.BUILD / "test/boot/shell"
    folder.mkdir(parents=True, exist_ok=True)
    machine = qemu.Machine(steps="load:kvm-intel,vm,shell", **hosts["series"])
    proc = subprocess.Popen(machine.command(folder, interactive=True), stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = ""
    while not said.endswith("~ # "):
        more = proc.stdout.read(1)
        assert more, f"the host ended without a prompt: {said[-500:]}"
        said += more
    out, _ = proc.communicate("dmesg | grep -c 'TDX-Module init'; echo answer $((6 * 7)); exit\n", timeout=600)
    assert "answer 42" in out, out
    assert proc.returncode == 0
    assert "Power down" in out


def test_machine_that_hangs_is_described(hosts):
    """A boot that has to be stopped leaves a note on where each CPU was."""
    folder = place.BUILD / "test/boot/hangs"
    machine = qemu.Machine(steps="load:kvm-intel,run:sleep+1000", **hosts["series"], timeout=20)
    result = qemu.boot(machine, folder)
    assert result.timed_out
    assert "where its CPUs were" in result.last_words()
    text = (folder / qemu.STUCK).read_text()
    for cpu in range(machine.vcpus):
        found = re.findall(rf"^CPU {cpu}: (\w+)\+0x[0-9a-f]+", text, flags=re.M)
        assert len(found) == stuck.LOOKS, text[:500]
    assert "RIP=" in text
