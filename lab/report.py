# SPDX-License-Identifier: GPL-2.0-only
"""What a run did, from the kernel's log, the host's init and softseam's counters and trace."""
import json
import re

from lab import trace
from lab.pamt_size import ENTRIES, ENTRY, KB, STATE

TDX_VM_TYPE = 5
# Two pages hold the entries of a 2 MB region.
PAIR_KB = 8
PAGE_KB = 4
# PAMT that does not depend on who uses it, for each GB and for each TDMR: the 4K level or its bitmap, the 2M
# level, and a page for the 1G level.
STATIC_KB_PER_GB = (ENTRIES["4K"] + ENTRIES["2M"]) * ENTRY // KB
BITMAP_KB_PER_GB = (ENTRIES["4K"] // 8 + ENTRIES["2M"] * ENTRY) // KB
KB_PER_TDMR = 4
COUNTERS = "/sys/devices/faux/tdx_host"
COUNTER = re.compile(rf"^{COUNTERS}/(\S+):(\d+)\r?$", re.M)


def from_console(text):
    """Figures that only the kernel's own messages hold."""
    def find(pattern):
        match = re.search(pattern, text)
        return match.groups() if match else None
    keyids = find(r"private KeyID range \[(\d+), (\d+)\)")
    pamt = find(r"(\d+) KB allocated for PAMT")
    state = find(r"(\d+) KB allocated to track Dynamic PAMT")
    pool = find(r"(\d+) MB allocated for TDX Module Extensions")
    module = find(r"[Mm]odule version: (\S+)")
    return {
        # As kernels up to 7.0 and newer ones say it.
        "tdx_initialized": find(r"virt/tdx: (TDX-Module|module) initialized") is not None,
        "module_version": module[0] if module else None,
        "private_keyids": [int(keyids[0]), int(keyids[1])] if keyids else None,
        "pamt_kb": int(pamt[0]) if pamt else None,
        "pamt_state_kb": int(state[0]) if state else None,
        "ext_pool_mb": int(pool[0]) if pool else 0,
    }


def json_lines(text, start):
    """What the lines of @text with this start say; a line that was cut short says nothing."""
    for line in text.splitlines():
        if line.startswith(start):
            try:
                yield json.loads(line)
            except ValueError:
                continue


def from_output(result):
    """What programs on the host said: of each TD, and the kernel's own counters."""
    path = result.folder / "output.log"
    text = result.output if path.exists() else ""
    return {"tds": list(json_lines(text, '{"td"')),
            "kernel_counters": {name: int(value) for name, value in COUNTER.findall(text)}}


def from_trace(result, watchers=()):
    """What the module had at most, and over time; each of @watchers sees all calls and passes them on."""
    path = result.folder / "trace.txt"
    broken = trace.Broken()
    calls = trace.read(path) if path.exists() else iter(())
    for watch in (broken.watch, *watchers):
        calls = watch(calls)
    memory, rows = trace.follow(calls)
    return {"pages_peak": {kind: memory.peak.get(kind, 0) for kind in (*memory.counts, "all")},
            "pamt_pairs_of_module": memory.pairs_of_module, "memory": rows, "not_recoverable": broken.statuses}


def pamt_sizes(summary):
    """KB that static and Dynamic PAMT take on this machine before any TD: one is measured, the other follows."""
    kb, tdmrs = summary["pamt_kb"] or 0, summary["tdmrs"]
    dynamic = summary["pamt_state_kb"] is not None
    gigabytes = (kb - KB_PER_TDMR * tdmrs) // (BITMAP_KB_PER_GB if dynamic else STATIC_KB_PER_GB)
    upper = KB_PER_TDMR * tdmrs
    state = summary["pamt_state_kb"] if dynamic else gigabytes * STATE // KB
    return {"static_kb": upper + gigabytes * STATIC_KB_PER_GB if dynamic else kb,
            "dynamic_kb": (kb if dynamic else upper + gigabytes * BITMAP_KB_PER_GB) + state,
            "measured": "dynamic" if dynamic else "static"}


def leaks(summary, stats):
    """Pages that are neither the kernel's nor accounted for, now that no TD is left; None if nobody can tell."""
    if not stats:
        return None
    counters = summary["kernel_counters"]
    pages = stats.get("pages_owned", 0) - stats.get("ext_pool_pages", 0)
    pairs = stats.get("pamt_pairs", 0) - summary["pamt_pairs_of_module"] + counters.get("pamt/leaked", 0)
    return max(pages, 0) + 2 * max(pairs, 0)


def wrong_with(td):
    """Why a TD is not what it should have been; None if it is."""
    if not td["ok"]:
        return td["error"]
    if not (td["mrtd_matches"] and td["rtmr_matches"]):
        return "its measurement is not that of what was loaded"
    silent = [nr for nr in range(td["vcpus"]) if not (nr < len(td["said"]) and td["said"][nr].strip())]
    return f"its vCPU {silent[0]} said nothing" if silent else None


def checks_of_module(result, summary):
    """What softseam must have told at the end: silence is no proof that all is well."""
    told = summary["violations"] is not None
    yield told, f"softseam left no counters, so violations and leaks are not known: {result.stderr.strip()[-200:]}"
    if told:
        yield summary["violations"] == 0, (f"softseam counted {summary['violations']} violations: "
                                           f"{result.stderr.strip()[-300:]}")
        yield summary["leaked_pages"] == 0, (f"{summary['leaked_pages']} pages are lost: "
                                             "the module has them, and no TD is left")
        yield summary["keyids"]["in_use"] <= 1, f"{summary['keyids']['in_use'] - 1} KeyIDs of TDs are still in use"


def checks_of_counters(summary):
    """What the kernel counts of Dynamic PAMT must be there, and be what the module says."""
    if summary["pamt"]["measured"] != "dynamic":
        return
    pairs, stuck = (summary["kernel_counters"].get(f"pamt/{name}") for name in ("pairs", "stuck"))
    yield pairs is not None, "the kernel's counters of Dynamic PAMT could not be read"
    if pairs is not None and summary["violations"] is not None:
        yield pairs == summary["pamt_pairs"], f"the kernel counts {pairs} PAMT pairs, the module {summary['pamt_pairs']}"
    yield not stuck, f"{stuck} PAMT pairs are stuck: the module did not give them back"


def checks(result, summary, wanted_tds):
    """Every step that must have held, with what to say when it did not."""
    agent = {(entry["step"], entry["arg"]): entry for entry in result.agent}
    load, vm = agent.get(("load", "kvm-intel")), agent.get(("vm", ""))
    yield not result.timed_out, f"the host did not power off in time: {result.last_words()}"
    yield result.status == 0, f"QEMU ended with status {result.status}: {result.stderr.strip()[-200:]}"
    yield ("boot", "") in agent, f"the kernel did not reach user space: {result.last_words()}"
    yield summary["tdx_initialized"], "the kernel did not initialise the TDX module"
    yield load and load["ok"], f"kvm_intel did not load: {load}"
    yield summary["kvm_vm_types"] >> TDX_VM_TYPE & 1, f"KVM offers no TDX VMs: {vm}"
    yield vm and vm["ok"], f"a TDX VM could not be created: {vm}"
    yield len(summary["tds"]) == wanted_tds, f"{len(summary['tds'])} of {wanted_tds} TDs reported: {result.last_words()}"
    for td in summary["tds"]:
        yield not wrong_with(td), f"TD {td['td']}: {wrong_with(td)}"
    for status, count in summary["not_recoverable"].items():
        yield False, f"{count} calls of TDH.VP.ENTER ended in {status}, from which no TD comes back"
    yield from checks_of_module(result, summary)
    yield from checks_of_counters(summary)
    yield not summary["complaints"], f"the kernel complained: {summary['complaints'][:1]}"


def read_stats(result):
    """softseam's counters and violations; empty if it was stopped before it could tell all."""
    path = result.folder / "stats.json"
    try:
        said = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}, []
    return said["module"], said.get("violation_list", [])


def succeeded(stats, leaf):
    counts = stats.get("leaves", {}).get(leaf)
    return bool(counts) and counts["calls"] > counts["errors"]


def collect(result, base, release, wanted_tds=0, machine=None, watchers=()):
    stats, violations = read_stats(result)
    vm = next((entry for entry in result.agent if entry["step"] == "vm"), {})
    summary = {
        "base": base,
        "kernel": release,
        "machine": machine or {},
        "seconds": round(result.seconds, 2),
        **from_console(result.console),
        "kvm_vm_types": vm.get("kvm_vm_types", 0),
        "tdmrs": stats.get("tdmrs", 0),
        "keyids": stats.get("keyids", {"total": 0, "in_use": 0}),
        **from_output(result),
        "pamt_pairs": stats.get("pamt_pairs", 0),
        "pamt_pairs_kb": stats.get("pamt_pairs", 0) * PAIR_KB,
        **from_trace(result, watchers),
        "seamcalls": stats.get("leaves", {}),
        "extensions_initialised": succeeded(stats, "TDH.EXT.INIT"),
        "violations": stats.get("violations"),
        "violation_list": violations,
        "complaints": result.complaints(),
    }
    summary["pamt"] = pamt_sizes(summary)
    summary["leaked_pages"] = leaks(summary, stats)
    summary["failed"] = [text for held, text in checks(result, summary, wanted_tds) if not held]
    return summary


def write(text, path):
    """Write a file as a whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    new.rename(path)


def write_json(summary, path):
    write(json.dumps(summary, indent=1) + "\n", path)
