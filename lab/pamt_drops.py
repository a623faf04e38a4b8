# SPDX-License-Identifier: GPL-2.0-only
"""Kernels whose KVM lacks one of the calls that count pages in or out of Dynamic PAMT, one at a time."""
import dataclasses
import re

from lab import kernel as kernels

SOURCE = "arch/x86/kvm/vmx/tdx.c"
# Each call, and what is there without it.
CALLS = (
    ("get", r"= tdx_alloc_control_page\(\);", r"= alloc_page(GFP_KERNEL_ACCOUNT);"),
    ("get", r"r = tdx(?:_sept)?_pamt_get\([^;]*\);", "r = 0;"),
    ("put", r"(?<!void )tdx_free_control_page\(([^;]*)\);", r"if (\1)\n\t\t__free_page(\1);"),
    ("put", r"(?<!void )tdx_pamt_put\([^;]*\);", ";"),
    ("topup", r"return tdx_pamt_cache_topup\([^;]*\);", "return 0;"),
    ("drain", r"tdx_pamt_cache_drain\([^;]*\);", ";"),
)
FUNCTION = re.compile(r"^[a-z][^\n;#]*?\b(\w+)\([^;{}]*\)\n\{", re.M)


@dataclasses.dataclass(frozen=True)
class Drop:
    """One call that is not made: where it stands, and the source without it."""
    kind: str
    function: str
    line: int
    call: str
    text: str

    def __str__(self):
        return f"{self.kind} in {self.function} line {self.line}"


def function_at(text, at):
    """The function that the position @at is in."""
    return [match[1] for match in FUNCTION.finditer(text, 0, at)][-1]


def drops(text):
    """Every call of @text once, in the order of the source."""
    found = []
    for kind, pattern, instead in CALLS:
        for match in re.finditer(pattern, text):
            without = text[:match.start()] + match.expand(instead) + text[match.end():]
            found.append(Drop(kind, function_at(text, match.start()), text.count("\n", 0, match.start()) + 1,
                              match[0], without))
    return sorted(found, key=lambda drop: drop.line)


def build(kernel, text):
    """@kernel with KVM made from @text: the source is mounted over, the tree itself stays as it is."""
    source = kernel.out / "drop.c"
    source.write_text(text)
    log = f"drop-{kernel.out.name}.log"
    make = ["make", "-C", str(kernels.SEEN_AT), f"O={kernel.out}", *kernels.FIXED, "modules"]
    over = ["sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"', str(source),
            str(kernels.SEEN_AT / SOURCE), *make]
    kernels.run_mounted(kernel.tree, over, log, "building KVM without a call")
    return kernel
