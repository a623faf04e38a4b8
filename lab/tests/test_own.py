# SPDX-License-Identifier: GPL-2.0-only
"""Kernel trees of the user's own: which are taken, and what is said of those that are of no use."""
import os
import subprocess

import pytest

from lab import kernel, own, place, runner, say, trees
from lab.guest import options
from lab.say import LabError
from lab.tests.own_fake import FILES, tree

NAMES = ("LINUX", "LINUX_CONFIG", "GUEST_LINUX", "GUEST_LINUX_CONFIG", "LINUX_REAL", "GUEST_LINUX_REAL",
         "GUEST_KERNEL", "GUEST_INITRD", "GUEST_DISK", "GUEST_FIRMWARE", "BASE", "KERNEL", "SUITE")


@pytest.fixture
def given(monkeypatch, tmp_path):
    """given(NAME=value, ...): the user says so, and lab/inside shows what is in the folder given/ under these names."""
    monkeypatch.setattr(place, "GIVEN", tmp_path / "given")

    def make(**values):
        for name in NAMES:
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return tmp_path / "given"
    return make


def refused(call):
    """The one line that @call ends with."""
    with pytest.raises(LabError) as error:
        call()
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_tree_is_the_host(given):
    tree(given(LINUX="../my linux/") / "LINUX")
    found = trees.kernel(trees.wanted_base())
    assert (found.tree, found.config, found.called, found.title) == (place.GIVEN / "LINUX", ("host",), *["../my linux/"] * 2)
    assert found.out.parent == place.BUILD / "kernel" and " " not in str(found.out)


def test_without_it_nothing_changes(given):
    given()
    assert own.host() is own.guest() is None and trees.wanted_base() == "series"


def test_a_tree_is_the_td(given):
    tree(given(GUEST_LINUX="linux") / "GUEST_LINUX")
    found = options.read()
    assert found.kernel == found.linux.image and found.linux.config == ("guest",)
    assert found.ours and not found.from_disk


def test_one_tree_is_built_in_one_folder_whatever_it_is_called(given):
    for name in ("LINUX", "GUEST_LINUX"):
        tree(given() / name)

    def out(real, name="LINUX", called="linux", use=own.HOST):
        given(**{name: called, f"{name}_REAL": real})
        return own.chosen(use).out
    assert out("/home/x/linux") == out("/home/x/linux", called="../x/linux/") != out("/home/y/linux")
    assert out("/home/x/linux") != out("/home/x/linux", "GUEST_LINUX", use=own.GUEST)


@pytest.mark.parametrize("without, words", [
    (FILES, "there is no such folder"),
    (["Makefile"], "this is no kernel tree"),
    (["arch/x86/Kconfig"], "this is no kernel tree"),
    (["arch/x86/virt/vmx/tdx/tdx.c"], "Linux 7.1 without arch/x86/virt/vmx/tdx/tdx.c cannot be a TDX host"),
    (["arch/x86/kvm/vmx/tdx.c"], "Linux 7.1 without arch/x86/kvm/vmx/tdx.c cannot be a TDX host"),
])
def test_trees_that_are_no_host(given, without, words):
    tree(given(LINUX="/home/x/linux") / "LINUX", without)
    assert refused(own.host).startswith(f"LINUX=/home/x/linux: {words}")


def test_a_tree_without_the_option(given):
    folder = tree(given(LINUX="l", GUEST_LINUX="g") / "LINUX", **{"arch/x86/Kconfig": "config INTEL_TDX_HOSTESS\n"})
    folder.rename(place.GIVEN / "GUEST_LINUX")
    tree(place.GIVEN / "LINUX", **{"arch/x86/Kconfig": "config INTEL_TDX_GUEST\n"})
    assert "without the option INTEL_TDX_HOST " in refused(own.host)
    assert "without the option INTEL_TDX_GUEST " in refused(own.guest)


def test_the_option_may_be_in_a_file_of_its_own(given):
    tree(given(LINUX="l") / "LINUX", **{"arch/x86/Kconfig": "", "arch/x86/Kconfig.tdx": "config INTEL_TDX_HOST\n"})
    assert own.host()


@pytest.mark.parametrize("without", ["arch/x86/coco/tdx/tdx.c", "drivers/virt/coco/tdx-guest/tdx-guest.c"])
def test_trees_that_are_no_td(given, without):
    folder = tree(given(GUEST_LINUX="linux") / "GUEST_LINUX", [without])
    assert f"without {without.removesuffix('/tdx-guest.c')} cannot be a TD" in refused(options.read) and folder.is_dir()


def test_a_file_is_no_tree(given):
    given(LINUX="vmlinux").mkdir()
    (place.GIVEN / "LINUX").write_text("x")
    assert refused(own.host) == "LINUX=vmlinux: there is no such folder"


@pytest.mark.parametrize("path", own.BUILT_IN_PLACE)
def test_a_tree_that_was_built_in_place(given, path):
    tree(given(LINUX="/home/x/linux") / "LINUX", **{path if path == ".config" else f"{path}/file": ""})
    said = refused(own.host)
    assert said.startswith(f"LINUX=/home/x/linux: the tree was built or configured in place ({path})")
    assert "make mrproper" in said and "copy" in said


@pytest.mark.parametrize("values, words", [
    ({"LINUX": "l", "BASE": "stock"}, "LINUX=l BASE=stock: both choose the kernel; leave out one"),
    ({"LINUX": "l", "BASE": "series"}, "LINUX=l BASE=series: both choose the kernel"),
    ({"LINUX": "l", "KERNEL": "7.3"}, "LINUX=l KERNEL=7.3: both choose the kernel"),
    ({"LINUX_CONFIG": "f"}, "LINUX_CONFIG=f: needs LINUX=FOLDER"),
    ({"LINUX": "l", "LINUX_CONFIG": "/no/such"}, "LINUX_CONFIG=/no/such: there is no such file"),
])
def test_choices_that_do_not_go_together(given, values, words):
    tree(given(**values) / "LINUX")
    assert words in refused(trees.wanted_base)


@pytest.mark.parametrize("values, words", [
    ({"GUEST_LINUX": "l", "GUEST_KERNEL": "k"}, "GUEST_LINUX=l GUEST_KERNEL=k: both choose the kernel"),
    ({"GUEST_LINUX_CONFIG": "f"}, "GUEST_LINUX_CONFIG=f: needs GUEST_LINUX=FOLDER"),
])
def test_choices_of_a_td_that_do_not_go_together(given, values, words):
    folder = tree(given(**values) / "GUEST_LINUX")
    (folder.parent / "GUEST_KERNEL").write_text("x")
    assert words in refused(options.read)


@pytest.mark.parametrize("text, words", [
    ("#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 7.2.12 Kernel Configuration\n#\nCONFIG_SMP=y\n",
     "this is a whole configuration"),
    ("", "there is no line like CONFIG_NAME=y"),
    ("SMP=y\n", "there is no line like CONFIG_NAME=y"),
])
def test_configurations_of_no_use(given, text, words):
    tree(given(LINUX="l", LINUX_CONFIG="my.config") / "LINUX")
    (place.GIVEN / "LINUX_CONFIG").write_text(text)
    assert refused(own.host).startswith(f"LINUX_CONFIG=my.config: {words}")


def host_with(given, text):
    tree(given(LINUX="l", LINUX_CONFIG="my.config") / "LINUX")
    (place.GIVEN / "LINUX_CONFIG").write_text(text)
    return own.host()


def test_configuration_goes_on_top(given):
    lines = kernel.wanted_config(host_with(given, "CONFIG_NR_CPUS=8\r\nCONFIG_KASAN=y \nCONFIG_DEBUG_LIST=n\n"))
    assert {"CONFIG_NR_CPUS=8", "CONFIG_KASAN=y", "# CONFIG_DEBUG_LIST is not set", "CONFIG_SMP=y"} <= set(lines)
    assert not {"CONFIG_NR_CPUS=64", "CONFIG_DEBUG_LIST=y"} & set(lines)


def test_modules_that_the_lab_loads_must_stay(given):
    said = refused(lambda: host_with(given, "CONFIG_KVM_INTEL=y\n"))
    assert said == "LINUX_CONFIG: CONFIG_KVM_INTEL=y: the lab loads this module, so CONFIG_KVM_INTEL=m must stay"


@pytest.fixture
def configured(given, monkeypatch, tmp_path):
    """configured(options, lost, known): a host whose Kconfig dropped @lost, of a tree that knows @known."""
    monkeypatch.setattr(place, "BUILD", tmp_path / "build")

    def make(options, lost, known):
        found = host_with(given, options)
        with (found.tree / "arch/x86/Kconfig").open("a") as out:
            out.write("".join(f"config {name}\n\tbool\n" for name in known))
        found.out.mkdir(parents=True)
        kept = [text for name, text in kernel.wanted_options(found).items() if name not in lost]
        (found.out / ".config").write_text("\n".join(kept) + "\n")
        return found
    return make


def test_what_an_older_tree_never_heard_of_is_left_out(configured, capsys):
    kernel.check_config(configured("CONFIG_KASAN=y\n", ["TDX_HOST_SERVICES"], []))
    assert capsys.readouterr().out == "l: has no CONFIG_TDX_HOST_SERVICES, built without\n"


def test_what_kconfig_drops_is_named(configured):
    found = configured("CONFIG_KASAN=y\n", ["INTEL_TDX_HOST", "TDX_HOST_SERVICES"], [])
    said = refused(lambda: kernel.check_config(found))
    assert said == "kernel config host: Kconfig dropped CONFIG_INTEL_TDX_HOST=y: see what they depend on in l"


def test_what_the_user_asks_for_must_be_there(configured):
    found = configured("CONFIG_NO_SUCH=y\n# CONFIG_MODVERSIONS is not set\n", ["NO_SUCH"], [])
    assert "Kconfig dropped CONFIG_NO_SUCH=y" in refused(lambda: kernel.check_config(found))


@pytest.mark.parametrize("command, values", [
    (runner.test, {}), (runner.test, {"SUITE": "boot"}), (runner.test_all, {"SUITE": "td-full"})])
def test_suites_about_the_series_do_not_take_it(given, command, values):
    given(LINUX="l", **values)
    assert refused(command).startswith("LINUX=l: make test tests the series; LINUX is for run")


def test_a_tree_of_no_use_is_told_before_the_suite_starts(given):
    given(LINUX="l", SUITE="td")
    assert refused(runner.test) == "LINUX=l: there is no such folder"


def test_paths_in_what_a_compiler_says_are_those_of_the_user():
    said = "/linux/arch/x86/a.c:1: error: b\nIn file included from /linux/include/linux/c.h\n ./include/linux/d.h\n"
    assert say.renamed(said, "/linux/", "/home/x/my linux/") == (
        "/home/x/my linux/arch/x86/a.c:1: error: b\nIn file included from /home/x/my linux/include/linux/c.h\n"
        " ./include/linux/d.h\n")


@pytest.fixture
def enter(tmp_path):
    """enter(LINUX): the last line of make run with such a tree; it goes through lab/enter, and never comes to a build."""
    folder = tree(tmp_path / "my trees/linux 7", ["arch/x86/kvm/vmx/tdx.c"])
    (tmp_path / "link").symlink_to(folder)

    def run(path, **values):
        env = {name: value for name, value in os.environ.items() if name not in NAMES}
        result = subprocess.run([place.SRC / "lab/enter", "run"], cwd=tmp_path, text=True, stdin=subprocess.DEVNULL,
                                capture_output=True, timeout=120,
                                env=env | {"TDX_LAB_CACHE": str(place.CACHE), "LINUX": path} | values)
        assert result.returncode == 1 and result.stdout == "", result.stdout + result.stderr
        return result.stderr.splitlines()[-1]
    return run


@pytest.mark.parametrize("path", ["my trees/linux 7", "./my trees/linux 7/", "link", "link/"])
def test_the_tree_is_found_whatever_its_path_is_like(enter, path):
    assert enter(path).startswith(f"lab: LINUX={path}: Linux 7.1 without arch/x86/kvm/vmx/tdx.c cannot be")


def test_an_absolute_path(enter, tmp_path):
    assert "Linux 7.1 without" in enter(str(tmp_path / "my trees/linux 7"))


def test_a_path_that_leads_nowhere(enter):
    assert enter("my trees/linux 8") == "lab: LINUX=my trees/linux 8: there is no such folder"
