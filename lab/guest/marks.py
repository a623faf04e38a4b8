# SPDX-License-Identifier: GPL-2.0-only
"""When TDs got how far, as softseam's trace tells it."""
import dataclasses
import re

# The leaves of CPUID that the TDs' init asks for: base, 16 for each TD, and one for each stage.
BASE, PER_TD = 0x4f5ea000, 16
LEAF = re.compile(r"\br12=0x(4f5ea[0-9a-f]{3})\b")
STAGES = {1: "init", 2: "shell", 3: "off", 4: "reboot"}


@dataclasses.dataclass
class Life:
    """Times in ns of one TD, from its creation: first entry, end of use, and marks by stage."""
    created: int
    entered: int = None
    ended: int = None
    nr: int = None
    enters: int = 0
    marks: dict = dataclasses.field(default_factory=dict)


class Lives:
    """All TDs of a trace, while its calls go by."""

    def __init__(self):
        self.all = []
        self.by_tdr, self.by_vcpu = {}, {}

    def watch(self, calls):
        """Pass @calls on, and take note of those that say something."""
        for call in calls:
            if call.leaf == "TDH.VP.ENTER":
                self.enter(call)
            elif call.leaf == "TDH.MNG.CREATE" and call.succeeded:
                self.by_tdr[call.operand("page")] = life = Life(call.end)
                self.all.append(life)
            elif call.leaf == "TDH.VP.CREATE" and call.succeeded:
                self.by_vcpu[call.operand("page")] = self.by_tdr.get(call.operand("tdr"))
            yield call

    def enter(self, call):
        life = self.by_vcpu.get(call.operand("tdvpr"))
        if not life:
            return
        life.enters += 1
        life.entered = life.entered or call.end - call.took
        life.ended = call.end
        if match := LEAF.search(call.got):
            nr, stage = divmod(int(match[1], 16) - BASE, PER_TD)
            life.nr = nr
            life.marks.setdefault(STAGES.get(stage, stage), call.end)

    def of_guests(self, count):
        """Lives by number of TD: as their marks say, the others in the order of their creation."""
        # What only asked whether a TD can be made has no vCPU that ran.
        ran = [life for life in self.all if life.entered]
        known = {life.nr: life for life in ran if life.nr is not None}
        rest = [life for life in ran if life.nr is None]
        return {nr: known.get(nr) or (rest.pop(0) if rest else None) for nr in range(count)}


def phases(life, kernel_uptime):
    """Seconds of each stage that the TD went through, in order; @kernel_uptime is what its clock said at init."""
    at, found = life.created, {}

    def until(name, end):
        nonlocal at
        if end is not None:
            found[name] = round((end - at) / 1e9, 3)
            at = end
    until("build", life.entered)
    init = life.marks.get("init")
    if init and kernel_uptime is not None:
        until("firmware", init - int(kernel_uptime * 1e9))
    until("kernel", init)
    until("shell", life.marks.get("shell"))
    until("checks", life.marks.get("off"))
    until("end", life.ended)
    return found
