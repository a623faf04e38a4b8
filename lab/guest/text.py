# SPDX-License-Identifier: GPL-2.0-only
"""The table of stock TDs for the terminal."""
NAMES = {None: "-", True: "ok", False: "BAD"}


def reached(guest, stage):
    """Seconds from the TD's creation until @stage was over; None if it was not."""
    total = 0
    for name, seconds in guest["seconds"].items():
        total += seconds
        if name == stage:
            return total
    return None


def shown(seconds):
    return "-" if seconds is None else f"{seconds:.1f}"


def lines(guests):
    """The rows, with what they mean under them."""
    if not guests:
        return
    yield "  TD  vCPUs    MB  firmware  kernel   shell  MRTD  RTMR  events  block  network  power-off  firmware, kernel"
    for guest in guests:
        times = [shown(reached(guest, stage)) for stage in ("build", "firmware", "shell")]
        held = {name: NAMES[guest[f"{name}_ok"] if guest["ours"] or name == "mrtd" else None]
                for name in ("mrtd", "rtmr", "block", "network")}
        off = NAMES[guest["powered_off"] if guest["ours"] else None]
        yield (f"{guest['td']:>4}{guest['vcpus']:>7}{guest['mb']:>6}{times[0]:>10}{times[1]:>8}{times[2]:>8}"
               f"{held['mrtd']:>6}{held['rtmr']:>6}{len(guest['events']):>8}{held['block']:>7}{held['network']:>9}"
               f"{off:>11}  {guest['firmware']}, {guest['release'] or guest['kernel'] or '-'}"
               f"{' (' + guest['tree'] + ')' if guest['tree'] else ''}")
        if guest["wrong"]:
            yield f"      {guest['wrong']}"
    yield "      firmware, kernel, shell: seconds from the TD's creation until it got there"
    yield ""
