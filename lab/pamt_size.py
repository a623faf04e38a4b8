# SPDX-License-Identifier: GPL-2.0-only
"""How large the PAMT is, by the size of memory."""
GB = 1 << 30
KB = 1 << 10
# PAMT of 1 GB: 16 bytes for each page of each size, or a bit for each 4K page.
ENTRY = 16
ENTRIES = {"4K": GB >> 12, "2M": GB >> 21, "1G": 1}
# What the kernel keeps for 1 GB: 4 bytes for each region, and a pointer to them.
STATE = 4 * ENTRIES["2M"] + 8
