# SPDX-License-Identifier: GPL-2.0-only
"""The report of a run for the terminal: what one can read in ten seconds."""
import re

from lab.guest import text as guest_text
from lab.report import PAGE_KB, PAIR_KB, wrong_with

NAME = 15
SAID = 60


def row(name, text):
    return f"  {name:<{NAME}}{text}"


def pamt_lines(summary):
    pamt = summary["pamt"]
    times = pamt["static_kb"] / pamt["dynamic_kb"] if pamt["dynamic_kb"] else 0
    if pamt["measured"] == "dynamic":
        yield row("PAMT", f"dynamic, {pamt['dynamic_kb']} KB at boot; static PAMT would take {pamt['static_kb']} KB, "
                  f"{times:.0f} times as much")
        peak = summary["pages_peak"]["pairs"]
        yield row("", f"{peak * PAIR_KB} KB more in {peak} pairs at most, {summary['pamt_pairs_kb']} KB in "
                  f"{summary['pamt_pairs']} pairs at the end")
    else:
        yield row("PAMT", f"static, {pamt['static_kb']} KB at boot; Dynamic PAMT would take {pamt['dynamic_kb']} KB, "
                  f"1/{times:.0f} of it")


def machine_lines(summary):
    keyids, total = summary["private_keyids"], summary["machine"]
    hardware = f", {total['vcpus']} CPUs, {total['memory_mb']} MB" if total else ""
    extensions = (f"Extensions initialised with a pool of {summary['ext_pool_mb']} MB" if summary["extensions_initialised"]
                  else "no Extensions")
    yield row("host", f"Linux {summary['kernel']} ({summary['base']}){hardware}")
    yield row("TDX module", f"{summary['module_version'] or '-'}, "
              f"{'initialised' if summary['tdx_initialized'] else 'NOT initialised'}; {extensions}")
    yield row("KeyIDs", f"{keyids[0]} to {keyids[1] - 1}, {keyids[0]} is the global one" if keyids else "-")
    yield row("KVM", f"VM types {summary['kvm_vm_types']:#x}")
    yield from pamt_lines(summary)


def plain(text):
    """@text without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def said(td):
    """What the guest's vCPUs printed, on one line."""
    words = plain(" / ".join(re.sub(r"\s+", " ", text).strip() for text in td["said"]))
    return words if len(words) <= SAID else words[:SAID - 3] + "..."


def td_lines(summary):
    if not summary["tds"]:
        return
    yield "  TD  vCPUs    MB  accepted  converted  MRTD  RTMR  seconds  guest says"
    for td in summary["tds"]:
        match = {name: "ok" if td[f"{name}_matches"] else "BAD" for name in ("mrtd", "rtmr")}
        yield (f"{td['td']:>4}{td['vcpus']:>7}{td['mem_mb']:>6}{td['accepted_pages']:>10}{td['converted_pages']:>11}"
               f"{match['mrtd']:>6}{match['rtmr']:>6}{sum(td['seconds'].values()):>9.1f}  "
               f"{plain(wrong_with(td) or said(td))}")
    yield ""


def leaf_lines(summary):
    """Those that took longest first."""
    yield f"  {'SEAMCALL':<26}{'calls':>8}{'errors':>8}{'ms':>10}"
    leaves = sorted(summary["seamcalls"].items(), key=lambda item: -item[1]["ns"])
    for name, leaf in leaves:
        yield f"  {name:<26}{leaf['calls']:>8}{leaf['errors']:>8}{leaf['ns'] / 1e6:>10.2f}"
    total = {key: sum(leaf[key] for _, leaf in leaves) for key in ("calls", "errors", "ns")}
    yield f"  {'all':<26}{total['calls']:>8}{total['errors']:>8}{total['ns'] / 1e6:>10.2f}"


def verdict_lines(summary):
    def known(count):
        return "not known" if count is None else count
    yield row("violations", known(summary["violations"]))
    yield row("leaked pages", f"{known(summary['leaked_pages'])} (TDs had {summary['pages_peak']['all'] * PAGE_KB} KB at most)")
    yield row("KeyIDs in use", f"{summary['keyids']['in_use']} at the end, the global one included")


def lines(summary):
    yield ""
    yield from machine_lines(summary)
    yield ""
    yield from td_lines(summary)
    yield from guest_text.lines(summary.get("guests"))
    yield from leaf_lines(summary)
    yield ""
    yield from verdict_lines(summary)
    yield ""
