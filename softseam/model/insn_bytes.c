// SPDX-License-Identifier: GPL-2.0-only
#include "guest.h"
#include "insn_bytes.h"

#define REX		0x40

int insn_next(struct insn_bytes *b)
{
	if (b->pos >= b->avail || b->pos >= INSN_BYTES_MAX)
		return -1;
	return b->code[b->pos++];
}

static bool is_segment(struct insn_bytes *b, int byte, bool mode64)
{
	switch (byte) {
	case 0x26:
	case 0x2E:
	case 0x36:
	case 0x3E:
		if (!mode64)
			b->seg = SEG_ES + (byte >> 3 & 3);
		return true;
	case 0x64:
	case 0x65:
		b->seg = SEG_FS + (byte & 1);
		return true;
	default:
		return false;
	}
}

static bool is_prefix(struct insn_bytes *b, int byte, bool mode64)
{
	switch (byte) {
	case 0x66:
		b->opsize = true;
		return true;
	case 0x67:
		b->addrsize = true;
		return true;
	case 0xF2:
	case 0xF3:
		b->rep = true;
		return true;
	case 0xF0:
		b->lock = true;
		return true;
	default:
		return is_segment(b, byte, mode64);
	}
}

int insn_opcode(struct insn_bytes *b, const uint8_t *code, size_t avail, bool mode64)
{
	int byte;

	*b = (struct insn_bytes){ .code = code, .avail = avail, .seg = INSN_NO_SEG };
	for (;;) {
		byte = insn_next(b);
		if (mode64 && byte >= 0 && (byte & 0xF0) == REX) {
			b->rex = (uint8_t)byte;
			continue;
		}
		if (!is_prefix(b, byte, mode64))
			return byte;
		b->rex = 0;
	}
}
