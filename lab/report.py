# SPDX-License-Identifier: GPL-2.0-only
"""What a run did, from the kernel's log, the host's init and softseam's counters."""
import json
import re

TDX_VM_TYPE = 5
# Two pages hold the entries of a 2 MB region.
PAIR_KB = 8


def from_console(text):
    """Figures that only the kernel's own messages hold."""
    def find(pattern):
        match = re.search(pattern, text)
        return match.groups() if match else None
    keyids = find(r"private KeyID range \[(\d+), (\d+)\)")
    pamt = find(r"(\d+) KB allocated for PAMT")
    state = find(r"(\d+) KB allocated to track Dynamic PAMT")
    module = find(r"[Mm]odule version: (\S+)")
    return {
        "tdx_initialized": "virt/tdx: TDX-Module initialized" in text,
        "module_version": module[0] if module else None,
        "private_keyids": [int(keyids[0]), int(keyids[1])] if keyids else None,
        "pamt_kb": int(pamt[0]) if pamt else None,
        "pamt_state_kb": int(state[0]) if state else None,
    }


def from_launcher(result):
    """What tdx_launch said of each TD."""
    if not (result.folder / "output.log").exists():
        return []
    return [json.loads(text) for text in result.output.splitlines() if text.startswith('{"td"')]


def wrong_with(td):
    """Why a TD is not what it should have been; None if it is."""
    if not td["ok"]:
        return td["error"]
    return None if td["mrtd_matches"] and td["rtmr_matches"] else "its measurement is not that of what was loaded"


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
    yield summary["violations"] == 0, f"softseam counted {summary['violations']} violations: {result.stderr.strip()[-300:]}"
    yield not summary["complaints"], f"the kernel complained: {summary['complaints'][:1]}"


def collect(result, base, release, wanted_tds=0):
    stats = result.stats
    vm = next((entry for entry in result.agent if entry["step"] == "vm"), {})
    summary = {
        "base": base,
        "kernel": release,
        "seconds": round(result.seconds, 2),
        **from_console(result.console),
        "kvm_vm_types": vm.get("kvm_vm_types", 0),
        "tdmrs": stats["tdmrs"],
        "tds": from_launcher(result),
        "pamt_pairs": stats.get("pamt_pairs", 0),
        "pamt_pairs_kb": stats.get("pamt_pairs", 0) * PAIR_KB,
        "seamcalls": stats["leaves"],
        "violations": stats["violations"],
        "complaints": result.complaints(),
    }
    summary["failed"] = [text for held, text in checks(result, summary, wanted_tds) if not held]
    return summary


def write(summary, path):
    new = path.with_suffix(".new")
    new.write_text(json.dumps(summary, indent=1) + "\n")
    new.rename(path)


def pamt_line(summary):
    """Static PAMT, or what there is of it with Dynamic PAMT: bitmap and upper levels, state of regions, pairs."""
    if summary["pamt_state_kb"] is None:
        return f"{summary['pamt_kb'] or 0} KB of PAMT"
    return (f"Dynamic PAMT: {summary['pamt_kb']} KB with the bitmap, {summary['pamt_state_kb']} KB of state, "
            f"{summary['pamt_pairs_kb']} KB in {summary['pamt_pairs']} pairs")


def lines(summary):
    """The summary for people."""
    keyids = summary["private_keyids"]
    calls = summary["seamcalls"]
    yield ""
    yield f"  kernel         {summary['kernel']} ({summary['base']})"
    yield f"  TDX module     {summary['module_version'] or '-'}, {'initialised' if summary['tdx_initialized'] else 'NOT initialised'}"
    yield f"  KeyIDs         {f'{keyids[0]} to {keyids[1] - 1}, {keyids[0]} is the global one' if keyids else '-'}"
    yield f"  TDMRs          {summary['tdmrs']}, {pamt_line(summary)}"
    yield f"  KVM            VM types {summary['kvm_vm_types']:#x}{', TDX VM created' if not summary['failed'] else ''}"
    for td in summary["tds"]:
        yield (f"  TD {td['td']}           {td['vcpus']} vCPUs, {td['mem_mb']} MB: {wrong_with(td) or 'MRTD and RTMR match'}; "
               f"accepted {td['accepted_pages']} pages, converted {td['converted_pages']}; "
               f"{sum(td['seconds'].values()):.1f} s; says {' / '.join(td['said']).strip()!r}")
    yield f"  violations     {summary['violations']}"
    yield "  SEAMCALLs      calls errors     time"
    for name, leaf in sorted(calls.items()):
        yield f"    {name:<24}{leaf['calls']:>4}{leaf['errors']:>7}{leaf['ns'] / 1e6:>9.2f} ms"
    yield ""
