# SPDX-License-Identifier: GPL-2.0-only
"""Boots a TDX host: stock QEMU with the softseam plugin, one kernel, one initramfs."""
import dataclasses
import json
import subprocess
import time
from pathlib import Path

from lab import place, stuck
from lab.say import LabError

PLUGIN = place.BUILD / "softseam/softseam.so"
RUN = place.BUILD / "softseam/softseam-run"
STUCK = "stuck.txt"
# What a line must hold to be the kernel complaining about itself.
COMPLAINTS = ("BUG:", "WARNING:", "Oops", "Kernel panic", "general protection", "unable to handle")


@dataclasses.dataclass
class Machine:
    """One boot: the host's hardware, softseam's arguments, what init shall do."""
    kernel: Path
    initramfs: Path
    steps: str
    vcpus: int = 2
    memory_mb: int = 1024
    sockets: int = 1
    nodes: int = 1
    seam: dict = dataclasses.field(default_factory=dict)
    cmdline: str = ""
    timeout: int = 120
    qemu_args: tuple = ()

    def command(self, folder, interactive=False):
        console = ["mon:stdio"] if interactive else [f"file:{folder}/console.log"]
        words = ["console=ttyS0", f"lab={self.steps}"] + self.cmdline.split()
        if interactive:
            words.append("quiet")
        return [str(RUN), "--cpus", str(self.vcpus), "--memory", str(self.memory_mb),
                "--sockets", str(self.sockets), "--nodes", str(self.nodes), *self.plugin(folder),
                "-kernel", str(self.kernel), "-initrd", str(self.initramfs), "-append", " ".join(words),
                "--", "-nodefaults", "-no-user-config", "-display", "none",
                "-serial", *console, "-serial", f"file:{folder}/agent.jsonl",
                "-serial", f"file:{folder}/output.log", "-no-reboot", *self.qemu_args]

    def plugin(self, folder):
        """softseam with this machine's arguments."""
        seam = {"stats": folder / "stats.json", "trace": folder / "trace.txt"} | self.seam
        return [word for key, value in seam.items() for word in ("--seam", f"{key}={value}")]


@dataclasses.dataclass
class Boot:
    """What is left of a boot."""
    folder: Path
    seconds: float
    status: int
    timed_out: bool
    stderr: str

    @property
    def console(self):
        return (self.folder / "console.log").read_text(errors="replace")

    @property
    def agent(self):
        path = self.folder / "agent.jsonl"
        return [json.loads(text) for text in path.read_text().splitlines() if text.startswith("{")]

    @property
    def output(self):
        """What the programs that init ran wrote."""
        return (self.folder / "output.log").read_text(errors="replace")

    @property
    def stats(self):
        """softseam's counters: what the module did, as it told at the end."""
        return json.loads((self.folder / "stats.json").read_text())["module"]

    @property
    def violations(self):
        """What softseam holds against the host: rule, cpu, pa, text, caller."""
        return json.loads((self.folder / "stats.json").read_text())["violation_list"]

    def did(self, step, arg=None):
        """The agent's line for a step; a clear error if it never came."""
        for entry in self.agent:
            if entry["step"] == step and arg in (None, entry["arg"]):
                return entry
        raise LabError(f"the host never got to the step {step!r}: {self.last_words()}")

    def says(self, text):
        return any(text in line for line in self.console.splitlines())

    def complaints(self):
        return [line for line in self.console.splitlines() if any(c in line for c in COMPLAINTS)]

    def last_words(self):
        lines = [line.strip() for line in self.console.splitlines() if line.strip()]
        last = lines[-1] if lines else "the kernel printed nothing"
        if self.timed_out:
            last += f" (stopped after {self.seconds:.0f} s; where its CPUs were: {place.shown(self.folder / STUCK)})"
        return f"{last}; console: {place.shown(self.folder / 'console.log')}"


def wait(proc, timeout, on_timeout):
    """What @proc said and whether its time ran out; softseam then still writes its files."""
    timed_out = False
    for patience, stop in ((timeout, proc.terminate), (10, proc.kill), (None, None)):
        try:
            return proc.communicate(timeout=patience)[0], timed_out
        except subprocess.TimeoutExpired:
            if not timed_out:
                on_timeout()
            timed_out = True
            stop()


def run(machine, folder):
    """What QEMU said, its status, and whether it was stopped; then stuck.txt tells where its CPUs were."""
    system_map = machine.kernel.parents[3] / "System.map"
    with stuck.Monitor() as monitor:
        proc = subprocess.Popen(machine.command(folder) + monitor.args(), stdin=subprocess.DEVNULL, text=True,
                                errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                pass_fds=(monitor.theirs.fileno(),))
        said, timed_out = wait(proc, machine.timeout, lambda: (folder / STUCK).write_text(
            stuck.describe(monitor, system_map)))
    return said, proc.returncode, timed_out


def boot(machine, folder):
    """Run @machine until it powers off or its time is over; one boot at a time in @folder."""
    with place.locked(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for old in ("console.log", "agent.jsonl", "output.log", "stats.json", "trace.txt", STUCK):
            (folder / old).unlink(missing_ok=True)
        start = time.monotonic()
        said, status, timed_out = run(machine, folder)
        if not (folder / "console.log").exists():
            raise LabError(f"QEMU did not start: {(said or 'no output').splitlines()[0]}")
        return Boot(folder, time.monotonic() - start, status, timed_out, said)
