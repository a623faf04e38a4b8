# SPDX-License-Identifier: GPL-2.0-only
"""Checkers over what the project wrote: none may have anything to say."""
import re
import subprocess
from pathlib import Path

import pytest

from lab import kernel, place, series, trees

TRACKED = subprocess.run(["git", "ls-files"], cwd=place.SRC, text=True, capture_output=True,
                         check=True).stdout.splitlines()
# A licence, a list for git, and mails whose form is git's.
NO_SPDX = re.compile(r"COPYING|.*\.gitignore|series/.*\.patch|series/cover-letter\.txt|MAINTAINERS")
# Directories of the kernel that the series touches and this architecture builds.
KERNEL_DIRS = ("arch/x86/virt/vmx/tdx/", "arch/x86/kvm/")


def run(*command, **kwargs):
    return subprocess.run([str(word) for word in command], text=True, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **kwargs)


def first_line(path):
    with (place.SRC / path).open(errors="replace") as file:
        return file.readline()


SHELL = [path for path in TRACKED if re.match(r"#!.*\b(ba)?sh\b", first_line(path))]
C_FILES = [path for path in TRACKED if path.endswith((".c", ".h"))]
PYTHON = [path for path in TRACKED if path.endswith(".py")]


@pytest.mark.parametrize("path", SHELL)
def test_shellcheck(path):
    found = run("shellcheck", "--external-sources", path, cwd=place.SRC)
    assert found.returncode == 0, found.stdout


def test_every_file_names_its_licence():
    bare = [path for path in TRACKED if not NO_SPDX.fullmatch(path) and not names_licence(path)]
    assert not bare


def names_licence(path):
    head = (place.SRC / path).read_text(errors="replace").splitlines()[:3]
    return any("SPDX-License-Identifier: GPL-2.0" in text for text in head)


def test_python_compiles_and_has_no_loose_ends():
    found = run("python3", "-m", "pyflakes", *PYTHON, cwd=place.SRC)
    assert found.returncode == 0, found.stdout


@pytest.fixture(scope="session")
def stock():
    return trees.stock()


# Rules about facilities that only the kernel has, and about names that GLib and C11 chose.
USER_SPACE = ("ARRAY_SIZE", "BIT_MACRO", "CAMELCASE", "CONSTANT_CONVERSION", "CONST_STRUCT",
              "LONG_LINE_STRING", "PREFER_DEFINED_ATTRIBUTE_MACRO", "PREFER_KERNEL_TYPES",
              "SPDX_LICENSE_TAG", "SSCANF_TO_KSTRTO", "STRCPY", "VOLATILE")


@pytest.mark.parametrize("path", C_FILES)
def test_checkpatch_on_a_file(path, stock):
    """The kernel's checker in strict mode on each C file, as style for user space too."""
    ignored = USER_SPACE if path.startswith(("softseam/", "lab/")) else ("NONE",)
    found = run("perl", stock / "scripts/checkpatch.pl", "--no-tree", "--strict", "--terse",
                "--no-summary", "--show-types", "--color=never", "--max-line-length=100",
                f"--ignore={','.join(ignored)}", "-f", path, cwd=place.SRC)
    assert not found.stdout.strip(), found.stdout


@pytest.fixture(scope="session")
def mails(tmp_path_factory):
    out = tmp_path_factory.mktemp("mails") / "series"
    return series.mails(place.SRC, out, trees.pristine(), "Tester <tester@example.org>")


def test_checkpatch_on_the_mails(mails, stock):
    assert len(mails) > 1
    found = series.check(place.SRC, mails, stock)
    assert not found, "\n".join(str(finding) for finding in found)


def checked(log):
    """What a checker said, without line numbers, so that trees can be compared."""
    lines = Path(log).read_text(errors="replace").splitlines()
    said = [re.sub(r":\d+(:\d+)?:", ":", text) for text in lines if re.search(r":\d+(:\d+)?: (\w+ )*(warning|error)", text)]
    return {re.sub(r"^\S*?(arch|drivers|include|virt)/", r"\1/", text) for text in said}


def findings(base, tool, *args):
    """The complaints about @base when its TDX directories are built with @args."""
    built = trees.kernel(base)
    built = kernel.Kernel(f"{base}-{tool}", built.tree, built.config,
                          "clang" if "clang" in tool else "gcc")
    kernel.configure(built)
    log = built.make(*args, *KERNEL_DIRS, log=f"{tool}-{base}.log", what=f"{tool} on {base}")
    return checked(log)


@pytest.mark.parametrize("tool, args", [
    ("sparse", ["C=2", "CF=-Wsparse-error=0"]), ("w1-gcc", ["W=1"])])
def test_kernel_checkers(tool, args):
    """Sparse and extra warnings say nothing about the series that they do not say about stock."""
    new = findings("series", tool, *args) - findings("stock", tool, *args)
    assert not new, "\n".join(sorted(new))
