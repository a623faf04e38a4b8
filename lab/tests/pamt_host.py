# SPDX-License-Identifier: GPL-2.0-only
"""Hosts whose TDX module offers Dynamic PAMT, and what their tests ask of them."""
import json
import re

from lab import initramfs, kernel, place, qemu, selftests, softseam, trees

# What every module here has, and the bits of TDX_FEATURES0 that are tried.
BASE = 0x140000
CONNECT, DYNAMIC_PAMT, EXT = 1 << 6, 1 << 36, 1 << 39
DYNAMIC = {"features0": hex(BASE | DYNAMIC_PAMT)}
# All counters of the host, as "path:value" lines.
COUNTERS = "run:grep+-r+.+/sys/devices/faux/tdx_host/pamt"
LOAD = "load:tdx-host,load:kvm-intel"
MISSING_PAIR = "TDX_MISSING_PAMT_PAGE_PAIR"


class Host:
    """A kernel with the selftests in its initramfs, to boot as often as it takes."""

    def __init__(self, base="series", config=("host",)):
        softseam.build()
        programs = selftests.build(kernel.build(trees.kernel("series")))
        self.kernel = kernel.build(trees.kernel(base, config=config))
        self.initramfs = initramfs.build(self.kernel, programs)

    def boot(self, name, *steps, seam=None, may_hang=False, **machine):
        """Load KVM, do @steps, read the counters, power off."""
        steps = ",".join([LOAD, *steps, COUNTERS])
        machine = {"memory_mb": 2048, "timeout": 600} | machine
        result = qemu.boot(qemu.Machine(self.kernel.image, self.initramfs, steps,
                                        seam=DYNAMIC if seam is None else seam, **machine),
                           place.BUILD / "test/pamt" / re.sub(r"[^\w.-]+", "_", name))
        assert may_hang or not result.timed_out, f"the host hung: {result.last_words()}; output: {result.output[-500:]}"
        return result


def counters(result, nth=-1):
    """The values in sysfs when they were read for the @nth time."""
    reads = re.split(r"^# run grep\+-r\+.*$", result.output, flags=re.M)[1:]
    found = re.findall(r"^/sys/devices/faux/tdx_host/pamt/(\w+):(\d+)\r?$", reads[nth], flags=re.M)
    return {name: int(value) for name, value in found}


def output_of(result, command):
    """What one step wrote, e.g. of "tdx_launch+--tds+2"."""
    parts = re.split(r"^# run (\S+)\r?\n", result.output, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2])).get(command, "")


def launched(result, command):
    """What tdx_launch says about each TD, but for how long it took."""
    said = [json.loads(text) for text in output_of(result, command).splitlines() if text.startswith("{")]
    return [{name: value for name, value in td.items() if name != "seconds"} for td in said]


def calls(result, leaf):
    return result.stats["leaves"].get(leaf, {"calls": 0})["calls"]


def successes(result, leaf):
    """Calls that did what they are for: the module can be busy when two CPUs meet, and the kernel tries again."""
    return calls(result, leaf) - result.stats["leaves"].get(leaf, {"errors": 0})["errors"]


def trace(result):
    return (result.folder / "trace.txt").read_text().splitlines()


def assert_well(result, but=None):
    """Nothing is wrong, whatever else this boot was about; the kernel may complain with @but in the line."""
    assert result.status == 0, result.stderr
    assert not [line for line in result.complaints() if not but or but not in line]
    assert result.stats["violations"] == 0, result.stderr
    missing = [line for line in trace(result) if MISSING_PAIR in line]
    assert not missing, f"{len(missing)} calls had no PAMT, the first: {missing[0]}"


def assert_all_back(result, but=None):
    """No TD is left, and no pair: the kernel and the module agree about it."""
    assert_well(result, but)
    assert result.stats["tds"] == 0
    assert result.stats["pages_owned"] == 0
    assert result.stats["pamt_pairs"] == 0
    at_end = counters(result)
    zero = {name: at_end[name] for name in ("pairs", "pairs_kb", "stuck", "leaked")}
    assert not any(zero.values()), zero
    assert successes(result, "TDH.PHYMEM.PAMT.ADD") == successes(result, "TDH.PHYMEM.PAMT.REMOVE") > 0
