# SPDX-License-Identifier: GPL-2.0-only
"""What kernels of TDs warn of though nothing is wrong with softseam, and why."""
import re

# What our init leaves at the beginning of a line of the kernel's log that is a warning, or worse.
WARNING = re.compile(r"^<[0-4]>\[ *\d+\.\d+\] (.*)$")
EXPLAINED = (
    # The kernel's parser of a TPM's events does not get through those of OVMF, which a TD has in their place. They are
    # no worse for that: the lab replays the log, and it leads to what is in the RTMRs.
    r"\[Firmware Bug\]: Failed to parse event in TPM Final Events Log",
    # All virtual devices of a TD work on shared memory: the kernel says so of every confidential VM.
    r"software IO TLB: Memory encryption is active and system is using DMA bounce buffers",
)


def unexplained(log):
    """The warnings in the console @log of a TD, one line each, that the list above does not know."""
    found = (WARNING.match(text) for text in log.splitlines())
    return [match[1] for match in found if match and not any(re.match(known, match[1]) for known in EXPLAINED)]
