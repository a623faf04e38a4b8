// SPDX-License-Identifier: GPL-2.0-only
#include "guest.h"
#include "guest_insn.h"
#include "insn_bytes.h"

static const struct {
	uint8_t opcode;
	enum guest_insn_kind kind;
} two_bytes[] = {
	{ 0x06, GI_CLTS }, { 0x08, GI_INVD }, { 0x09, GI_WBINVD }, { 0x30, GI_WRMSR },
	{ 0x31, GI_RDTSC }, { 0x32, GI_RDMSR }, { 0x33, GI_RDPMC }, { 0xA2, GI_CPUID },
};

/* 0F 01: the instructions that have all of ModRM as opcode, and LMSW. */
static enum guest_insn_kind group7(struct insn_bytes *b, struct guest_insn *insn)
{
	int modrm = insn_next(b);

	switch (modrm) {
	case 0xC1:
		return GI_VMCALL;
	case 0xCC:
		return b->opsize && !b->rep ? GI_TDCALL : GI_OTHER;
	case 0xF9:
		return GI_RDTSCP;
	default:
		if (modrm < 0 || MODRM_REG(modrm) != 6 || MODRM_MOD(modrm) != 3)
			return GI_OTHER;
		insn->gpr = (unsigned int)MODRM_RM(modrm) | (b->rex & REX_B ? 8 : 0);
		return GI_LMSW;
	}
}

/* 0F 22: ModRM.mod is ignored. */
static enum guest_insn_kind mov_to_cr(struct insn_bytes *b, struct guest_insn *insn)
{
	int modrm = insn_next(b);

	if (modrm < 0)
		return GI_OTHER;
	insn->cr = (unsigned int)MODRM_REG(modrm) | (b->rex & REX_R ? 8 : 0);
	insn->gpr = (unsigned int)MODRM_RM(modrm) | (b->rex & REX_B ? 8 : 0);
	/* CR8 outside 64-bit mode. */
	if (b->lock && !insn->cr)
		insn->cr = 8;
	return GI_MOV_TO_CR;
}

/* What follows ModRM for an operand in memory, with addresses of 32 or 64 bits. */
static bool skip_operand(struct insn_bytes *b, int modrm)
{
	unsigned int bytes = MODRM_MOD(modrm) == 1 ? 1 : MODRM_MOD(modrm) == 2 ? 4 : 0;
	int sib = 0;

	if (MODRM_RM(modrm) == 4) {
		sib = insn_next(b);
		if (MODRM_MOD(modrm) == 0 && MODRM_RM(sib) == 5)
			bytes = 4;
	} else if (MODRM_MOD(modrm) == 0 && MODRM_RM(modrm) == 5) {
		bytes = 4;
	}
	while (bytes && insn_next(b) >= 0)
		bytes--;
	return sib >= 0 && !bytes;
}

/* 66 0F 38 82 */
static enum guest_insn_kind invpcid(struct insn_bytes *b, struct guest_insn *insn)
{
	int opcode = insn_next(b), modrm = insn_next(b);

	if (opcode != 0x82 || !b->opsize || b->rep || modrm < 0 || MODRM_MOD(modrm) == 3 ||
	    !skip_operand(b, modrm))
		return GI_OTHER;
	insn->gpr = (unsigned int)MODRM_REG(modrm) | (b->rex & REX_R ? 8 : 0);
	return GI_INVPCID;
}

static enum guest_insn_kind two_byte(struct insn_bytes *b, struct guest_insn *insn)
{
	int byte = insn_next(b);

	if (byte == 0x01)
		return group7(b, insn);
	if (byte == 0x22)
		return mov_to_cr(b, insn);
	if (byte == 0x38)
		return invpcid(b, insn);
	for (size_t i = 0; i < sizeof(two_bytes) / sizeof(two_bytes[0]); i++) {
		if (two_bytes[i].opcode == byte)
			return two_bytes[i].kind;
	}
	return GI_OTHER;
}

static enum guest_insn_kind one_byte(struct insn_bytes *b, int byte, struct guest_insn *insn)
{
	switch (byte) {
	case 0x0F:
		return two_byte(b, insn);
	case 0xF4:
		return GI_HLT;
	case 0xE4 ... 0xE7:
		insn->io_immediate = true;
		return insn_next(b) < 0 ? GI_OTHER : GI_IO;
	case 0xEC ... 0xEF:
	case 0x6C ... 0x6F:
		return GI_IO;
	default:
		return GI_OTHER;
	}
}

void guest_insn_decode(const uint8_t *code, size_t avail, bool mode64, struct guest_insn *insn)
{
	struct insn_bytes b;
	int opcode = insn_opcode(&b, code, avail, mode64);

	*insn = (struct guest_insn){ .kind = GI_OTHER };
	insn->kind = one_byte(&b, opcode, insn);
	if (insn->kind == GI_OTHER)
		return;
	insn->len = (unsigned int)b.pos;
	insn->addrsize = b.addrsize;
	insn->seg = b.seg == INSN_NO_SEG ? SEG_DS : (unsigned int)b.seg;
}
