# SPDX-License-Identifier: GPL-2.0-only
"""The KUnit suites of the TDX host core, run by a kernel that boots on softseam.

Suites that need no TDX module use a fake.  The others use softseam.
"""
import re

import pytest

from lab import initramfs, kernel, place, qemu, softseam, trees
from lab.run import DYNAMIC_PAMT
from lab.tests import page_owner

SUITES = ("tdx-connect", "tdx-ext", "tdx-page-array", "tdx-page-format", "tdx-page-list", "tdx-page-pamt",
          "tdx-pamt", "tdx-pamt-mode", "tdx-pamt-race", "tdx-resume", "tdx-update")
# TDX_FEATURES0 of a module with extensions and TDX Connect.
CONNECT = hex(1 << 39 | 0x140000 | 1 << 6)
# With Dynamic PAMT besides.
ALL = {"features0": hex(int(CONNECT, 0) | DYNAMIC_PAMT)}
STAMP = re.compile(r"^\[ *\d+\.\d+\] ")
RESULT = re.compile(r"(?P<indent> *)(?P<bad>not )?ok \d+ (- )?(?P<name>\S+)(?P<skip> # SKIP)?")


class Case:
    def __init__(self, suite, match, said):
        self.suite, self.name, self.said = suite, match["name"], said
        self.result = "failed" if match["bad"] else "skipped" if match["skip"] else "passed"

    def __str__(self):
        return f"{self.suite}.{self.name}"


def read_ktap(console):
    """The suites' cases by the suite's name; what a case said precedes its result."""
    suites, cases, said = {}, [], []
    for line in console.splitlines():
        text = STAMP.sub("", line)
        match = RESULT.match(text)
        if not match:
            said.append(text)
        elif match["indent"]:
            cases.append((match, said))
            said = []
        else:
            suites[match["name"]] = [Case(match["name"], *case) for case in cases]
            cases, said = [], []
    return suites


def write_tap(suites, name):
    """One result per case of the boot @name, for the count of the test run."""
    cases = [case for suite in suites.values() for case in suite]
    out = place.BUILD / f"test/kunit/{name}.tap"
    out.parent.mkdir(parents=True, exist_ok=True)
    word = {"passed": ("", ""), "failed": ("not ", ""), "skipped": ("", " # SKIP")}
    with out.open("w") as tap:
        for number, case in enumerate(cases, 1):
            bad, skip = word[case.result]
            tap.write(f"{bad}ok {number} - {case}{skip}\n")
            tap.writelines(f"{text}\n" for text in case.said if case.result == "failed")


@pytest.fixture(scope="session")
def boot_tests():
    """Boot the kernel with the tests on a module that has TDX Connect, with more arguments."""
    softseam.build()
    built = kernel.build(trees.kernel("series", config=("host", "kunit")))
    images = {"kernel": built.image, "initramfs": initramfs.build(built)}

    def run(name, cmdline, steps="", **seam):
        machine = qemu.Machine(**images, steps=steps, vcpus=4, cmdline=cmdline, timeout=300,
                               seam={"features0": CONNECT} | seam)
        result = qemu.boot(machine, place.BUILD / "test/boot" / name)
        assert not result.timed_out, f"the tests hung: {result.last_words()}"
        return result
    return run


@pytest.fixture(scope="session", params=["static", "dynamic"])
def booted(boot_tests, request):
    """All suites, on modules without and with Dynamic PAMT; a WARN that is not expected ends the boot."""
    return boot_tests(f"kunit-{request.param}", "panic_on_warn=1", **(ALL if request.param == "dynamic" else {}))


@pytest.fixture(scope="session")
def suites(booted):
    found = read_ktap(booted.console)
    write_tap(found, booted.folder.name)
    return found


@pytest.mark.parametrize("name", SUITES)
def test_suite_passes(name, suites, booted):
    assert name in suites, f"{name} did not run or did not end: {booted.last_words()}"
    assert suites[name], f"{name} has no cases"
    bad = [case for case in suites[name] if case.result != "passed"]
    assert not bad, "\n".join(f"{case} {case.result}: " + "\n".join(case.said) for case in bad)


def test_kernel_does_not_complain(suites, booted):
    assert not booted.complaints()
    assert booted.status == 0, booted.stderr


def test_module_sees_no_violation(suites, booted):
    assert booted.stats["violations"] == 0, booted.stderr


def test_all_suites_of_the_series_are_known(suites):
    assert sorted(name for name in suites if name.startswith("tdx")) == sorted(SUITES)


CONNECT_ONLY = f"kunit.filter_glob=tdx-connect {page_owner.CMDLINE}"


def object_pages(result):
    """Pages that objects of TDX Connect were made of, and that did not come back."""
    return sum(page_owner.pages(result, case) for case in ("spdm_session", "ide_stream", "trusted_iommu"))


ONE_PAGE = {"spdm_mt_pages": 1, "ide_mt_pages": 1, "iommu_mt_pages": 0}
MANY_PAGES = {"spdm_mt_pages": 64, "ide_mt_pages": 33, "iommu_mt_pages": 62}


@pytest.mark.parametrize("name, seam", [
    ("one-page", ONE_PAGE), ("many-pages", MANY_PAGES),
    ("one-page-interrupted", ONE_PAGE | {"interrupt_every": 1}),
    ("many-pages-interrupted", MANY_PAGES | {"interrupt_every": 10})])
def test_objects_come_and_go(boot_tests, name, seam):
    """1,000 of each kind: none is left, no page is lost, and the module has none but its pool."""
    result = boot_tests(f"kunit-{name}", f"panic_on_warn=1 {CONNECT_ONLY}", page_owner.STEP, **seam)
    cases = read_ktap(result.console)["tdx-connect"]
    assert [case.result for case in cases] == ["passed"] * 3, result.last_words()
    stats = result.stats
    for leaf in ("IOMMU.CLEAR", "SPDM.DELETE", "IDE.STREAM.DELETE"):
        assert stats["leaves"][f"TDH.{leaf}"]["calls"] >= 1000
    assert object_pages(result) == 0
    assert stats["connect"] == {"iommus": 0, "spdm_sessions": 0, "ide_streams": 0}
    assert stats["pages_owned"] == stats["ext_pool_pages"]
    assert stats["violations"] == 0, result.stderr
    assert not result.complaints()


def test_stream_that_stays_keeps_its_session(boot_tests):
    result = boot_tests("kunit-leak-stream", CONNECT_ONLY, page_owner.STEP, spdm_mt_pages=8, ide_mt_pages=2,
                        inject="IDE.STREAM.DELETE:5:OPERAND_BUSY|1")
    warnings = [line for line in result.console.splitlines() if "stranded" in line]
    assert len(warnings) == 2, warnings
    assert "TDX module failed (0x8000020000000001) to delete IDE stream, stranded 8 KB" in warnings[0]
    assert "to delete SPDM session, stranded 32 KB" in warnings[1]
    assert object_pages(result) == 2 + 8
    assert result.stats["connect"] == {"iommus": 0, "spdm_sessions": 1, "ide_streams": 1}
    assert result.stats["violations"] == 0, result.stderr


def test_objects_that_stay_are_leaked_with_a_warning_each(boot_tests):
    result = boot_tests("kunit-leak", CONNECT_ONLY, page_owner.STEP, spdm_mt_pages=8,
                        inject="SPDM.DELETE:5:OPERAND_BUSY|1/IOMMU.CLEAR:7:OPERAND_BUSY|1")
    warnings = [line for line in result.console.splitlines() if "stranded" in line]
    assert len(warnings) == 2, warnings
    assert "TDX module failed (0x8000020000000001) to delete SPDM session, stranded 32 KB" in warnings[0]
    assert "TDX module failed (0x8000020000000001) to delete trusted IOMMU, stranded 80 KB" in warnings[1]
    assert object_pages(result) == (32 + 80) // 4
    assert result.stats["connect"] == {"iommus": 1, "spdm_sessions": 1, "ide_streams": 0}
    assert result.stats["violations"] == 0, result.stderr
