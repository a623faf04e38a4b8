# SPDX-License-Identifier: GPL-2.0-only
"""Stock guests as TDs in all sizes, in trouble, and on each kind of host."""
import pytest

from lab import place, trees
from lab.guest.options import STEPS, Options
from lab.tests.guest_host import assert_well, td


def run(request, wanted, **values):
    """A run that must be well; its TDs."""
    report, _ = td("full/" + request.node.name.replace("/", "_"), wanted, **values)
    assert_well(report, wanted.tds)
    return report["guests"]


@pytest.mark.parametrize("vcpus", [2, 4])
def test_vcpus(request, vcpus):
    guest, = run(request, Options(vcpus=vcpus), VCPUS=str(vcpus))
    assert guest["cpus_seen"] == vcpus


@pytest.mark.parametrize("memory_mb", [1024, 2048])
def test_memory(request, memory_mb):
    guest, = run(request, Options(memory_mb=memory_mb))
    assert guest["memory_kb_seen"] > memory_mb * 900


@pytest.mark.parametrize("how", ["lazy", "eager"])
def test_accepting_memory(request, how):
    """To the last page: what is accepted late is all written and read."""
    run(request, Options(append=f"accept_memory={how}", steps=f"{STEPS},memory"))


def test_two_tds_at_once(request):
    guests = run(request, Options(tds=2))
    assert [guest["td"] for guest in guests] == [0, 1]
    assert guests[0]["rtmrs"] != guests[1]["rtmrs"], "their command lines differ"


def test_reset_ends_qemu_that_shall_not_reboot(request):
    run(request, Options(steps=f"{STEPS},reboot", ends="reboot"))


@pytest.mark.parametrize("vcpus", [1, 2])
def test_kexec(request, vcpus):
    guest, = run(request, Options(vcpus=vcpus, steps=f"{STEPS},kexec"), VCPUS="2")
    assert guest["boots"] == 2 and guest["cpus_seen"] == vcpus


def test_crash(request):
    run(request, Options(append="panic=-1", steps=f"{STEPS},crash", ends="crash"))


@pytest.mark.parametrize("when", ["3", "20", '"boot"', '"wait"'])
def test_qemu_is_killed(request, when):
    """In firmware, in early boot, in user space, while nothing happens: all that the TD had comes back."""
    run(request, Options(steps="shell,wait", kill=when))


def test_queues(request):
    """Several queues for disk and network."""
    more = ("-global", "virtio-blk-pci.num-queues=2", "-global", "virtio-net-pci.vectors=6")
    run(request, Options(vcpus=2, qemu=more))


def test_static_pamt(request):
    run(request, Options(), DPAMT="off", EXT="off")


def test_stock_host(request):
    run(request, Options(), BASE="stock")


def test_kernel_built_from_a_tree(monkeypatch, tmp_path):
    """The user's own tree in the TD: all that Debian's kernel does."""
    (tmp_path / "GUEST_LINUX").symlink_to(trees.stock())
    monkeypatch.setattr(place, "GIVEN", tmp_path)
    report, _ = td("full/tree", GUEST_LINUX="../my tree")
    assert_well(report)
    guest, = report["guests"]
    assert guest["tree"] == "../my tree" and guest["release"] == trees.stock().name.split("-")[1]
    assert guest["mrtd_ok"] and guest["rtmr_ok"] and guest["block_ok"] and guest["network_ok"]
