// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>

#include "insn_forms.h"

/* A vector register; an x87 environment; an area of FXSAVE, or of XSAVE at most. */
#define OPERAND_BYTES	64
#define X87_BYTES	128
#define AREA_BYTES	4096

#define FORM(flags)	{ flags, OPERAND_BYTES }
#define MODRM		FORM(FORM_MODRM)
#define MODRM_IMM8	FORM(FORM_MODRM | FORM_IMM8)
#define MODRM_IMMZ	FORM(FORM_MODRM | FORM_IMMZ)
#define PUSH		FORM(FORM_PUSH)
#define POP		FORM(FORM_POP)

static const struct insn_form one_byte[256] = {
	/* Arithmetic and logic, but for their immediate forms */
	[0x00 ... 0x03] = MODRM, [0x08 ... 0x0B] = MODRM,
	[0x10 ... 0x13] = MODRM, [0x18 ... 0x1B] = MODRM,
	[0x20 ... 0x23] = MODRM, [0x28 ... 0x2B] = MODRM,
	[0x30 ... 0x33] = MODRM, [0x38 ... 0x3B] = MODRM,
	[0x06] = PUSH, [0x0E] = PUSH, [0x16] = PUSH, [0x1E] = PUSH,
	[0x07] = POP, [0x17] = POP, [0x1F] = POP,
	[0x50 ... 0x57] = PUSH,
	[0x58 ... 0x5F] = POP,
	[0x60] = PUSH, [0x61] = POP,
	/* BOUND; ARPL, and MOVSXD in 64-bit mode */
	[0x62] = MODRM, [0x63] = MODRM,
	[0x68] = PUSH, [0x69] = MODRM_IMMZ, [0x6A] = PUSH, [0x6B] = MODRM_IMM8,
	/* INS, OUTS */
	[0x6C ... 0x6D] = FORM(FORM_TARGET),
	[0x6E ... 0x6F] = FORM(FORM_SOURCE),
	[0x80] = MODRM_IMM8, [0x81] = MODRM_IMMZ, [0x82] = MODRM_IMM8, [0x83] = MODRM_IMM8,
	[0x84 ... 0x8C] = MODRM,
	/* 8D is LEA, which accesses nothing. */
	[0x8E] = MODRM,
	[0x8F] = FORM(FORM_MODRM | FORM_POP),
	[0x9A] = PUSH, [0x9C] = PUSH, [0x9D] = POP,
	[0xA0 ... 0xA1] = FORM(FORM_MOFFS),
	[0xA2 ... 0xA3] = FORM(FORM_MOFFS_TO),
	/* MOVS, CMPS, STOS, LODS, SCAS */
	[0xA4 ... 0xA5] = FORM(FORM_SOURCE | FORM_TARGET),
	[0xA6 ... 0xA7] = FORM(FORM_SOURCE | FORM_COMPARED),
	[0xAA ... 0xAB] = FORM(FORM_TARGET),
	[0xAC ... 0xAD] = FORM(FORM_SOURCE),
	[0xAE ... 0xAF] = FORM(FORM_COMPARED),
	[0xC0 ... 0xC1] = MODRM_IMM8,
	[0xC2 ... 0xC3] = POP,
	/* LES, LDS */
	[0xC4 ... 0xC5] = MODRM,
	[0xC6] = MODRM_IMM8, [0xC7] = MODRM_IMMZ,
	[0xC8 ... 0xC9] = FORM(FORM_FRAME),
	[0xCA ... 0xCB] = POP,
	[0xCC ... 0xCE] = PUSH,
	[0xCF] = POP,
	[0xD0 ... 0xD3] = MODRM,
	[0xD7] = FORM(FORM_XLAT),
	[0xD8 ... 0xDF] = { FORM_MODRM, X87_BYTES },
	[0xE8] = PUSH,
	[0xF6] = FORM(FORM_MODRM | FORM_IMM8 | FORM_GROUP3),
	[0xF7] = FORM(FORM_MODRM | FORM_IMMZ | FORM_GROUP3),
	[0xFE] = MODRM,
	[0xFF] = FORM(FORM_MODRM | FORM_GROUP5 | FORM_PUSH),
};

static const struct insn_form two_bytes[256] = {
	[0x00 ... 0x03] = MODRM,
	[0x0D] = MODRM,
	[0x10 ... 0x1F] = MODRM,
	[0x28 ... 0x2F] = MODRM,
	[0x40 ... 0x6F] = MODRM,
	[0x70 ... 0x73] = MODRM_IMM8,
	[0x74 ... 0x76] = MODRM,
	[0x78 ... 0x7F] = MODRM,
	[0x90 ... 0x9F] = MODRM,
	[0xA0] = PUSH, [0xA1] = POP, [0xA8] = PUSH, [0xA9] = POP,
	/* BT, BTS, BTR, BTC */
	[0xA3] = FORM(FORM_MODRM | FORM_BITS), [0xAB] = FORM(FORM_MODRM | FORM_BITS),
	[0xB3] = FORM(FORM_MODRM | FORM_BITS), [0xBB] = FORM(FORM_MODRM | FORM_BITS),
	[0xA4] = MODRM_IMM8, [0xA5] = MODRM, [0xAC] = MODRM_IMM8, [0xAD] = MODRM,
	/* FXSAVE, XSAVE and their like */
	[0xAE] = { FORM_MODRM, AREA_BYTES },
	[0xAF ... 0xB2] = MODRM,
	[0xB4 ... 0xB9] = MODRM,
	[0xBA] = MODRM_IMM8,
	[0xBC ... 0xC1] = MODRM,
	[0xC2] = MODRM_IMM8, [0xC3] = MODRM,
	[0xC4 ... 0xC6] = MODRM_IMM8,
	/* CMPXCHG8B and 16B, XSAVES and its like */
	[0xC7] = { FORM_MODRM, AREA_BYTES },
	[0xD0 ... 0xF6] = MODRM,
	[0xF7] = FORM(FORM_MASKMOV),
	[0xF8 ... 0xFE] = MODRM,
};

static const struct insn_form any_0f38 = MODRM;
static const struct insn_form any_0f3a = MODRM_IMM8;
static const struct insn_form gather_dwords = FORM(FORM_MODRM | FORM_VSIB);
static const struct insn_form gather_qwords = FORM(FORM_MODRM | FORM_VSIB | FORM_VSIB_QWORDS);

const struct insn_form *insn_form(unsigned int map, uint8_t opcode)
{
	switch (map) {
	case 0:
		return &one_byte[opcode];
	case 1:
		return &two_bytes[opcode];
	case 2:
		return &any_0f38;
	default:
		return &any_0f3a;
	}
}

const struct insn_form *insn_form_vex(unsigned int map, uint8_t opcode)
{
	if (!map || map > 3)
		return NULL;
	if (map == 2 && opcode >= 0x90 && opcode <= 0x93)
		return opcode & 1 ? &gather_qwords : &gather_dwords;
	return insn_form(map, opcode);
}
