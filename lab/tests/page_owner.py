# SPDX-License-Identifier: GPL-2.0-only
"""How many pages are out of the page allocator, by who took them (CONFIG_PAGE_OWNER)."""
CMDLINE = "page_owner=on"
STEP = "run:cat+/sys/kernel/debug/page_owner_stacks/show_stacks"


def stacks(output):
    """(functions, pages) of each way that pages were allocated which are still out."""
    for text in output.replace("\r", "").split("\n\n"):
        lines = [line.strip() for line in text.splitlines()]
        counts = [int(line.split(":")[1]) for line in lines if line.startswith("nr_base_pages:")]
        if counts:
            yield {line.split("+")[0] for line in lines if "+0x" in line}, counts[0]


def pages(result, *by, but=()):
    """Pages that were taken through all functions @by, and none of @but; slabs apart."""
    found = list(stacks(result.output))
    assert any("do_one_initcall" in functions for functions, _ in found), \
        f"no stacks that can be read: {result.output[-500:]}"
    return sum(count for functions, count in found
               if functions.issuperset(by) and functions.isdisjoint(but)
               and not any("slab" in name for name in functions))
