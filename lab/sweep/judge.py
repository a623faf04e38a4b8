# SPDX-License-Identifier: GPL-2.0-only
"""What a fault may do to the host, and what not."""
import re

# Never, whatever failed.
FATAL = re.compile(r"records were lost|WARNING: (possible|inconsistent|suspicious)|BUG:|Oops|Kernel panic|"
                   r"general protection|unable to handle|KASAN|soft lockup|hard LOCKUP|"
                   r"blocked for more than|rcu: INFO|list_(add|del) corruption|scheduling while atomic|Bad page state")
WARNING = re.compile(r"WARNING: (\S+?)(?::\d+)? at (\w+)")
# Where KVM and the host core warn when the module refuses what it must not refuse.
WARNING_FILES = ("arch/x86/kvm/vmx/tdx.c", "arch/x86/virt/vmx/tdx/tdx.c", "arch/x86/kvm/../../../virt/kvm/kvm_main.c",
                 "arch/x86/kvm/mmu/tdp_mmu.c")
# KVM shows the registers of a vCPU that cannot be entered, and asks for some that a TD does not show.
ALSO_WARNS = (("TDH.VP.ENTER", "arch/x86/kvm/vmx/main.c"),)
# What the kernel says when it gives something up.
GIVES_UP = re.compile(r"SEAMCALL .* failed|TDH_?[A-Z_.]* failed|tdh_\w+ failed|did not return PAMT pages|refused PAMT pages|"
                      r"WARNING: arch/x86/(kvm/vmx|virt/vmx/tdx)/")
# Leaves on the way down.  A refusal leaves pages, or a KeyID, with the module.
TEARDOWN = ("TDH.MEM.RANGE.BLOCK", "TDH.MEM.TRACK", "TDH.MEM.PAGE.REMOVE", "TDH.PHYMEM.PAGE.WBINVD", "TDH.VP.FLUSH",
            "TDH.MNG.VPFLUSHDONE", "TDH.PHYMEM.CACHE.WB", "TDH.MNG.KEY.FREEID", "TDH.PHYMEM.PAGE.RECLAIM",
            "TDH.PHYMEM.PAMT.REMOVE")
# User space sees nothing of a module that was busy once: the kernel tries again.
RETRIED = ("TDH.VP.ENTER", "TDH.MEM.SEPT.ADD", "TDH.MEM.PAGE.ADD", "TDH.MEM.PAGE.AUG", "TDH.MEM.RANGE.BLOCK",
           "TDH.MEM.TRACK", "TDH.MEM.PAGE.REMOVE", "TDH.PHYMEM.PAMT.ADD", "TDH.PHYMEM.PAMT.REMOVE")
# The kernel waits, killably, for a module that does not get ready.
WAITS = ("TDH.PHYMEM.PAMT.ADD", "TDH.VP.ENTER", "TDH.MEM.PAGE.ADD", "TDH.MEM.PAGE.AUG", "TDH.MEM.SEPT.ADD")
# KVM takes a vCPU as flushed whatever the module says, and flushes it on another CPU at its end.
FORGETS = ("TDH.VP.FLUSH",)
# At most what one TD of the sweep has: all of its pages, its KeyID, a pair for each region that they are in.
MOST_LEFT = {"pages": 400, "TDs": 1, "KeyIDs": 1, "pairs": 16}
FIGURES = ("violations", "pages", "TDs", "KeyIDs", "pairs")


def warnings(log):
    return [match.groups() for match in map(WARNING.search, log) if match]


def surfaced(said):
    return said["status"] != 0 or said["signal"] != 0


def wrong_in_log(point, said):
    for line in said["log"]:
        if FATAL.search(line):
            yield f"the kernel says: {line}"
    for file, function in warnings(said["log"]):
        if point.kind == "no memory" or point.kind == "busy once" and point.what in RETRIED:
            yield f"a warning that nothing explains: {file} at {function}"
        elif file not in WARNING_FILES and (point.what, file) not in ALSO_WARNS:
            yield f"a warning from elsewhere: {file} at {function}"


def wrong_in_healthy_log(said):
    for line in said["healthy_log"]:
        if FATAL.search(line) or WARNING.search(line):
            yield f"when the healthy TD ran, the kernel said: {line}"


def changes(said):
    return {name: after - before for name, before, after in zip(FIGURES, said["before"], said["after"]) if after != before}


def wrong_in_figures(point, said):
    changed = changes(said)
    if changed.get("violations") and point.what in FORGETS:
        changed.pop("violations")
    if "violations" in changed:
        yield f"{changed.pop('violations')} violations"
    explained = point.what in TEARDOWN and point.kind != "no memory" and any(map(GIVES_UP.search, said["log"]))
    if changed and (not explained or any(count > MOST_LEFT[name] for name, count in changed.items())):
        yield f"left with the module: {changed}"
    if said["end"] != said["after"]:
        yield f"the healthy TD left {said['after']} as {said['end']}"


def wrong_with_life(point, said):
    if said["signal"] == -1:
        yield "the launcher could not be killed"
    elif said["timed_out"] and not (point.kind == "busy for ever" and point.what in WAITS):
        yield "the launcher hung"
    if point.kind == "busy once" and point.what in RETRIED and surfaced(said):
        yield f"user space noticed: {said['said'].strip()[-160:]}"
    if point.kind == "no memory" and said["status"] and "Cannot allocate memory" not in said["said"]:
        yield f"lack of memory is told as: {said['said'].strip()[-160:]}"
    if not said["healthy"]:
        yield "no healthy TD can be launched any more"


def wrong_with(point, said):
    """Everything that must not be, as text; empty if the host took the fault well."""
    if "died" in said:
        return [f"the host died: {said['died']}"]
    return [*wrong_with_life(point, said), *wrong_in_log(point, said), *wrong_in_figures(point, said),
            *wrong_in_healthy_log(said)]


REFUSES = re.compile(r"virt/tdx: (TDX-Module initialization failed|module not loaded|SEAMCALL)")
# What was offered to the module stays out of the page allocator, and keeps its PAMT, whether it was taken or not.
STRANDS = ("TDH.EXT.MEM.ADD", "TDH.EXT.INIT")
INIT_WARNING = "arch/x86/virt/vmx/tdx/ext.c"


def wrong_with_init(point, result):
    """A host with a fault in the module's init: either TDX is up in full, or it is off and the log says why."""
    if result.timed_out or result.status:
        return [f"the host hung or ended with status {result.status}: {result.last_words()}"]
    found = [f"the kernel says: {line}" for line in result.console.splitlines() if FATAL.search(line)]
    found += [f"a warning from elsewhere: {file}" for file, _ in warnings(result.console.splitlines())
              if file != INIT_WARNING]
    up = "virt/tdx: TDX-Module initialized" in result.console
    launched = any(entry["step"] == "run" and entry["ok"] for entry in result.agent)
    if up and not launched:
        found.append("TDX is up, but no TD can be launched")
    if not up and launched:
        found.append("TDX is off, but a TD was launched")
    if not up and not REFUSES.search(result.console):
        found.append("TDX is off, and nothing says why")
    unexplained = [each for each in result.violations
                   if not (point.what in STRANDS and each["rule"] == "never-returned")]
    if unexplained:
        found.append(f"violations: {unexplained}")
    return found
