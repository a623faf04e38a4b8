# SPDX-License-Identifier: GPL-2.0-only
"""softseam's trace as calls, and what the calls say about the memory that the module has."""
import dataclasses
import itertools
import re
from typing import NamedTuple

LINE = re.compile(r"\[ *(?P<seconds>\d+)\.(?P<ns>\d{9})\] cpu(?P<cpu>\d+) (?P<leaf>TD[HX]\.[A-Z.]+|leaf \d+)\S* "
                  r"(?P<given>.*?)-> (?P<status>\S+)(?P<got>.*?) (?P<took>\d+)ns")
WORD = re.compile(r"(\w+)=(0x[0-9a-f]+)")

# What a page becomes by a leaf, and the operand that names it.
CONTROL, SEPT, PRIVATE = "control", "S-EPT", "private"
GIVES = {"TDH.MNG.CREATE": CONTROL, "TDH.MNG.ADDCX": CONTROL, "TDH.VP.CREATE": CONTROL, "TDH.VP.ADDCX": CONTROL,
         "TDH.MEM.SEPT.ADD": SEPT, "TDH.MEM.PAGE.ADD": PRIVATE, "TDH.MEM.PAGE.AUG": PRIVATE}
TAKES = ("TDH.MEM.PAGE.REMOVE", "TDH.PHYMEM.PAGE.RECLAIM")
PAIR = {"TDH.PHYMEM.PAMT.ADD": 1, "TDH.PHYMEM.PAMT.REMOVE": -1}
# Until the last of these, pairs are for what the module itself needs.
INIT = ("TDH.SYS.TDMR.INIT", "TDH.EXT.INIT", "TDH.EXT.MEM.ADD")
NO_WAY_BACK = "NON_RECOVERABLE"
PAGE = ~0xfff & (1 << 52) - 1


class Call(NamedTuple):
    """One SEAMCALL: when it ended and how long it took, in ns."""
    end: int
    took: int
    cpu: int
    leaf: str
    status: str
    given: str
    got: str

    @property
    def succeeded(self):
        return self.status.split("|")[0] == "TDX_SUCCESS"

    def operand(self, name):
        """An operand or output by its name; None if there is none."""
        return next((int(value, 16) for word, value in WORD.findall(self.given + self.got) if word == name), None)


def read(path):
    """All calls of a trace in order; lines that say something else are left out."""
    with path.open(errors="replace") as lines:
        for text in lines:
            if match := LINE.match(text):
                yield Call(int(match["seconds"]) * 10**9 + int(match["ns"]), int(match["took"]), int(match["cpu"]),
                           match["leaf"], match["status"], match["given"], match["got"])


@dataclasses.dataclass
class Broken:
    """Ends of TDs that no TD comes back from, while the calls of a trace go by: {status: how often}."""
    statuses: dict = dataclasses.field(default_factory=dict)

    def watch(self, calls):
        """Pass @calls on, and count."""
        for call in calls:
            if call.leaf == "TDH.VP.ENTER" and NO_WAY_BACK in call.status:
                name = call.status.split("|")[0]
                self.statuses[name] = self.statuses.get(name, 0) + 1
            yield call


@dataclasses.dataclass
class Memory:
    """Pages that the module has, by kind, while the calls of a trace go by."""
    pages: dict = dataclasses.field(default_factory=dict)
    counts: dict = dataclasses.field(default_factory=lambda: dict.fromkeys((CONTROL, SEPT, PRIVATE, "pairs"), 0))
    peak: dict = dataclasses.field(default_factory=dict)
    pairs_of_module: int = 0

    def follow(self, call):
        """Take note of @call; True if it changed anything."""
        if call.leaf in INIT:
            self.pairs_of_module = self.counts["pairs"]
        if not call.succeeded:
            return False
        if call.leaf in GIVES:
            self.give(call.operand("page") & PAGE, GIVES[call.leaf])
        elif call.leaf in TAKES:
            self.take((call.operand("page") or 0) & PAGE)
        elif call.leaf in PAIR:
            self.counts["pairs"] += PAIR[call.leaf]
        else:
            return False
        for kind, count in self.counts.items():
            self.peak[kind] = max(self.peak.get(kind, 0), count)
        # Kinds are not at their most at the same time.
        self.peak["all"] = max(self.peak.get("all", 0), len(self.pages))
        return True

    def give(self, page, kind):
        self.pages[page] = kind
        self.counts[kind] += 1

    def take(self, page):
        kind = self.pages.pop(page, None)
        if kind:
            self.counts[kind] -= 1


def follow(calls, steps=1500):
    """(Memory at the end, at most some 2 * @steps rows [ns, count of each kind]) of @calls."""
    memory, rows = Memory(), []
    for call in calls:
        if memory.follow(call):
            rows.append([call.end, *memory.counts.values()])
    return memory, thin(rows, steps)


def thin(rows, steps):
    """Of each stretch of @rows, the one with most pages, the last one, and those before a pause."""
    if len(rows) <= 2 * steps:
        return rows
    size = -(-len(rows) // steps)
    pause = (rows[-1][0] - rows[0][0]) // 200
    kept = []
    for at in range(0, len(rows), size):
        part = rows[at:at + size]
        highest = max(part, key=lambda row: sum(row[1:]))
        kept += [row for row, after in itertools.pairwise(part + part[-1:])
                 if row is highest or row is part[-1] or after[0] - row[0] > pause]
    return kept
