# SPDX-License-Identifier: GPL-2.0-only
"""Which faults there are: leaves by occurrence and class of status, and allocations."""
import dataclasses

# What stands for each class; the count of calls that it hits is the last part.
CLASSES = {
    "busy once": "OPERAND_BUSY|RCX:1",
    "busy for ever": "OPERAND_BUSY|RCX:*",
    "interrupted": "INTERRUPTED_RESUMABLE:1",
    "operand": "OPERAND_INVALID|RCX:1",
    "fatal": "TD_FATAL:1",
    "no module": "VMFAIL:1",
}
# Occurrences that are tried of a leaf that is called more often than that: the first ones, some of those in
# between, and the last ones.
FIRST, BETWEEN, LAST = 4, 3, 2
# Whose allocations fail: the thread that launches a TD, the one that runs its vCPU, the one that destroys it.
THREADS = ("thread", "vcpu", "destroy")
# More than any of them makes.
TOO_MANY = 1000000


@dataclasses.dataclass(frozen=True)
class Point:
    """One fault: @text is what the sweep on the host takes."""
    phase: str
    what: str
    kind: str
    nth: int
    text: str
    # One that is not expected to happen any more; else there may be others that are not tried.
    last: bool = False

    def __str__(self):
        return f"{self.what} {self.nth} {self.kind}"


def occurrences(calls):
    """Which of @calls calls of a leaf are hit."""
    if calls <= FIRST + BETWEEN + LAST:
        return list(range(1, calls + 1))
    step = (calls - FIRST - LAST) // (BETWEEN + 1)
    between = [FIRST + step * (n + 1) for n in range(BETWEEN)]
    return [*range(1, FIRST + 1), *between, *range(calls - LAST + 1, calls + 1)]


def leaf_points(phase, calls):
    """Points for {leaf: calls}, as recorded."""
    return [Point(phase, leaf, kind, nth, f"{leaf}:{nth}:{status}")
            for leaf in sorted(calls) for nth in occurrences(calls[leaf]) for kind, status in CLASSES.items()]


def allocation_of(thread):
    return f"allocation ({thread})"


def allocation_point(thread, nth, last=False):
    return Point("life", allocation_of(thread), "no memory", nth, f"{thread} {nth}", last)


def allocation_points(counts):
    """Points for {thread: allocations}, as recorded; a life can make some more than another."""
    most = {thread: count + count // 10 + 20 for thread, count in counts.items()}
    return [allocation_point(thread, nth, nth == most[thread]) for thread in counts for nth in range(1, most[thread] + 1)]
