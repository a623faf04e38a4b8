# SPDX-License-Identifier: GPL-2.0-only
"""What a sweep covered, and what it found."""
import collections

from lab.sweep.points import BETWEEN, CLASSES, FIRST, LAST

KINDS = (*CLASSES, "no memory")
SHOWN = 40


def lines(results, calls):
    """@results: [(point, [what is wrong])], @calls: {phase: {leaf: calls}}."""
    cells = collections.defaultdict(lambda: [0, 0])
    for point, wrong in results:
        cell = cells[point.phase, point.what, point.kind]
        cell[0] += 1
        cell[1] += bool(wrong)
    yield f"  {'phase':<6}{'leaf':<26}{'calls':>7}" + "".join(f"{kind:>15}" for kind in KINDS)
    for phase, what in sorted({(phase, what) for phase, what, _ in cells}):
        yield f"  {phase:<6}{what:<26}{calls[phase].get(what, '-'):>7}" + "".join(
            f"{show(cells.get((phase, what, kind))):>15}" for kind in KINDS)
    yield f"  of a leaf with more than {FIRST + BETWEEN + LAST} calls, the first {FIRST}, {BETWEEN} in between and " \
          f"the last {LAST} were failed, one at a time"
    bad = [(point, wrong) for point, wrong in results if wrong]
    yield f"  {len(results)} faults, {len(bad)} not taken well"
    for point, wrong in bad[:SHOWN]:
        yield f"  {point}: {'; '.join(wrong)}"
        yield f"    rerun: make sweep POINT='{point.text}'"
    if len(bad) > SHOWN:
        yield f"  and {len(bad) - SHOWN} more: build/sweep/*.json"


def show(cell):
    if not cell:
        return "-"
    return f"{cell[0]}" if not cell[1] else f"{cell[0]} ({cell[1]} BAD)"
