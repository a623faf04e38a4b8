# SPDX-License-Identifier: GPL-2.0-only
"""Bad input and machines that lack something: one clear line, nothing left behind."""
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from lab import place, qemu, softseam

LAB = place.SRC / "lab"
FAILING_MMDEBSTRAP = """#!/bin/sh
for folder; do case $folder in *.new) mkdir -p "$folder/usr"; echo half > "$folder/usr/file";; esac; done
{then}
"""


def run(*command, **kwargs):
    return subprocess.run([str(word) for word in command], text=True, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=120, **kwargs)


def assert_one_line(result, *words):
    """The command failed and said why in a single line."""
    assert result.returncode not in (0, None)
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert lines, "nothing was said"
    for word in words:
        assert word in lines[-1], lines
    assert not [line for line in lines if "Traceback" in line], result.stderr


def mounts():
    return Path("/proc/self/mounts").read_text()


@pytest.fixture
def cache(tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


def assert_empty(cache):
    assert sorted(path.name for path in cache.iterdir()) in ([], ["toolbox.lock"])


def fake_tool(tmp_path, name, text):
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    tool = folder / name
    tool.write_text(text)
    tool.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def test_toolbox_without_network(cache):
    result = run("unshare", "--net", LAB / "toolbox", cache)
    assert_one_line(result, "toolbox: cannot make it from http", "check the network")
    assert_empty(cache)


def test_toolbox_on_a_full_disk(cache):
    result = run("unshare", "--mount", "sh", "-c",
                 f"mount -t tmpfs -o size=8m tmpfs {cache} && exec {LAB}/toolbox {cache}")
    assert_one_line(result, "toolbox: needs 4000 MB free", "TDX_LAB_CACHE")
    assert_empty(cache)


def test_toolbox_when_the_disk_fills_up(cache, tmp_path):
    script = FAILING_MMDEBSTRAP.format(then="echo 'E: write error: No space left on device' >&2; exit 1")
    result = run(LAB / "toolbox", cache, env=os.environ | fake_tool(tmp_path, "mmdebstrap", script))
    assert_one_line(result, "No space left on device")
    assert_empty(cache)


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_toolbox_interrupted(cache, tmp_path, sig):
    env = os.environ | fake_tool(tmp_path, "mmdebstrap", FAILING_MMDEBSTRAP.format(then="exec sleep 60"))
    # Shells start jobs in the background with SIGINT ignored, and no script can trap it then.
    proc = subprocess.Popen([LAB / "toolbox", cache], env=env, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    deadline = time.monotonic() + 20
    while not list(cache.glob("*.new/usr/file")) and time.monotonic() < deadline:
        time.sleep(0.05)
    proc.send_signal(sig)
    assert proc.wait(20) == 130
    assert_empty(cache)


def toolbox_on(distribution, cache, tmp_path, path=None):
    """lab/toolbox on a machine whose os-release says @distribution, with tools from @path."""
    release = tmp_path / "os-release"
    release.write_text(f'PRETTY_NAME="{distribution} 42"\nID={distribution.lower()}\n')
    path = path or os.environ["PATH"]
    return run("unshare", "--mount", "sh", "-c",
               f"mount --bind {release} /etc/os-release && PATH={path} exec {LAB}/toolbox {cache}")


def test_toolbox_on_a_machine_without_apt(cache, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "cat", "cut", "dirname", "flock", "sha256sum", "sed", "grep", "paste"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    result = toolbox_on("Fedora", cache, tmp_path, tools)
    assert_one_line(result, "this machine is Fedora 42", "no apt-get", "Debian 12")
    assert_empty(cache)


def test_toolbox_on_another_distribution(cache, tmp_path):
    result = toolbox_on("Ubuntu", cache, tmp_path)
    assert_one_line(result, "this machine is Ubuntu 42", "names no Debian archive", "DEBIAN_MIRROR")
    assert_empty(cache)


def test_enter_without_privileges(cache):
    result = run("setpriv", "--reuid=65534", "--clear-groups", LAB / "enter", "run",
                 env=os.environ | {"TDX_LAB_CACHE": str(cache)})
    assert_one_line(result, "needs root", "sudo")
    assert_empty(cache)


def test_enter_where_it_may_not_mount(cache):
    result = run("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", LAB / "enter", "run",
                 env=os.environ | {"TDX_LAB_CACHE": str(cache)})
    assert_one_line(result, "may not make a mount namespace")
    assert_empty(cache)


@pytest.mark.parametrize("value, words", [
    ({"BASE": "linus"}, ["BASE=linus", "stock", "series"]),
    ({"KERNEL": "2.6"}, ["KERNEL=2.6", "7.2"]),
    ({"VCPUS": "0"}, ["VCPUS=0", "from 1 to"]),
    ({"DPAMT": "yes"}, ["DPAMT=yes", "off"]),
    ({"VCPUS": "two"}, ["VCPUS=two", "number"]),
    ({"MEM": "64"}, ["MEM=64", "from 512 to"]),
    ({"TDS": "9"}, ["TDS=9", "from 0 to 8"]),
    ({"EXT": "no"}, ["EXT=no", "off"]),
    ({"TDS": "-1"}, ["TDS=-1", "from 0 to 8"]),
    ({"MEM": "1G"}, ["MEM=1G", "number"]),
])
def test_bad_value_for_run(value, words):
    result = run("python3", "-m", "lab", "run", cwd=place.SRC, env=os.environ | value)
    assert_one_line(result, *words)


def test_unknown_suite():
    result = run("python3", "-m", "lab", "test", cwd=place.SRC, env=os.environ | {"SUITE": "nosuch"})
    assert_one_line(result, "SUITE=nosuch", "boot")


def test_unknown_command():
    assert_one_line(run("python3", "-m", "lab", "fly", cwd=place.SRC), "usage: make TARGET")


def test_enter_leaves_no_mounts():
    before = mounts()
    env = os.environ | {"TDX_LAB_CACHE": str(place.CACHE), "SUITE": "nosuch"}
    assert_one_line(run(LAB / "enter", "test", env=env), "SUITE=nosuch")
    assert mounts() == before


def test_run_on_a_full_disk():
    """build/ is 4 MB large: the run fails in one line, and says that the disk is full."""
    result = run("unshare", "--mount", "sh", "-c",
                 f"mount -t tmpfs -o size=4m tmpfs {place.BUILD} && exec python3 -m lab run", cwd=place.SRC)
    assert_one_line(result, "No space left on device")


def test_kernel_source_without_network(tmp_path):
    script = f"mount --bind {tmp_path} /cache && exec python3 -m lab tree"
    result = run("unshare", "--net", "--mount", "sh", "-c", script, cwd=place.SRC)
    assert_one_line(result, "kernel source: cannot reach the Debian archive", "check the network")


@pytest.mark.parametrize("argument, words", [
    ("nosuch=1", ["nosuch"]),
    ("cmr=banana", ["cmr", "banana"]),
    ("cmr=1M", ["cmr", "1M"]),
    ("cmr=0+512M:", ["cmr"]),
    ("features0=xyz", ["features0", "xyz"]),
    ("keyids=31", ["keyids", "31"]),
    ("packages=9", ["packages", "9"]),
    ("version=one", ["version", "one"]),
    ("inject=NO.SUCH.LEAF:1:OPERAND_BUSY", ["inject", "NO.SUCH.LEAF"]),
    ("inject=SYS.CONFIG:0:OPERAND_BUSY", ["inject"]),
    ("inject=SYS.CONFIG:1:NO_SUCH_STATUS", ["inject", "NO_SUCH_STATUS"]),
    ("module=maybe", ["module", "maybe"]),
    ("trace=/no/such/folder/trace", ["/no/such/folder/trace"]),
])
def test_bad_plugin_argument(argument, words, tmp_path):
    softseam.build()
    result = run("qemu-system-x86_64", "-M", "q35", "-nodefaults", "-display", "none", "-S",
                 "-plugin", f"{qemu.PLUGIN},{argument}", cwd=tmp_path)
    assert result.returncode not in (0, None)
    lines = [line for line in result.stderr.splitlines() if line.startswith("softseam:")]
    assert len(lines) == 1, result.stderr
    for word in words:
        assert word in lines[0]
    assert not list(tmp_path.iterdir())
