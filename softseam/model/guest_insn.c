// SPDX-License-Identifier: GPL-2.0-only
#include "guest_insn.h"

#define REX		0x40
#define REX_B		1
#define REX_R		4

#define MODRM_MOD(b)	((b) >> 6)
#define MODRM_REG(b)	((b) >> 3 & 7)
#define MODRM_RM(b)	((b) & 7)

struct cursor {
	const uint8_t *code;
	size_t avail, pos;
	bool lock, opsize, rep;
	uint8_t rex;
};

static const struct {
	uint8_t opcode;
	enum guest_insn_kind kind;
} two_bytes[] = {
	{ 0x06, GI_CLTS }, { 0x08, GI_INVD }, { 0x09, GI_WBINVD }, { 0x30, GI_WRMSR },
	{ 0x31, GI_RDTSC }, { 0x32, GI_RDMSR }, { 0x33, GI_RDPMC }, { 0xA2, GI_CPUID },
};

/* -1 at the end. */
static int next(struct cursor *c)
{
	if (c->pos >= c->avail || c->pos >= GUEST_INSN_MAX)
		return -1;
	return c->code[c->pos++];
}

static bool is_prefix(struct cursor *c, int byte)
{
	switch (byte) {
	case 0x66:
		c->opsize = true;
		return true;
	case 0xF2:
	case 0xF3:
		c->rep = true;
		return true;
	case 0xF0:
		c->lock = true;
		return true;
	case 0x26: case 0x2E: case 0x36: case 0x3E: case 0x64: case 0x65: case 0x67:
		return true;
	default:
		return false;
	}
}

/* Returns the first byte of the opcode; a REX prefix counts in last place only. */
static int skip_prefixes(struct cursor *c, bool mode64)
{
	int byte;

	for (;;) {
		byte = next(c);
		if (mode64 && byte >= 0 && (byte & 0xF0) == REX) {
			c->rex = (uint8_t)byte;
			continue;
		}
		if (!is_prefix(c, byte))
			return byte;
		c->rex = 0;
	}
}

/* 0F 01: the instructions that have all of ModRM as opcode, and LMSW. */
static enum guest_insn_kind group7(struct cursor *c, struct guest_insn *insn)
{
	int modrm = next(c);

	switch (modrm) {
	case 0xC1:
		return GI_VMCALL;
	case 0xCC:
		return c->opsize && !c->rep ? GI_TDCALL : GI_OTHER;
	case 0xF9:
		return GI_RDTSCP;
	default:
		if (modrm < 0 || MODRM_REG(modrm) != 6 || MODRM_MOD(modrm) != 3)
			return GI_OTHER;
		insn->gpr = (unsigned int)MODRM_RM(modrm) | (c->rex & REX_B ? 8 : 0);
		return GI_LMSW;
	}
}

/* 0F 22: ModRM.mod is ignored. */
static enum guest_insn_kind mov_to_cr(struct cursor *c, struct guest_insn *insn)
{
	int modrm = next(c);

	if (modrm < 0)
		return GI_OTHER;
	insn->cr = (unsigned int)MODRM_REG(modrm) | (c->rex & REX_R ? 8 : 0);
	insn->gpr = (unsigned int)MODRM_RM(modrm) | (c->rex & REX_B ? 8 : 0);
	/* CR8 outside 64-bit mode. */
	if (c->lock && !insn->cr)
		insn->cr = 8;
	return GI_MOV_TO_CR;
}

static enum guest_insn_kind two_byte(struct cursor *c, struct guest_insn *insn)
{
	int byte = next(c);

	if (byte == 0x01)
		return group7(c, insn);
	if (byte == 0x22)
		return mov_to_cr(c, insn);
	for (size_t i = 0; i < sizeof(two_bytes) / sizeof(two_bytes[0]); i++) {
		if (two_bytes[i].opcode == byte)
			return two_bytes[i].kind;
	}
	return GI_OTHER;
}

static enum guest_insn_kind one_byte(struct cursor *c, int byte, struct guest_insn *insn)
{
	switch (byte) {
	case 0x0F:
		return two_byte(c, insn);
	case 0xF4:
		return GI_HLT;
	case 0xE4 ... 0xE7:
		insn->io_immediate = true;
		return next(c) < 0 ? GI_OTHER : GI_IO;
	case 0xEC ... 0xEF:
	case 0x6C ... 0x6F:
		return GI_IO;
	default:
		return GI_OTHER;
	}
}

void guest_insn_decode(const uint8_t *code, size_t avail, bool mode64, struct guest_insn *insn)
{
	struct cursor c = { .code = code, .avail = avail };

	*insn = (struct guest_insn){ .kind = GI_OTHER };
	insn->kind = one_byte(&c, skip_prefixes(&c, mode64), insn);
	if (insn->kind != GI_OTHER)
		insn->len = (unsigned int)c.pos;
}
