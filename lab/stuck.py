# SPDX-License-Identifier: GPL-2.0-only
"""Where the CPUs of a machine are that does not get on: asked of QEMU before it is stopped."""
import bisect
import contextlib
import json
import re
import socket

PATIENCE = 5
LOOKS = 3
RIP = re.compile(r"^(?:RIP|EIP)=([0-9a-f]+)", re.M)
CPU = re.compile(r"^CPU#(\d+)", re.M)


class Monitor:
    """QEMU's monitor on a socket that only this process has."""

    def __init__(self):
        self.ours, self.theirs = socket.socketpair()
        self.ours.settimeout(PATIENCE)

    def args(self):
        return ["-chardev", f"socket,id=monitor,fd={self.theirs.fileno()}", "-mon", "chardev=monitor,mode=control"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ours.close()
        self.theirs.close()

    def ask(self, *commands):
        """What QEMU answers to commands of its human monitor; OSError or ValueError if it does not."""
        with self.ours.makefile("rw") as wire:
            json.loads(wire.readline())
            answer(wire, "qmp_capabilities")
            return [answer(wire, "human-monitor-command", **{"command-line": command}) for command in commands]


def answer(wire, command, **arguments):
    wire.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
    wire.flush()
    while True:
        said = json.loads(wire.readline())
        if "return" in said:
            return said["return"]
        if "error" in said:
            raise ValueError(said["error"].get("desc"))


def symbols(path):
    """(addresses, names) of a System.map, sorted by address."""
    rows = sorted((int(address, 16), name) for address, kind, name in
                  (text.split() for text in path.read_text().splitlines()) if kind in "tTwW")
    return [address for address, _ in rows], [name for _, name in rows]


def name_of(address, table):
    """The function that an address is in, as name+0x12; the address itself outside of the kernel's."""
    addresses, names = table
    at = bisect.bisect_right(addresses, address) - 1
    return f"{names[at]}+{address - addresses[at]:#x}" if at >= 0 else f"{address:#x}"


def places(registers, table):
    """One line for each CPU: where it is."""
    cpus = CPU.split(registers)[1:]
    for nr, text in zip(cpus[::2], cpus[1::2]):
        match = RIP.search(text)
        halted = " halted" if "HLT=1" in text else ""
        yield f"CPU {nr}: {name_of(int(match[1], 16), table) if match else 'no registers'}{halted}"


def describe(monitor, system_map):
    """Several looks at all CPUs, with the last one's registers, as text."""
    table = symbols(system_map) if system_map.exists() else ([], [])
    with contextlib.suppress(OSError, ValueError):
        looks = monitor.ask(*["info registers -a"] * LOOKS, "info lapic")
        lines = [line for look in looks[:LOOKS] for line in places(look, table)]
        return "\n".join([*lines, "", looks[LOOKS - 1], looks[LOOKS]])
    return "QEMU does not answer either\n"
