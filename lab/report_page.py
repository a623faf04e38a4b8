# SPDX-License-Identifier: GPL-2.0-only
"""The report of a run as one page that needs nothing else: lab/page/ with the run's data in it."""
import array
import base64
import json
from pathlib import Path

from lab import trace
from lab.report import wrong_with

PAGE = Path(__file__).parent / "page"
# More calls than a page should carry; what comes later is left out, and the page says so.
MAX_CALLS = 1_000_000
# Times are in units of 100 ns, which reach 7 minutes in 32 bits.
UNIT = 100
LAST = 2**32 - 1


def packed(code, values):
    return base64.b64encode(array.array(code, values).tobytes()).decode()


def timeline(calls):
    """The calls column by column, as the page's script unpacks them."""
    names, start, took, cpu, leaf, failed = {}, [], [], [], [], []
    first, skipped = None, 0
    for call in calls:
        first = call.end - call.took if first is None else first
        if len(start) == MAX_CALLS:
            skipped += 1
            continue
        start.append(min(max(call.end - call.took - first, 0) // UNIT, LAST))
        took.append(min(call.took // UNIT, LAST))
        cpu.append(call.cpu)
        leaf.append(names.setdefault(call.leaf, len(names)))
        failed.append(not call.succeeded)
    return {"first": first or 0, "names": list(names), "skipped": skipped, "count": len(start),
            "start": packed("I", start), "took": packed("I", took), "cpu": packed("B", cpu),
            "leaf": packed("B", leaf), "failed": packed("B", failed)}


def with_phases(guest, first):
    """A stock TD with its phases as [name, from, to] on the timeline."""
    at, phases = guest["created_ns"], []
    for name, seconds in guest["seconds"].items():
        end = at + int(seconds * 1e9)
        phases.append([name, (at - first) // UNIT, (end - first) // UNIT])
        at = end
    return guest | {"phases": phases}


def data(summary, trace_path):
    """All that the page shows."""
    calls = timeline(trace.read(trace_path)) if trace_path.exists() else timeline([])
    memory = [[(row[0] - calls["first"]) // UNIT, *row[1:]] for row in summary["memory"]]
    tds = [td | {"wrong": wrong_with(td)} for td in summary["tds"]]
    guests = [with_phases(guest, calls["first"]) for guest in summary.get("guests", [])]
    return summary | {"memory": memory, "tds": tds, "guests": guests, "timeline": calls}


def as_script(value):
    """JSON that cannot end the script element that it is in."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def page(summary, trace_path):
    parts = {"STYLE": (PAGE / "report.css").read_text(), "SCRIPT": (PAGE / "report.js").read_text(),
             "DATA": as_script(data(summary, trace_path))}
    pieces = (PAGE / "report.html").read_text().split("@@")
    return "".join(parts.get(piece, piece) for piece in pieces)
