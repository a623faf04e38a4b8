# SPDX-License-Identifier: GPL-2.0-only
"""Boots hosts that go through faults: a batch in one boot for those of a TD's life, a boot each for those of init."""
import collections
import dataclasses
import functools
import hashlib
import re
from pathlib import Path

from lab import initramfs, kernel, place, qemu, report, selftests, softseam, trace, trees
from lab.run import EXTENSIONS, LEAST, DYNAMIC_PAMT
from lab.say import LabError, command
from lab.sweep.points import THREADS, TOO_MANY, allocation_point

SOURCE = Path(__file__).parent / "sweep.c"
OUT = place.BUILD / "sweep"
FEATURES = {"features0": hex(LEAST | DYNAMIC_PAMT | EXTENSIONS)}
# The pool of the Extensions keeps pairs, in regions that TDs would find in use: let TDs add and remove theirs.
LIFE_FEATURES = {"features0": hex(LEAST | DYNAMIC_PAMT)}
# The last call of a host belongs to no TD.
AT_SHUTDOWN = "TDH.SYS.DISABLE"
# A point takes below a second; the program on the host kills those that hang long before this is over.
SECONDS_PER_POINT = 4
LIFE = "run:tdx_launch+--mem+16+--accept+1+--convert+16"


@dataclasses.dataclass
class Host:
    """A kernel of the series, and the programs that go through faults."""
    kernel: kernel.Kernel
    programs: list

    def state(self):
        """What tells this host from others; results of one do not count for another."""
        text = "\n".join(str(part) for part in (kernel.state(self.kernel), *(path.read_bytes() for path in self.programs)))
        return hashlib.sha256(text.encode()).hexdigest()

    def boot(self, name, steps, programs=(), timeout=60, **seam):
        machine = qemu.Machine(self.kernel.image, initramfs.build(self.kernel, [*self.programs, *programs]), steps,
                               seam=FEATURES | seam, timeout=timeout)
        return qemu.boot(machine, OUT / name)


@functools.cache
def make(config=("host",)):
    """Build everything that a sweep needs; for faults of allocations, @config has to have "fault"."""
    softseam.build()
    built = kernel.build(trees.kernel("series", config=config))
    OUT.mkdir(parents=True, exist_ok=True)
    sweep = OUT / "sweep"
    command(["gcc", *initramfs.CFLAGS, "-D_GNU_SOURCE", "-o", sweep, SOURCE], "sweep.log", "compiling lab/sweep/sweep.c")
    return Host(built, [*selftests.launcher(built), sweep])


def record(host):
    """{"init": {leaf: calls} of the module's init and end, "life": the same of a TD}."""
    init, _ = recorded(host, "record-init")
    _, life = recorded(host, "record-life", **LIFE_FEATURES)
    init[AT_SHUTDOWN] = life.pop(AT_SHUTDOWN)
    return {"init": init, "life": life}


def recorded(host, name, **seam):
    """What a host calls until the module is initialised, and after that."""
    result = host.boot(name, f"load:kvm-intel,{LIFE}", **seam)
    if not result.did("run")["ok"]:
        raise LabError(f"a TD without faults fails: {result.output[-300:]}; {result.last_words()}")
    calls = list(trace.read(result.folder / "trace.txt"))
    end = max(at for at, call in enumerate(calls) if call.leaf in trace.INIT) + 1
    return [dict(collections.Counter(call.leaf for call in part)) for part in (calls[:end], calls[end:])]


def allocations(host):
    """{thread: allocations} of a TD's life that can fail."""
    counts = {}
    points = [allocation_point(thread, TOO_MANY) for thread in THREADS]
    for at, (_, answer) in enumerate(live(host, "record-memory", points)):
        found = re.search(r'"allocations": \[(\d+), (\d+), (\d+)\]', answer.get("said", ""))
        counts[THREADS[at]] = int(found[at + 1]) if found else 0
    if not all(counts.get(thread) for thread in THREADS):
        raise LabError(f"the allocations of a TD's life cannot be counted: {counts}; see {place.shown(OUT)}/record-memory-0")
    return counts


def live(host, name, points):
    """Go through @points in as few boots as it takes.  Yields (point, what the host said), or an error instead."""
    left = list(points)
    nr = 0
    while left:
        listing = OUT / f"{name}.points"
        listing.write_text("".join(f"{point.text}\n" for point in left))
        result = host.boot(f"{name}-{nr}", f"load:kvm-intel,load:tdx-host,run:sweep+/bin/{listing.name}", [listing],
                           timeout=60 + SECONDS_PER_POINT * len(left), control="on", **LIFE_FEATURES)
        said = list(report.json_lines(result.output, '{"fault"'))
        ended = [entry for entry in result.agent if entry["step"] == "run"]
        if ended and not ended[0]["ok"]:
            raise LabError(f"the sweep ended on the host: {result.output[-300:].strip()}")
        yield from zip(left, said)
        left = left[len(said):]
        nr += 1
        if left and not ended:
            yield left.pop(0), {"died": f"{result.last_words()}; {result.output[-200:]}"}


def init(host, name, point):
    """Boot a host with one fault in the module's init."""
    return host.boot(name, f"load:kvm-intel,vm,{LIFE}", inject=point.text, timeout=60)
