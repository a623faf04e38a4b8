# SPDX-License-Identifier: GPL-2.0-only
"""The test runner counts what ran, and fails when something failed or nothing ran."""
import pytest

from lab import runner
from lab.say import LabError


@pytest.fixture
def suite(tmp_path, monkeypatch):
    """suite(script): a suite that runs a shell script in its result folder."""
    monkeypatch.setattr(runner, "RESULTS", tmp_path)
    monkeypatch.setattr(runner.place, "SRC", tmp_path)
    monkeypatch.delenv("SUITE", raising=False)
    monkeypatch.delenv("TEST", raising=False)

    def make(script):
        out = tmp_path / "results"
        return runner.Suite("fake", "a fake", ["sh", "-c", f"mkdir -p {out}; cd {out}; {script}"], out)
    return make


def test_counts_tap(suite, capsys):
    runner.test((suite("printf '1..3\\nok 1 - a\\nok 2 - b # SKIP no c\\n  ok 3 nested\\nok 3 d\\n' >x.tap"),))
    out = capsys.readouterr().out
    assert out.strip().endswith("2 passed, 0 failed, 1 skipped")
    assert "no c" in out


def test_counts_junit(suite, capsys):
    xml = ('<testsuite><testcase name="a"/><testcase name="b"><skipped message="no hardware"/></testcase>'
           '</testsuite>')
    runner.test((suite(f"echo '{xml}' >x.xml"),))
    out = capsys.readouterr().out
    assert out.strip().endswith("1 passed, 0 failed, 1 skipped")
    assert "no hardware" in out


@pytest.mark.parametrize("name, name_of_test, command", [
    ("lab", "lab.tests.test_lab: test_help[x-1]", "make test SUITE=lab TEST=test_help"),
    ("debug", "lab.tests.test_debug: test_suite_passes[tdx-ext]", "make test-all SUITE=debug TEST=test_suite_passes"),
    ("model", "mng: create_busy", "make test SUITE=model"),
    ("lab", "lab ended with status 2", "make test SUITE=lab"),
])
def test_how_to_run_a_failed_test_again(name, name_of_test, command):
    found, = (each for each in runner.SUITES_ALL if each.name == name)
    assert runner.rerun(found, name_of_test) == command


def fails(suites, capsys):
    with pytest.raises(SystemExit) as stop:
        runner.test(suites)
    assert stop.value.code == 1
    return capsys.readouterr().out


def test_failure_is_shown_with_its_words(suite, capsys):
    out = fails((suite("printf 'ok 1 - a\\nnot ok 2 - b\\n# expected 1 got 2\\nok 3 - c\\n' >x.tap; exit 1"),), capsys)
    assert "failed x: b" in out and "expected 1 got 2" in out and "make test-all SUITE=fake;" in out
    assert out.strip().endswith("2 passed, 1 failed, 0 skipped")


def test_failure_is_shown_with_the_words_before_it(suite, capsys):
    """As selftests of the kernel write it."""
    script = r"printf '# of a\nok 1 a\n# got 2\n# got 3\nnot ok 2 b\n# of c\nok 3 c\n' >x.tap; exit 1"
    out = fails((suite(script),), capsys)
    assert "got 2" in out and "got 3" in out and "of a" not in out and "of c" not in out


def test_junit_error_is_a_failure(suite, capsys):
    xml = '<testsuite><testcase name="a"><error message="boom">trace</error></testcase></testsuite>'
    out = fails((suite(f"echo '{xml}' >x.xml; exit 1"),), capsys)
    assert "trace" in out


def test_program_that_dies_is_a_failure(suite, capsys):
    out = fails((suite("echo 'ok 1 a' >x.tap; echo last words; exit 7"),), capsys)
    assert "fake ended with status 7" in out and "last words" in out


def test_old_results_do_not_count(suite, tmp_path, capsys):
    (tmp_path / "results").mkdir()
    (tmp_path / "results/old.tap").write_text("ok 1 old\n")
    out = fails((suite("exit 3"),), capsys)
    assert out.strip().endswith("0 passed, 1 failed, 0 skipped")


def test_nothing_ran(capsys, monkeypatch):
    monkeypatch.delenv("SUITE", raising=False)
    assert "0 passed, 0 failed, 0 skipped" in fails((), capsys)


def test_unknown_suite(suite, monkeypatch):
    fake = suite("true")
    monkeypatch.setenv("SUITE", "nosuch")
    with pytest.raises(LabError, match="nosuch"):
        runner.test((fake,))
    monkeypatch.setenv("SUITE", runner.LONG_SUITES[0].name)
    with pytest.raises(LabError, match="make test-all"):
        runner.test((fake,))


@pytest.fixture
def suites(suite, tmp_path, monkeypatch):
    """suites(name=script, ...): several suites; what they share is not built for them."""
    monkeypatch.setattr(runner.softseam, "build", lambda: None)

    def make(**scripts):
        for name in scripts:
            (tmp_path / name).mkdir()
        return [runner.Suite(name, f"about {name}", ["sh", "-c", f"cd {tmp_path}/{name}; {script}; echo ok 1 a >x.tap"],
                             tmp_path / name) for name, script in scripts.items()]
    return make


def test_two_suites_run_at_a_time(suites, tmp_path, capsys):
    """Each waits for a word of the other."""
    one, two = (tmp_path / name for name in ("one", "two"))
    script = "echo >{0}/met; for i in $(seq 200); do test -e {1}/met && break; sleep 0.1; done; test -e {1}/met || exit 1"
    runner.test(suites(one=script.format(one, two), two=script.format(two, one)))
    out = capsys.readouterr().out
    assert "one      ... about one\n" in out and out.strip().endswith("2 passed, 0 failed, 0 skipped")


def test_what_runs_alone_has_nothing_beside_it(suites, tmp_path, capsys):
    script = f"test ! -e {tmp_path}/busy || exit 1; echo >{tmp_path}/busy; sleep 0.2; rm {tmp_path}/busy"
    many = suites(last=script, first=f"echo >{tmp_path}/busy; sleep 1; rm {tmp_path}/busy", then=script)
    many[0].alone = many[2].alone = True
    runner.test(many)
    out = capsys.readouterr().out
    assert out.index("first    1 passed") < out.index("last     ...") < out.index("then     ...")


def test_no_suite_starts_after_an_error_of_the_runner(suites, tmp_path):
    many = suites(broken="true", second="sleep 1", third="sleep 1", never="true")
    many[0].command = ["/no/such/program"]
    with pytest.raises(FileNotFoundError):
        runner.test(many)
    assert not (tmp_path / "never/x.tap").exists()
