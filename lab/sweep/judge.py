# SPDX-License-Identifier: GPL-2.0-only
"""What a fault may do to the host, and what not."""
import re

# Never, whatever failed.
FATAL = re.compile(r"records were lost|WARNING: (possible|inconsistent|suspicious)|BUG:|Oops|Kernel panic|"
                   r"general protection|unable to handle|KASAN|soft lockup|hard LOCKUP|"
                   r"blocked for more than|rcu: INFO|list_(add|del) corruption|scheduling while atomic|Bad page state")
WARNING = re.compile(r"WARNING: (\S+?)(?::\d+)? at (\w+)")
# Which functions of KVM warn when the module refuses what it must not refuse, as the compiler inlines them.  Other
# leaves cause no warning.
WARNS = {
    "TDH.VP.ENTER": ("vt_cache_reg", "tdx_handle_exit"),
    "TDH.VP.WR": ("tdh_vp_wr_failed",),
    "TDH.VP.FLUSH": ("tdx_flush_vp_on_cpu",),
    "TDH.MNG.KEY.CONFIG": ("tdx_do_tdh_mng_key_config",),
    "TDH.MNG.RD": ("tdx_read_cpuid",),
    "TDH.MR.EXTEND": ("tdx_gmem_post_populate",),
    "TDH.PHYMEM.PAMT.ADD": ("tdx_sept_pamt_get",),
    "TDH.PHYMEM.PAGE.RECLAIM": ("__tdx_reclaim_page",),
    "TDH.PHYMEM.CACHE.WB": ("smp_func_do_phymem_cache_wb", "tdx_mmu_release_hkid"),
    "TDH.PHYMEM.PAGE.WBINVD": ("tdx_reclaim_td_control_pages", "tdx_sept_set_private_spte"),
    **dict.fromkeys(("TDH.MEM.SEPT.ADD", "TDH.MEM.PAGE.ADD", "TDH.MEM.PAGE.AUG"), ("tdx_sept_set_private_spte",)),
    **dict.fromkeys(("TDH.MEM.RANGE.BLOCK", "TDH.MEM.TRACK", "TDH.MEM.PAGE.REMOVE"),
                    ("tdx_sept_set_private_spte", "__tdx_reclaim_page")),
    **dict.fromkeys(("TDH.MNG.VPFLUSHDONE", "TDH.MNG.KEY.FREEID"), ("tdx_mmu_release_hkid",)),
    **dict.fromkeys(("TDH.MNG.CREATE", "TDH.MNG.ADDCX", "TDH.MNG.INIT", "TDH.MR.FINALIZE"), ("tdx_vm_ioctl",)),
    **dict.fromkeys(("TDH.VP.CREATE", "TDH.VP.ADDCX", "TDH.VP.INIT"), ("tdx_vcpu_unlocked_ioctl",)),
}
# What the kernel says when it gives something up.
GIVES_UP = re.compile(r"SEAMCALL .* failed|TDH_?[A-Z_.]* failed|tdh_\w+ failed|did not return PAMT pages|refused PAMT pages|"
                      r"WARNING: arch/x86/(kvm/vmx|virt/vmx/tdx)/")
# For a thread, the C library says EAGAIN, whatever the kernel said.
NO_MEMORY = re.compile("Cannot allocate memory|cannot start a thread: Resource temporarily unavailable")
# Without memory for the map of the VM's APICs, KVM does without APICv, which a TD cannot: stock KVM ends it.
NO_APIC_MAP = "vt_refresh_apicv_exec_ctrl"
# User space sees nothing of a module that was busy once: the kernel tries again.
RETRIED = ("TDH.VP.ENTER", "TDH.MEM.SEPT.ADD", "TDH.MEM.PAGE.ADD", "TDH.MEM.PAGE.AUG", "TDH.MEM.RANGE.BLOCK",
           "TDH.MEM.TRACK", "TDH.MEM.PAGE.REMOVE", "TDH.PHYMEM.PAMT.ADD", "TDH.PHYMEM.PAMT.REMOVE")
# The kernel waits, killably, for a module that does not get ready.
WAITS = ("TDH.PHYMEM.PAMT.ADD", "TDH.VP.ENTER", "TDH.MEM.PAGE.ADD", "TDH.MEM.PAGE.AUG", "TDH.MEM.SEPT.ADD")
# KVM takes a vCPU as flushed whatever the module says, and flushes it on another CPU at its end.
FORGETS = ("TDH.VP.FLUSH",)
# What a refused leaf can leave with the module at most.  A page of a TD keeps its TDR, and each page the pair of its
# region, which KVM's other pages there share.
ONE_PAGE = {"pages": 2, "TDs": 1, "pairs": 2}
ALL_BUT_KEY = {"pages": 400, "TDs": 1, "pairs": 16}
CONTROL_PAGES = {"pages": 20, "TDs": 1, "KeyIDs": 1, "pairs": 16}
LEAVES = {
    **dict.fromkeys(("TDH.MEM.RANGE.BLOCK", "TDH.MEM.TRACK", "TDH.MEM.PAGE.REMOVE", "TDH.PHYMEM.PAGE.RECLAIM"), ONE_PAGE),
    **dict.fromkeys(("TDH.VP.FLUSH", "TDH.MNG.VPFLUSHDONE", "TDH.PHYMEM.CACHE.WB", "TDH.MNG.KEY.FREEID"), CONTROL_PAGES),
    # A page that is no longer the module's, but may have dirty cache lines.
    "TDH.PHYMEM.PAGE.WBINVD": {"pairs": 1},
}
FIGURES = ("violations", "pages", "TDs", "KeyIDs", "pairs", "stuck", "leaked")
# The kernel knows these pairs as stuck, says so for the first one since boot, and takes them up again.
STUCK = ("TDH.PHYMEM.PAMT.REMOVE",)


def warnings(log):
    return [match.groups() for match in map(WARNING.search, log) if match]


def is_hidden(point):
    return point.kind == "busy once" and point.what in RETRIED


def may_warn(point):
    if is_hidden(point):
        return ()
    return (NO_APIC_MAP,) if point.kind == "no memory" else WARNS.get(point.what, ())


def surfaced(said):
    return said["status"] != 0 or said["signal"] != 0


def wrong_in_log(point, said):
    for line in said["log"]:
        if FATAL.search(line):
            yield f"the kernel says: {line}"
    for file, function in warnings(said["log"]):
        if function not in may_warn(point) or not file.startswith("arch/x86/kvm/vmx/"):
            yield f"a warning that nothing explains: {file} at {function}"


def wrong_in_healthy_log(said):
    for line in said["healthy_log"]:
        if FATAL.search(line) or WARNING.search(line):
            yield f"when the healthy TD ran, the kernel said: {line}"


def changes(before, after):
    return {name: new - old for name, old, new in zip(FIGURES, before, after) if new != old}


def allowed(point):
    """What may stay with the module, as far as the kernel tells that it gave it up."""
    if is_hidden(point):
        return {}
    most = LEAVES.get(point.what, {})
    return ALL_BUT_KEY if most == ONE_PAGE and point.kind == "busy for ever" else most


def wrong_with_stuck_pairs(said, changed):
    """Each pair that stays is known as stuck, until a TD makes use of it and brings it back."""
    healed = changes(said["end"], said["after"])
    if set(changed) - {"pairs", "stuck"} or changed.get("pairs") != changed.get("stuck"):
        yield f"left with the module, and not all known as stuck: {changed}"
    if set(healed) - {"pairs", "stuck"} or healed.get("pairs") != healed.get("stuck") or min(healed.values(), default=0) < 0:
        yield f"the healthy TD left {said['after']} as {said['end']}"


def wrong_in_figures(point, said):
    changed = changes(said["before"], said["after"])
    if point.what in STUCK and point.kind != "busy once":
        yield from wrong_with_stuck_pairs(said, changed)
        return
    if changed.get("violations") and point.what in FORGETS:
        changed.pop("violations")
    if "violations" in changed:
        yield f"{changed.pop('violations')} violations"
    told = any(map(GIVES_UP.search, said["log"]))
    most = allowed(point) if told else {}
    if any(count < 0 or count > most.get(name, 0) for name, count in changed.items()):
        yield f"left with the module: {changed}"
    if said["end"] != said["after"]:
        yield f"the healthy TD left {said['after']} as {said['end']}"


def wrong_with_life(point, said):
    if said["signal"] == -1:
        yield "the launcher could not be killed"
    elif said["timed_out"] and not (point.kind == "busy for ever" and point.what in WAITS):
        yield "the launcher hung"
    if is_hidden(point) and surfaced(said):
        yield f"user space noticed: {said['said'].strip()[-160:]}"
    if point.kind == "no memory" and said["status"] and not NO_MEMORY.search(said["said"]) \
            and NO_APIC_MAP not in [function for _, function in warnings(said["log"])]:
        yield f"lack of memory is told as: {said['said'].strip()[-160:]}"
    if point.kind == "no memory" and "destroy" in point.what and surfaced(said):
        yield f"a TD was not destroyed for lack of memory: {said['said'].strip()[-160:]}"
    if not said["healthy"]:
        yield (f"no healthy TD can be launched any more: {said.get('healthy_said', '').strip()[-160:]} "
               f"({said.get('healthy_seconds', 0):.1f} s)")


def wrong_with(point, said):
    """Everything that must not be, as text; empty if the host took the fault well."""
    if "died" in said:
        return [f"the host died: {said['died']}"]
    return [*wrong_with_life(point, said), *wrong_in_log(point, said), *wrong_in_figures(point, said),
            *wrong_in_healthy_log(said)]


REFUSES = re.compile(r"virt/tdx: (TDX-Module initialization failed|initialization failed: |module not loaded)")
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
    offered = any(entry["step"] == "vm" and entry["ok"] for entry in result.agent)
    if up != offered:
        found.append(f"TDX is {'up' if up else 'off'}, but KVM {'has' if offered else 'does not have'} VMs of its type")
    if not up and not REFUSES.search(result.console):
        found.append("TDX is off, and nothing says why")
    unexplained = [each for each in result.violations
                   if not (point.what in STRANDS and each["rule"] == "never-returned")]
    if unexplained:
        found.append(f"violations: {unexplained}")
    return found
