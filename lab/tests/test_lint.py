# SPDX-License-Identifier: GPL-2.0-only
"""Checkers over what the project wrote: none may have anything to say."""
import re
import subprocess
from pathlib import Path

import pytest

from lab import kernel, place, series, sizes, trees

TRACKED = subprocess.run(["git", "ls-files"], cwd=place.SRC, text=True, capture_output=True,
                         check=True).stdout.splitlines()
# A licence, a list for git, and mails whose form is git's.
NO_SPDX = re.compile(r"COPYING|.*\.gitignore|series/.*\.patch|series/cover-letter\.txt|MAINTAINERS"
                     r"|tools/testing/selftests/.*/(config|settings)|doc/.*\.png")
# What the series changes, as targets of the kernel's make.
KERNEL_TARGETS = ("arch/x86/virt/vmx/tdx/", "arch/x86/kvm/vmx/tdx.o")


def run(*command, **kwargs):
    return subprocess.run([str(word) for word in command], text=True, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **kwargs)


def first_line(path):
    with (place.SRC / path).open(errors="replace") as file:
        return file.readline()


SHELL = [path for path in TRACKED if re.match(r"#!.*\b(ba)?sh\b", first_line(path))]
# The checker takes pytest's fixtures for names that are defined twice.
PYTHON = [path for path in TRACKED if path.endswith(".py") and "/tests/" not in path]


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
USER_SPACE = ("ARRAY_SIZE", "AVOID_EXTERNS", "CONSTANT_CONVERSION", "EMBEDDED_FUNCTION_NAME",
              "LINE_SPACING", "OPEN_BRACE",
              "PREFER_DEFINED_ATTRIBUTE_MACRO", "SPDX_LICENSE_TAG", "SPLIT_STRING",
              "SSCANF_TO_KSTRTO", "STRCPY", "UNSPECIFIED_INT", "VOLATILE")
# Tables of test rows are macros that the checker takes for code.
STYLED = [path for path in TRACKED if path.endswith((".c", ".h")) and "/tests/" not in path
          and path.startswith(("softseam/", "lab/"))]


@pytest.mark.parametrize("path", STYLED)
def test_kernel_style(path, stock):
    """The kernel's own checker on user-space C."""
    found = run("perl", stock / "scripts/checkpatch.pl", "--no-tree", "--terse", "--no-summary",
                "--show-types", "--color=never", "--max-line-length=100",
                f"--ignore={','.join(USER_SPACE)}", "-f", place.SRC / path, cwd="/tmp")
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


def findings(base, tool, *args, compiler):
    """The complaints about @base when what the series touches is built with @args."""
    built = kernel.build(trees.kernel(base)) if not compiler else trees.kernel(base)
    if compiler:
        built = kernel.Kernel(f"{base}-{tool}", built.tree, ("host", "kunit") if base == "series" else built.config, compiler)
        kernel.configure(built)
        built.forget(SERIES_C)
    with place.locked(built.out):
        return checked(built.make(*args, *KERNEL_TARGETS, log=f"{tool}-{base}.log", what=f"{tool} on {base}"))


def new_findings(tool, *args, compiler=None):
    found = [findings(base, tool, *args, compiler=compiler) for base in ("stock", "series")]
    return "\n".join(sorted(found[1] - found[0]))


def test_sparse_says_nothing_new():
    assert not new_findings("sparse", "C=2")


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_extra_warnings_say_nothing_new(compiler):
    """W=1 compiles anew, so it has folders of its own."""
    assert not new_findings(f"w1-{compiler}", "W=1", compiler=compiler)


SERIES_C = sorted({file.path for _, found in series.touched(place.SRC) for file in found
                   if file.is_c and not file.deletes and not file.path.startswith("tools/")})
CORE = [path for path in TRACKED if path.startswith("arch/x86/virt/") and path.endswith(".c")
        and not path.endswith("_kunit.c")]


def kernel_doc(path, tree):
    return run("python3", tree / "tools/docs/kernel-doc", "-none", "-Wall", path).stdout


@pytest.mark.parametrize("path", SERIES_C)
def test_kernel_doc(path, stock):
    tree = trees.kernel("series").tree
    assert not kernel_doc(tree / path, stock)


def test_kernel_doc_finds_what_is_wrong(stock, tmp_path):
    text = (place.SRC / CORE[0]).read_text()
    wrong = tmp_path / "wrong.c"
    wrong.write_text(re.sub(r"^ \* Return:", " * Comes with:", text, flags=re.M))
    assert "No description found for return value" in kernel_doc(wrong, stock)


@pytest.mark.parametrize("path", CORE)
def test_global_functions_have_kernel_doc(path):
    """Where it is defined or in a header beside it; a slow path has that of what it is the slow path of."""
    text = (place.SRC / path).read_text()
    documented = text + "".join(header.read_text() for header in (place.SRC / path).parent.glob("*.h"))
    names = [function.name for function in sizes.c_functions(text) if "static" not in function.text.split("(")[0].split()]
    assert names
    assert not [name for name in names if f"/**\n * {name.removeprefix('__')}() - " not in documented]
