# SPDX-License-Identifier: GPL-2.0-only
"""The models of lab/models, checked by Spin for all interleavings."""
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PAMT = Path(__file__).parents[1] / "models/pamt.pml"
pytestmark = pytest.mark.skipif(not shutil.which("spin"), reason="needs spin")


def explore(folder, model, defines, compile_with=("-DSAFETY",), run_with=()):
    """(number of errors, what the checker said) of all states of @model."""
    subprocess.run(["spin", "-a", *[f"-D{text}" for text in defines], model], cwd=folder,
                   check=True, capture_output=True)
    subprocess.run(["gcc", "-O2", "-w", "-DCOLLAPSE", "-DMEMLIM=4000", *compile_with, "-o", "pan", "pan.c"],
                   cwd=folder, check=True)
    said = subprocess.run(["./pan", "-m1000000", *run_with], cwd=folder, text=True,
                          capture_output=True, check=True).stdout
    assert "search not completed" not in said.replace("\n", " ") or "errors: 1" in said, said
    return int(re.search(r"errors: (\d+)", said).group(1)), said


@pytest.mark.parametrize("defines", [
    pytest.param(["THREADS=2", "ROUNDS=2"], id="two threads"),
    pytest.param(["THREADS=2", "ROUNDS=2", "REFUSE"], id="module keeps a pair"),
    pytest.param(["THREADS=2", "RDMD"], id="machine check"),
])
def test_states_of_a_region(defines, tmp_path):
    errors, said = explore(tmp_path, PAMT, defines)
    assert errors == 0, said


def test_no_livelock(tmp_path):
    """Every fair run ends: no cycle of states, as there is no progress in one."""
    errors, said = explore(tmp_path, PAMT, ["THREADS=2"], ["-DNP"], ["-l", "-f"])
    assert errors == 0, said


@pytest.mark.parametrize("what", ["LOCK", "WAIT", "ORDER", "PUT"])
def test_what_is_broken_is_found(what, tmp_path):
    errors, said = explore(tmp_path, PAMT, ["THREADS=2", f"BREAK_{what}"])
    assert errors == 1, said
