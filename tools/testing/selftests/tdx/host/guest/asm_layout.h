/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers that the payload's assembly and C share; no C in here. */
#ifndef TDX_HOST_GUEST_ASM_LAYOUT_H
#define TDX_HOST_GUEST_ASM_LAYOUT_H

#define CODE64			0x08
#define DATA64			0x10

#define CR0_PG			0x80000000
#define CR4_PAE			0x20

/* Present and writable; for a leaf, 2 MB as well. */
#define PTE_TABLE		0x3
#define PTE_LARGE		0x83

#define STACK_SHIFT		12

/* Exceptions, and the first interrupt vectors. */
#define NR_TRAPS		64
#define TRAP_STUB_SIZE		16

#endif
