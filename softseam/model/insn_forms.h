/* SPDX-License-Identifier: GPL-2.0-only */
/* The opcode maps of x86, as far as they tell where operands in memory are. */
#ifndef SOFTSEAM_INSN_FORMS_H
#define SOFTSEAM_INSN_FORMS_H

#include <stdint.h>

#define ACCESS_READ		1U
#define ACCESS_WRITE		2U

/* A ModRM byte, and the immediate operand behind its address. */
#define FORM_MODRM		(1U << 0)
#define FORM_IMM8		(1U << 1)
#define FORM_IMMZ		(1U << 2)
/* F6 and F7 have the immediate in their first two instructions only. */
#define FORM_GROUP3		(1U << 3)
/* FF has, behind INC and DEC, instructions that read. */
#define FORM_GROUP5		(1U << 4)
/* DS:rSI is read, ES:rDI written or read. */
#define FORM_SOURCE		(1U << 5)
#define FORM_TARGET		(1U << 6)
#define FORM_COMPARED		(1U << 7)
#define FORM_PUSH		(1U << 8)
#define FORM_POP		(1U << 9)
/* ENTER and LEAVE: where rBP points, too. */
#define FORM_FRAME		(1U << 10)
/* The address alone, of what is read or written. */
#define FORM_MOFFS		(1U << 11)
#define FORM_MOFFS_TO		(1U << 12)
#define FORM_XLAT		(1U << 13)
#define FORM_BITS		(1U << 14)
/* DS:rDI is written. */
#define FORM_MASKMOV		(1U << 15)
/* Many addresses, from 8 indices of 32 bits or 4 of 64. */
#define FORM_VSIB		(1U << 16)
#define FORM_VSIB_QWORDS	(1U << 17)

struct insn_form {
	uint32_t flags;
	/* No operand in memory is longer. */
	uint32_t bytes;
};

/*
 * Map 0 has the opcodes of one byte, 1 to 3 those behind 0F, 0F 38 and 0F 3A.
 * Instructions without memory have a form too: one without flags.
 */
const struct insn_form *insn_form(unsigned int map, uint8_t opcode);
/* The same for VEX encodings; NULL for a map that is not there. */
const struct insn_form *insn_form_vex(unsigned int map, uint8_t opcode);

#endif
