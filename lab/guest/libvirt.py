# SPDX-License-Identifier: GPL-2.0-only
"""Debian's libvirt on a TDX host on softseam: it has a domain whose QEMU runs a stock guest as a TD."""
import dataclasses
import hashlib
import re
import shutil
from pathlib import Path
from xml.sax.saxutils import escape

from lab import initramfs, place, qemu, report
from lab.guest import debian, judge, machine, marks, packages
from lab.guest import run as guest_run
from lab.guest.options import Options
from lab.say import step

# Debian has one libvirtd for all hypervisors; nothing of this is in the toolbox but QEMU.
PACKAGES = ("libvirt-daemon", "libvirt-daemon-driver-qemu", "libvirt-clients", "qemu-system-x86")
# What the host mounts in the root, beside what each root has a place for.
PLACES = ("src", "cache")
# The first makes that the host's root, the second, in the folder of the run, has libvirt at work there.
ENTER, DRIVE = (Path(__file__).parent / f"host/libvirt_{name}.sh" for name in ("root", "drive"))
ROOT = "libvirt"
# The last is there until somebody presses the domain's button, or pulls its plug.
STEPS = "shell,report,events,disk,button"
# The host itself has more to keep than for QEMU alone: what libvirt writes is in its memory.
MORE_MB = 512
# A host may take so long to start libvirt, and each of its verbs as the script says, on a slow machine.
START_SECONDS, VERB_SECONDS = 600, 900
SEPT_VE_DISABLE = 1 << 28
# It takes a while to take all pages from a TD again: no more of them than its Linux needs.
MEMORY_MB = 256

# There is neither SELinux nor AppArmor on this host, and nobody but root; files of the TD are only read, and
# attributes that say who had them before have no place there.
QEMU_CONF = """\
user = "root"
group = "root"
security_driver = "none"
remember_owner = 0
"""
LIBVIRTD_CONF = """\
log_outputs = "2:file:/var/log/libvirt/libvirtd.log"
"""
DOMAIN = """\
<domain type='kvm'>
  <name>td</name>
  <memory unit='MiB'>{memory_mb}</memory>
  <vcpu>{vcpus}</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <loader type='rom' readonly='yes'>{firmware}</loader>
    <kernel>{kernel}</kernel>
    <initrd>{initrd}</initrd>
    <cmdline>{words}</cmdline>
  </os>
  <features>
    <acpi/>
    <apic/>
    <ioapic driver='qemu'/>
    <pmu state='off'/>
    <smm state='off'/>
  </features>
  <cpu mode='host-passthrough'/>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{work}/disk-0.img'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <interface type='user'>
      <model type='virtio'/>
    </interface>
    <console type='file'>
      <source path='{work}/guest-0.log' append='on'/>
      <target type='virtio'/>
    </console>
    <channel type='file'>
      <source path='{work}/guest-0.jsonl' append='on'/>
      <target type='virtio' name='softseam.lab'/>
    </channel>
    <memballoon model='none'/>
  </devices>
  <launchSecurity type='tdx'>
    <policy>{policy:#x}</policy>
  </launchSecurity>
</domain>
"""


def make_root(new):
    """Debian with PACKAGES in the folder @new."""
    debian.install(new, "essential", PACKAGES, "guest: cannot make a root with libvirt")
    for name in PLACES:
        (new / name).mkdir()


def root_name():
    """Of the root in the cache: one with other contents has another."""
    return "libvirt-" + hashlib.sha256("\n".join([debian.SUITE, *PACKAGES, *PLACES]).encode()).hexdigest()[:12]


def root():
    """The folder of a root filesystem with libvirt, which is made where there is none."""
    target = packages.FOLDER / root_name()
    with place.locked(target):
        if target.exists():
            return target
        new = target.with_name(f"{target.name}.new")
        # A run that was killed may have left one.
        shutil.rmtree(new, ignore_errors=True)
        with step("root with libvirt") as s:
            s.detail = "making it with mmdebstrap"
            try:
                make_root(new)
                new.rename(target)
            finally:
                shutil.rmtree(new, ignore_errors=True)
            s.detail = version(target)
    return target


def version(folder):
    """libvirt and QEMU as the root's dpkg knows them."""
    said = (folder / "var/lib/dpkg/status").read_text(errors="replace")
    found = dict(re.findall(r"^Package: (\S+)\n(?:.+\n)*?Version: (\S+)", said, re.M))
    return f"libvirt {found.get('libvirt-daemon')}, QEMU {found.get('qemu-system-x86')}"


def domain(parts, wanted):
    """The XML of the domain."""
    words = f"console=hvc0 quiet td={wanted.steps} td_nr=0"
    return DOMAIN.format(memory_mb=wanted.memory_mb, vcpus=wanted.vcpus, firmware=escape(str(parts.firmware)),
                         kernel=escape(str(parts.kernel)), initrd=escape(str(parts.initrd)), words=escape(words),
                         work=machine.WORK, policy=SEPT_VE_DISABLE)


def boots_of(lines):
    """[{step: its line}] of each boot of the domain, from all lines that it wrote."""
    found = []
    for entry in lines:
        if entry["step"] == "boot":
            found.append({})
        if found:
            found[-1][entry["step"]] = entry
    return found


@dataclasses.dataclass
class Ran:
    """What became of the domain.

    @said are the lines of the script, @boots those of the TD, and @lives what softseam saw of each TD; @summary is
    the report on the host.
    """
    folder: Path
    parts: machine.Parts
    said: list
    boots: list
    lives: list
    summary: dict

    def did(self, name):
        """All lines of the script about the step @name."""
        return [entry for entry in self.said if entry["libvirt"] == name]

    def text(self, name):
        """What a step of the script wrote to its standard output."""
        return (self.folder / f"{name}.txt").read_text(errors="replace")

    @property
    def failed(self):
        """The step at which the script stopped, with what it had to say; None if it came to the end."""
        bad = next((entry for entry in self.said if entry["status"]), None)
        if bad:
            err = self.folder / f"{bad['libvirt']}.err"
            words = err.read_text(errors="replace").strip() if err.exists() else ""
            return f"{bad['libvirt']}: {words or self.qemu_said() or bad['status']}"
        return None if self.did("undefine") else "the script did not come to its end"

    def qemu_said(self):
        log = self.folder / "libvirt-log/qemu/td.log"
        return log.read_text(errors="replace").strip()[-300:] if log.exists() else ""

    def measured(self, nr):
        """MRTD and RTMRs of the boot @nr against what they should be."""
        return judge.measured(self.boots[nr], self.parts.firmware)


def prepare(verbs, wanted, folder):
    """The host that runs the script, all that it needs built; and the parts of the domain."""
    made_root = root()
    words = "+".join(["unshare", "-m", ENTER.name, ROOT, guest_run.TOOLBOX, guest_run.WORK, *verbs])
    memory_mb = guest_run.host_memory_mb(wanted) + MORE_MB
    host, built, base, parts = guest_run.prepare(wanted, folder, memory_mb, f"run:{words}" + guest_run.run.COUNTERS,
                                                 config=("host", "libvirt"))
    for name, text in (("domain.xml", domain(parts, wanted)), ("qemu.conf", QEMU_CONF),
                       ("libvirtd.conf", LIBVIRTD_CONF)):
        (folder / name).write_text(text)
    # libvirt has a command line of its own making.
    (folder / "td-0.argv").unlink()
    shutil.copy(DRIVE, folder)
    host.initramfs = initramfs.build(built, [ENTER])
    host.timeout = START_SECONDS + VERB_SECONDS * len(verbs)
    host.qemu_args += ("-fsdev", f"local,id={ROOT},path={made_root},security_model=none,readonly=on",
                       "-device", f"virtio-9p-pci,fsdev={ROOT},mount_tag={ROOT}")
    return host, built, base, parts


def run(verbs, folder, steps=STEPS):
    """Have libvirt define the domain and do @verbs to it, in a host of its own; the TD does @steps."""
    wanted = Options(memory_mb=MEMORY_MB, steps=steps)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    host, built, base, parts = prepare(verbs, wanted, folder)
    lives = marks.Lives()
    with step("TDX host with libvirt") as s:
        s.detail = "booting"
        result = qemu.boot(host, folder)
        s.detail = f"booted and powered off after {', '.join(verbs)}"
    hardware = {"vcpus": host.vcpus, "memory_mb": host.memory_mb}
    summary = report.collect(result, base, built.release(), 0, hardware, [lives.watch])
    output = result.output if (folder / "output.log").exists() else ""
    return Ran(folder, parts, list(report.json_lines(output, '{"libvirt"')), boots_of(judge.said(folder, 0)),
               [life for life in lives.all if life.entered], summary)
