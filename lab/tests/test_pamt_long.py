# SPDX-License-Identifier: GPL-2.0-only
"""Many TDs and many conversions with Dynamic PAMT: nothing is left over."""
import re

from lab.tests.pamt_host import Host, assert_all_back, output_of

CYCLES = "tdx_stress_test+--only+cycles+--cycles+200"
CONVERSIONS = "tdx_stress_test+--only+conversions+--conversions+1000"


def test_200_launches_and_1000_conversions():
    """Memory of the kernel is counted by cgroup, pairs by the kernel and by the module."""
    result = Host().boot("long", f"run:{CYCLES}", f"run:{CONVERSIONS}", timeout=1200)
    for command in (CYCLES, CONVERSIONS):
        said = output_of(result, command)
        assert result.did("run", command)["ok"], said[-500:]
        assert not re.search(r"^not ok", said, flags=re.M), said[-500:]
    assert re.search(r"^ok \d+ cycles: 200 ", output_of(result, CYCLES), flags=re.M), output_of(result, CYCLES)
    assert re.search(r"^ok \d+ conversions: 1000 ", output_of(result, CONVERSIONS), flags=re.M)
    assert "memory is not counted" not in output_of(result, CYCLES)
    assert_all_back(result)
