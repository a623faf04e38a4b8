# SPDX-License-Identifier: GPL-2.0-only
"""make td: boot a TDX host on softseam and, in it, stock QEMU with a stock guest as a TD; report."""
import os
import shutil
import socket
from pathlib import Path

from lab import initramfs, kernel, place, qemu, report, report_page, report_text, run, softseam, trees
from lab.guest import disk, initrd, judge, machine, marks, options, program
from lab.say import LabError, line, step

# What the host must load to get at the toolbox and at a network.
DRIVERS = ("virtio_pci", "9pnet_virtio", "9p", "virtio_net")
TOOLBOX, WORK = "toolbox", "work"
# The host's own memory: itself, the pool of the Extensions, QEMU, and what is kept of files from the toolbox.
HOST_MB = 1024
STEP_MB = 512
# The port of the host that leads to the TD's ssh.
SSH_ON_HOST = 2222
# The host may take so long, and as long again as so many TDs on a slow machine.
BOOT_SECONDS, TD_SECONDS = 180, 600
# One with a disk of the user's, who may log in and power it off.
THEIR_SECONDS = 1800


def host_memory_mb(wanted):
    """Enough for the host and for TDs that convert all of their memory once."""
    needed = HOST_MB + (wanted.at_once or wanted.tds) * (wanted.memory_mb + wanted.memory_mb // 8)
    least = -(-needed // STEP_MB) * STEP_MB
    given = run.number("MEM", least, *run.MEMORY_MB[1:])
    if given < needed:
        raise LabError(f"MEM={given}: {wanted.tds} TDs of {wanted.memory_mb} MB need a host with MEM={needed} at least")
    return given


def shares(folder):
    """Arguments that show the host the toolbox, read-only, and @folder."""
    for tag, path, how in ((TOOLBOX, "/", ",readonly=on,multidevs=remap"), (WORK, folder, "")):
        yield from ("-fsdev", f"local,id={tag},path={path},security_model=none{how}",
                    "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}")


def network(wanted, interactive):
    """Arguments that give the host a network, and a port of this machine that leads to the TD's ssh."""
    if not (wanted.ssh or interactive):
        return ()
    forward = f",hostfwd=tcp:127.0.0.1:{wanted.ssh}-:{SSH_ON_HOST}" if wanted.ssh else ""
    return ("-netdev", f"user,id=net,net=10.0.3.0/24{forward}", "-device", "virtio-net-pci,netdev=net,romfile=")


def prepare(wanted, folder, memory_mb, last_step, interactive=False, config=("host",)):
    """Everything built, and the host, with a kernel of @config, that starts the TDs; its parts."""
    base = trees.wanted_base()
    run.offered()
    softseam.build()
    host = kernel.build(trees.kernel(base, config=config))
    if wanted.linux:
        kernel.build(wanted.linux)
    parts = machine.parts(wanted, lambda: initrd.build(host.out / "usr/gen_init_cpio", not wanted.kernel))
    folder.mkdir(parents=True, exist_ok=True)
    port = SSH_ON_HOST if wanted.ssh else 0
    for nr in range(wanted.tds):
        machine.write_files(folder, nr)
        if parts.disk:
            Path(disk.file_of(folder, nr)).write_bytes(disk.overlay(parts.form.size))
        if wanted.kill:
            (folder / f"td-{nr}.kill").write_text(wanted.kill)
        words = machine.command(nr, parts, wanted, interactive, port)
        (folder / f"td-{nr}.argv").write_text("".join(f"{word}\n" for word in words))
    steps = ",".join([*(f"load:{name}" for name in ("tdx-host", "kvm-intel")), "vm",
                      *(f"load:{name}" for name in DRIVERS), last_step])
    seam = {"symbols": host.out / "System.map", "features0": run.offered(), "trace_json": folder / "trace.json"}
    made = qemu.Machine(kernel=host.image, initramfs=initramfs.build(host, [program.build()]), steps=steps,
                        vcpus=run.number("VCPUS", *run.VCPUS), memory_mb=memory_mb, seam=seam,
                        timeout=BOOT_SECONDS + (THEIR_SECONDS if wanted.disk else TD_SECONDS) * wanted.tds,
                        qemu_args=(*shares(folder), *network(wanted, interactive)))
    return made, host, host.called or base, parts


def guests_of(result, parts, wanted, lives):
    """What became of each TD."""
    endings = judge.endings(result.output if (result.folder / "output.log").exists() else "")
    by_nr = lives.of_guests(wanted.tds)
    for nr in range(wanted.tds):
        guest = judge.collect(result.folder, nr, parts, wanted, by_nr[nr], endings.get(nr, {}))
        guest["wrong"] = judge.wrong_with(guest, wanted)
        yield guest


def summarise(result, host, base, release, parts, wanted):
    """The report of the host, with the TDs in it."""
    lives = marks.Lives()
    hardware = {"vcpus": host.vcpus, "memory_mb": host.memory_mb}
    summary = report.collect(result, base, release, 0, hardware, [lives.watch])
    summary["guests"] = list(guests_of(result, parts, wanted, lives))
    wrong = [f"TD {guest['td']}: {guest['wrong']}" for guest in summary["guests"] if guest["wrong"]]
    # What the module refuses is the cause of what the TD then does not do.
    summary["failed"] = [*summary["failed"], *wrong]
    return summary


def check_port(port):
    """Whether this machine's @port is free, told before anything is built."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise LabError(f"GUEST_SSH={port}: cannot listen on port {port} of this machine: {error.strerror}") from None


def td(folder=place.BUILD / "td", wanted=None):
    """One run with its logs and reports in @folder."""
    wanted = wanted or options.read()
    if wanted.ssh:
        check_port(wanted.ssh)
    memory_mb = host_memory_mb(wanted)
    # Another run must not find its files gone; the boot itself has a lock of its own on the folder.
    with place.locked(folder.with_name(f"{folder.name}-files")):
        shutil.rmtree(folder, ignore_errors=True)
        host, built, base, parts = prepare(wanted, folder, memory_mb,
                                           f"run:td_host+{TOOLBOX}+{WORK}+{wanted.tds}+{wanted.at_once or wanted.tds}"
                                           + run.COUNTERS)
        with step("TDX host and TDs") as s:
            s.detail = "booting"
            result = qemu.boot(host, folder)
            s.detail = f"booted and powered off, {host.vcpus} CPUs, {host.memory_mb} MB"
        tell(summarise(result, host, base, built.release(), parts, wanted), folder)


def tell(summary, folder):
    """Report on the terminal and in files; an error if anything was not as it should be."""
    with step("report") as s:
        report.write_json(summary, folder / "report.json")
        report.write(report_page.page(summary, folder / "trace.txt"), folder / "report.html")
        s.detail = place.shown(folder / "report.html")
    for text in report_text.lines(summary):
        line(text)
    if summary["failed"]:
        raise LabError(f"{summary['failed'][0]}; logs: {place.shown(folder)}")


def td_shell():
    """A prompt in a TD."""
    wanted = options.read()
    if wanted.tds > 1:
        raise LabError(f"GUEST_TDS={wanted.tds}: a terminal has room for one TD")
    if wanted.ssh:
        check_port(wanted.ssh)
    memory_mb = host_memory_mb(wanted)
    folder = place.BUILD / "td-shell"
    shutil.rmtree(folder, ignore_errors=True)
    start = f"console:cttyhack+td_host+{TOOLBOX}+{WORK}+1+console"
    host, *_ = prepare(wanted, folder, memory_mb, start, interactive=True)
    line("the TD's console, once it has booted; leave it with exit or Ctrl-A X; "
         f"trace: {place.shown(folder / 'trace.txt')}")
    line("Ctrl-A C: monitor of the host's QEMU; Ctrl-A Ctrl-A C: monitor of the TD's QEMU")
    if wanted.ssh:
        line(f"the TD's ssh: ssh -p {wanted.ssh} USER@127.0.0.1")
    command = host.command(folder, interactive=True)
    os.execvp(command[0], command)
