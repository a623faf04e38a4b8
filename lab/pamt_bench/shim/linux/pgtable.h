/* SPDX-License-Identifier: GPL-2.0-only */
/* What pamt_region.h takes from the kernel's header of this name, on x86-64 */
#ifndef SHIM_PGTABLE_H
#define SHIM_PGTABLE_H

#define PAGE_SHIFT	12
#define PMD_SHIFT	21
#define PUD_SHIFT	30
#define PTRS_PER_PTE	512
#define PTRS_PER_PMD	512

#endif
