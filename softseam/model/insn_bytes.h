/* SPDX-License-Identifier: GPL-2.0-only */
/* An instruction of a guest byte by byte: its prefixes, then what follows.  Pure. */
#ifndef SOFTSEAM_INSN_BYTES_H
#define SOFTSEAM_INSN_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No instruction is longer. */
#define INSN_BYTES_MAX	15

#define REX_B		1
#define REX_X		2
#define REX_R		4
#define REX_W		8

#define MODRM_MOD(b)	((b) >> 6)
#define MODRM_REG(b)	((b) >> 3 & 7)
#define MODRM_RM(b)	((b) & 7)

/* No prefix names a segment. */
#define INSN_NO_SEG	(-1)

struct insn_bytes {
	const uint8_t *code;
	size_t avail, pos;
	/* Prefixes.  @seg is an enum guest_seg_reg. */
	bool lock, opsize, addrsize, rep;
	int seg;
	uint8_t rex;
};

/* The next byte, or -1 at the end. */
int insn_next(struct insn_bytes *b);

/*
 * Start with the @avail bytes at @code: skip the prefixes, and return the first
 * byte of the opcode or -1.  A REX prefix counts in last place only; in 64-bit
 * mode segments other than FS and GS do not count.
 */
int insn_opcode(struct insn_bytes *b, const uint8_t *code, size_t avail, bool mode64);

#endif
