# SPDX-License-Identifier: GPL-2.0-only
"""Forms of the user's disk image, and the file that takes what a TD writes, as QEMU finds it."""
import struct
import subprocess

import pytest

from lab.guest import disk
from lab.say import LabError

MB = 1 << 20


def qcow2(size, below=b"", encryption=0, version=3):
    """The beginning of a qcow2 image, written down from its description."""
    at = 112 if below else 0
    return (b"QFI\xfb" + struct.pack(">I", version) + struct.pack(">QI", at, len(below)) + struct.pack(">I", 16)
            + struct.pack(">QI", size, encryption)).ljust(112, b"\0") + below


def given(tmp_path, data):
    path = tmp_path / "image"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("data, driver, size", [
    (bytes(MB), "raw", MB),
    (bytes(MB + 1), "raw", MB + 512),
    (qcow2(5 << 30), "qcow2", 5 << 30),
    (qcow2(MB, version=2), "qcow2", MB),
])
def test_forms(tmp_path, data, driver, size):
    assert disk.form_of(given(tmp_path, data)) == disk.Form(driver, size)


@pytest.mark.parametrize("data, words", [
    (b"KDMV", "is a VMDK image: make it raw or qcow2 with qemu-img convert"),
    (b"vhdxfile", "is a VHDX image"),
    (b"\xfd7zXZ\0", "is compressed with xz: unpack it first"),
    (qcow2(MB, encryption=1), "is an encrypted qcow2 image"),
    (qcow2(MB, below=b"base.qcow2"), "is a qcow2 image that needs another, base.qcow2: make it"),
    (b"QFI\xfb\0\0", "is a qcow2 image that is cut short"),
])
def test_forms_of_no_use(tmp_path, data, words):
    with pytest.raises(LabError) as error:
        disk.form_of(given(tmp_path, data), "GUEST_DISK=x")
    assert str(error.value).startswith(f"GUEST_DISK=x {words}") and "\n" not in str(error.value)


def qemu(drive, *commands):
    """What QEMU's monitor answers to @commands with a drive."""
    asked = "".join(f"{command}\n" for command in (*commands, "quit"))
    return subprocess.run(["qemu-system-x86_64", "-M", "none", "-nodefaults", "-display", "none", "-monitor", "stdio",
                           "-drive", f"if=none,id=disk,{drive}"], input=asked, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60).stdout


@pytest.mark.parametrize("size", [512, 100 * MB + 512, 2 << 40, 9 << 40])
def test_what_is_written_goes_into_the_file_above(tmp_path, size):
    image, above = tmp_path / "image", tmp_path / "above"
    with image.open("wb") as file:
        file.write(b"\x11" * 512)
        file.truncate(size)
    above.write_bytes(disk.overlay(size))
    at = size - 512
    said = qemu(disk.words(image, "raw", above), "info block -v disk", 'qemu-io disk "read -P 0x11 0 512"',
                f'qemu-io disk "write -P 0x22 {at} 512"', f'qemu-io disk "read -P 0x22 {at} 512"',
                f'qemu-io disk "read {size} 512"')
    assert f"({size} bytes)" in said and "Pattern verification failed" not in said
    assert said.count("read 512/512 bytes") == 2 and said.count("wrote 512/512 bytes") == 1
    again = qemu(disk.words(image, "raw", above), f'qemu-io disk "read -P 0x22 {at} 512"')
    assert "read 512/512 bytes" in again and "verification failed" not in again
    with image.open("rb") as file:
        assert file.read(512) == b"\x11" * 512
        file.seek(at)
        assert size == 512 or file.read() == bytes(512)


def test_a_qcow2_image_is_left_as_it_is(tmp_path):
    image, above = tmp_path / "image", tmp_path / "above"
    image.write_bytes(disk.overlay(MB))
    qemu(f"driver=qcow2,file.filename={image}", 'qemu-io disk "write -P 0x11 0 1k"')
    before = image.read_bytes()
    form = disk.form_of(image)
    assert form == disk.Form("qcow2", MB)
    above.write_bytes(disk.overlay(form.size))
    said = qemu(disk.words(image, form.driver, above), 'qemu-io disk "write -P 0x22 512 512"',
                'qemu-io disk "read -P 0x11 0 512"', 'qemu-io disk "read -P 0x22 512 512"')
    assert said.count("read 512/512 bytes") == 2 and "verification failed" not in said
    assert image.read_bytes() == before
