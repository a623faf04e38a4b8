# SPDX-License-Identifier: GPL-2.0-only
"""What became of each TD: what it said, what its files hold, and whether all of it is as it should be."""
from lab import report
from lab.guest import eventlog, machine, marks, tdreport, tdvf

KERNEL_SAYS_TDX = "tdx: Guest detected"
# What the TD's init asks to be in its report.
REPORT_DATA = bytes(nr ^ 0x5e for nr in range(tdreport.DATA_SIZE))
COMPLAINTS = ("BUG:", "WARNING:", "Oops", "Kernel panic", "general protection", "unable to handle")


def said(folder, nr):
    """All lines of TD @nr about its steps; what was cut short says nothing."""
    return list(report.json_lines((folder / f"guest-{nr}.jsonl").read_text(errors="replace"), '{"step"'))


def log_of(folder, nr):
    """The TD's console."""
    return (folder / f"guest-{nr}.log").read_text(errors="replace")


def measured(steps, firmware):
    """MRTD and RTMRs as they follow from the firmware's file and the event log, against those of the TD's report."""
    expected = tdvf.mrtd_of(firmware)
    found = {"mrtd": expected.hex(), "mrtd_ok": None, "rtmr_ok": None, "rtmrs": [], "events": [], "measure_error": None}
    try:
        told = tdreport.parse(bytes.fromhex(steps["report"]["data"]))
        found["rtmrs"] = [value.hex() for value in told.rtmrs]
        found["mrtd_ok"] = told.mrtd == expected and told.consistent and told.data == REPORT_DATA
        events = eventlog.parse(bytes.fromhex(steps["events"]["data"]))
        found["events"] = [[event.register - 1, event.name] for event in events if event.kind != eventlog.NO_ACTION]
        found["rtmr_ok"] = eventlog.rtmrs(events) == told.rtmrs and len(found["events"]) > 0
    except (KeyError, ValueError) as error:
        found["measure_error"] = f"no line about {error}" if isinstance(error, KeyError) else str(error)
    return found


def held(steps, name):
    return steps.get(name, {}).get("ok", False)


def collect(folder, nr, parts, options, life, ended):
    """All that is known of TD @nr; @ended is what the program that started its QEMU said at the end."""
    lines, log = said(folder, nr), log_of(folder, nr)
    # Of a step that was there more than once, the last counts.
    steps = {entry["step"]: entry for entry in lines}
    boot = steps.get("boot", {})
    seconds = marks.phases(life, boot.get("since_start")) if life else {}
    return {"td": nr, "vcpus": options.vcpus, "mb": options.memory_mb, "firmware": parts.firmware.name,
            "kernel": parts.kernel.name if parts.kernel else None, "ours": options.ours,
            "tree": options.linux.called if options.linux else None,
            "boots": [entry["step"] for entry in lines].count("boot"),
            "cpus_seen": boot.get("cpus"), "memory_kb_seen": boot.get("memory_kb"),
            "entered": bool(life), "enters": life.enters if life else 0,
            "created_ns": life.created if life else None, "marks_ns": life.marks if life else {},
            "entered_ns": life.entered if life else None,
            "detected": KERNEL_SAYS_TDX in log, "release": release(log),
            "shell": held(steps, "shell"), "powered_off": held(steps, "poweroff"),
            "block_ok": held(steps, "disk") and machine.wrote_disk(folder, nr),
            "network_ok": held(steps, "net") and machine.sent_back(folder, nr),
            "seconds": seconds, **measured(steps, parts.firmware),
            "complaints": [text for text in log.splitlines() if any(word in text for word in COMPLAINTS)],
            "steps": {name: entry["ok"] for name, entry in steps.items()},
            "qemu_status": ended.get("status"), "qemu_signal": ended.get("signal"),
            "qemu_said": (folder / f"qemu-{nr}.log").read_text(errors="replace").strip()[-300:]}


def release(log):
    """What the TD's kernel calls itself."""
    words = log.partition("Linux version ")[2].split()
    return words[0] if words else None


def checks_of_ours(guest, wanted):
    """What a TD with the lab's own user space must have told, and left behind, of the steps in @wanted."""
    yield "boot" in guest["steps"], f"Linux did not reach user space: {last_words(guest)}"
    yield guest["cpus_seen"] == guest["vcpus"], f"Linux saw {guest['cpus_seen']} of {guest['vcpus']} vCPUs"
    yield guest["detected"], "its kernel did not find that it runs in a TD"
    why = f": {guest['measure_error']}" if guest["measure_error"] else ""
    for step, name, text in (("shell", "shell", "its shell did not answer"),
                             ("report", "mrtd_ok", f"its MRTD is not that of the firmware's file{why}"),
                             ("events", "rtmr_ok", f"its RTMRs are not those of its event log{why}"),
                             ("disk", "block_ok", "its disk does not hold what it should have written"),
                             ("net", "network_ok", "its network did not bring back what was sent")):
        yield step not in wanted or guest[name], text
    for step in wanted:
        yield step in guest["steps"], f"it did not tell of its step {step}: {last_words(guest)}"
    for step, ok in guest["steps"].items():
        yield ok, f"its step {step} failed"


def checks(guest, options):
    """Every step that must have held in a TD, with what to say when it did not."""
    if options.kill:
        # Nothing is expected of a TD that ends in the middle, but that all that it had comes back.
        yield guest["qemu_signal"] == 9, f"its QEMU was to be killed and ended with {ending(guest)}"
        return
    yield guest["entered"], f"QEMU never started it: {guest['qemu_said'] or 'QEMU said nothing'}"
    if options.ours:
        yield from checks_of_ours(guest, options.steps.split(","))
        yield options.ends in guest["steps"], f"it did not end with {options.ends}: {last_words(guest)}"
    elif guest["rtmr_ok"] is not None:
        yield guest["rtmr_ok"], "its RTMRs are not those of its event log"
    yield guest["qemu_status"] == 0, f"its QEMU ended with {ending(guest)}: {guest['qemu_said'] or 'it said nothing'}"
    yield options.ends == "crash" or not guest["complaints"], f"its kernel complained: {guest['complaints'][:1]}"


def ending(guest):
    if guest["qemu_status"] is None:
        return "no word of it"
    return f"signal {guest['qemu_signal']}" if guest["qemu_signal"] else f"status {guest['qemu_status']}"


def last_words(guest):
    done = [name for name, ok in guest["steps"].items() if ok]
    return f"the last that it told of was {done[-1]!r}" if done else "it told of nothing"


def wrong_with(guest, options):
    """Why a TD is not what it should have been; None if it is."""
    return next((text for ok, text in checks(guest, options) if not ok), None)


def endings(output):
    """{TD: what was said of its QEMU at the end}."""
    return {entry["qemu"]: entry for entry in report.json_lines(output, '{"qemu"')}
