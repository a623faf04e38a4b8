# SPDX-License-Identifier: GPL-2.0-only
"""A small Debian disk image as clouds have them: made once, kept in the cache, reached by ssh."""
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from lab import place
from lab.guest import debian, packages
from lab.say import LabError, line, step

VARIANT = "minbase"
# The system itself, then what makes the image from it: the toolbox has no such tools.
PACKAGES = ("systemd-sysv", "udev", "dbus", "iproute2", "kmod", "openssh-server", "initramfs-tools", packages.KERNEL,
            "shim-signed", "grub-efi-amd64-signed", "e2fsprogs", "openssh-client", "dosfstools", "fdisk", "mtools")
# Nobody reads these in a TD.
LEFT_OUT = ("doc", "info", "locale", "man")
LABEL = "lab-root"
# The disk, with the EFI system partition behind the first MB; files are sparse.
DISK_MB, ESP_MB = 1024, 64
# What ssh knows the TD by, whatever port leads to it.
ALIAS = "lab-td"

FILES = {
    "etc/hostname": f"{ALIAS}\n",
    "etc/fstab": f"LABEL={LABEL} / ext4 errors=remount-ro 0 1\n",
    # Each disk finds a name for itself when it boots.
    "etc/machine-id": "",
    # In a TD on softseam, what takes seconds elsewhere takes minutes.
    "etc/systemd/system.conf.d/patience.conf": "[Manager]\nDefaultTimeoutStartSec=1h\nDefaultDeviceTimeoutSec=1h\n",
    "etc/systemd/network/all.network": "[Match]\nType=ether\n\n[Network]\nDHCP=yes\n",
    "boot/grub/grub.cfg": f"""set timeout=0
search --no-floppy --label {LABEL} --set=root
menuentry Debian {{
	linux /vmlinuz root=LABEL={LABEL} ro console=ttyS0 quiet
	initrd /initrd.img
}}
""",
    # The one that the signed loader reads, on the EFI system partition.
    "usr/share/lab/grub.cfg": f"search --no-floppy --label {LABEL} --set=root\nset prefix=($root)/boot/grub\n"
                              "configfile $prefix/grub.cfg\n",
}

# What the initial RAM disk must load: firmware reads it at less than a MB a second, and with all drivers it has 20 MB,
# not 11.
DRIVERS = ("virtio_pci", "virtio_blk", "ext4")
EARLY = f"""--essential-hook=cd "$1"
mkdir -p etc/initramfs-tools/conf.d usr/share/initramfs-tools/modules.d
echo MODULES=list >etc/initramfs-tools/conf.d/lab
printf '%s\\n' {' '.join(DRIVERS)} >usr/share/initramfs-tools/modules.d/lab
"""

# Runs in the new system, which has the folder of the build at /mnt, and itself, with nothing mounted, at /mnt/root.
MAKE = f"""set -eu
cd /mnt/new
ssh-keygen -q -t ed25519 -N '' -C {ALIAS} -f key
mkdir -p -m 700 /root/.ssh
cp key.pub /root/.ssh/authorized_keys
echo "{ALIAS} $(cat /etc/ssh/ssh_host_ed25519_key.pub)" >known_hosts
systemctl -q enable systemd-networkd
mkdir client
cp -L /usr/bin/ssh $(ldd /usr/bin/ssh | grep -o '/[^ ]*') client
truncate -s {DISK_MB}M disk.img
printf 'label: gpt\\nstart=1MiB, size={ESP_MB}MiB, type=uefi\\ntype=linux\\n' | sfdisk -q disk.img
mkfs.vfat -F 16 -n ESP --offset 2048 disk.img {ESP_MB << 10}
export MTOOLS_SKIP_CHECK=1
esp=disk.img@@1M
mmd -i $esp ::/EFI ::/EFI/BOOT ::/EFI/debian
mcopy -i $esp /usr/lib/shim/shimx64.efi.signed ::/EFI/BOOT/BOOTX64.EFI
mcopy -i $esp /usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed ::/EFI/BOOT/grubx64.efi
mcopy -i $esp /usr/share/lab/grub.cfg ::/EFI/debian/grub.cfg
mkfs.ext4 -q -F -L {LABEL} -d /mnt/root -E offset={ESP_MB + 1 << 20} disk.img {DISK_MB - ESP_MB - 2}M
"""
# Called with the folder of the build and what to do in the new system.
ENTER = 'mount --bind "$0" "$1/mnt"; mount -t proc proc "$1/proc"; exec chroot "$@"'


class Image:
    """What is in the folder of a built image."""

    def __init__(self, folder):
        self.disk, self.key = folder / "disk.img", folder / "key"
        self.known_hosts, self.client = folder / "known_hosts", folder / "client"

    def ssh(self, port, command, seconds=60):
        """How @command ended as root in the TD that @port of this machine leads to; it may take @seconds to answer.

        The client is that of the image with its own libraries: the toolbox has none.
        """
        options = ("BatchMode=yes", "IdentitiesOnly=yes", f"IdentityFile={self.key}", f"HostKeyAlias={ALIAS}",
                   f"UserKnownHostsFile={self.known_hosts}", "StrictHostKeyChecking=yes", f"ConnectTimeout={seconds}",
                   "ServerAliveInterval=30")
        words = [self.client / "ld-linux-x86-64.so.2", "--library-path", self.client, self.client / "ssh",
                 "-F", "none", "-p", str(port), *(f"-o{option}" for option in options), "root@127.0.0.1", command]
        return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")


def install(root):
    """Debian in the folder @root."""
    left_out = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEFT_OUT]
    debian.install(root, VARIANT, PACKAGES, "guest disk: cannot install Debian", "--mode=root",
                   "--dpkgopt=force-unsafe-io", *left_out, '--aptopt=APT::Sandbox::User "root"', EARLY)


def configure(root):
    """What is not as the packages leave it."""
    for name in ("vmlinuz", "initrd.img"):
        if not (root / name).is_file():
            raise LabError(f"guest disk: {packages.KERNEL} left no /{name}")
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def make(folder):
    """The image and what belongs to it in @folder/new, by the tools of the system that it holds."""
    (folder / "new").mkdir()
    made = debian.mounted("sh", "-ec", ENTER, folder, folder / "root", "/bin/sh", "-c", MAKE)
    if made.returncode:
        raise LabError(f"guest disk: cannot make the image: {debian.complaint(made.stdout)}")


def built():
    """The image; it is made where there is none that has been made in this way."""
    recipe = repr((debian.SUITE, VARIANT, PACKAGES, LEFT_OUT, EARLY, FILES, MAKE))
    target = packages.FOLDER / f"disk-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    with place.locked(packages.FOLDER / "disk"):
        if target.exists():
            return Image(target)
        packages.FOLDER.mkdir(parents=True, exist_ok=True)
        with step("guest disk") as s, tempfile.TemporaryDirectory(dir=packages.FOLDER) as tmp:
            folder = Path(tmp)
            s.detail = f"installing Debian {debian.SUITE}"
            install(folder / "root")
            s.detail = "making the image"
            configure(folder / "root")
            make(folder)
            (folder / "new").rename(target)
            s.detail = f"Debian {debian.SUITE}, {(target / 'disk.img').stat().st_blocks >> 11} MB"
    return Image(target)


def show():
    """make td-image: the image and the key to it where the user finds them, and how to use them."""
    made, folder = built(), place.BUILD / "td-image"
    with place.locked(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for path in (made.disk, made.key):
            subprocess.run(["cp", "--sparse=always", "--preserve=mode", path, folder], check=True)
    shown = place.shown(folder)
    line(f"a TD with it: make td-shell GUEST_DISK={shown}/{made.disk.name} GUEST_MEM=1024 GUEST_SSH=2200")
    line(f"log in to it: ssh -i {shown}/{made.key.name} -p 2200 root@127.0.0.1")
