// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "decode.h"

#define REX_W	8
#define REX_R	4
#define REX_X	2
#define REX_B	1

struct cursor {
	const uint8_t *code;
	size_t avail;
	unsigned int pos;
	bool short_of_bytes;
};

struct prefixes {
	bool opsize, repne, rep, addr32;
	enum insn_segment segment;
	uint8_t rex;
};

static uint8_t next_byte(struct cursor *c)
{
	if (c->pos >= c->avail || c->pos >= INSN_MAX_LEN) {
		c->short_of_bytes = true;
		return 0;
	}
	return c->code[c->pos++];
}

static int64_t next_signed(struct cursor *c, unsigned int bytes)
{
	uint32_t v = 0;
	unsigned int i;

	for (i = 0; i < bytes; i++)
		v |= (uint32_t)next_byte(c) << (8 * i);
	return bytes == 1 ? (int8_t)v : (int32_t)v;
}

/* Eats one legacy prefix; false if @byte is not one. */
static bool take_prefix(struct prefixes *p, uint8_t byte)
{
	switch (byte) {
	case 0x66:
		p->opsize = true;
		return true;
	case 0x67:
		p->addr32 = true;
		return true;
	case 0xf2:
		p->repne = true;
		return true;
	case 0xf3:
		p->rep = true;
		return true;
	case 0x64:
		p->segment = SEGMENT_FS;
		return true;
	case 0x65:
		p->segment = SEGMENT_GS;
		return true;
	case 0x26: case 0x2e: case 0x36: case 0x3e: case 0xf0:
		return true;
	default:
		return false;
	}
}

/* Returns the first byte of the opcode.  A REX prefix only counts in last place. */
static uint8_t skip_prefixes(struct cursor *c, struct prefixes *p)
{
	uint8_t byte = next_byte(c);

	while (!c->short_of_bytes) {
		if ((byte & 0xf0) == 0x40)
			p->rex = byte;
		else if (take_prefix(p, byte))
			p->rex = 0;
		else
			break;
		byte = next_byte(c);
	}
	return byte;
}

static void decode_sib(struct cursor *c, const struct prefixes *p,
		       unsigned int mod, struct insn_mem *mem)
{
	uint8_t sib = next_byte(c);
	int index = ((sib >> 3) & 7) | (p->rex & REX_X ? 8 : 0);
	int base = (sib & 7) | (p->rex & REX_B ? 8 : 0);

	mem->scale = 1u << (sib >> 6);
	/* Index 4 without REX.X means none. */
	mem->index = index == 4 ? INSN_NO_REG : index;
	mem->base = base;
	if ((sib & 7) == 5 && mod == 0) {
		mem->base = INSN_NO_REG;
		mem->disp = next_signed(c, 4);
	}
}

static void decode_modrm(struct cursor *c, const struct prefixes *p,
			 struct insn *insn)
{
	uint8_t modrm = next_byte(c);
	unsigned int mod = modrm >> 6;
	struct insn_mem *mem = &insn->mem;

	insn->reg = ((modrm >> 3) & 7) | (p->rex & REX_R ? 8 : 0);
	if (mod == 3) {
		insn->rm = (modrm & 7) | (p->rex & REX_B ? 8 : 0);
		return;
	}

	mem->addr32 = p->addr32;
	mem->segment = p->segment;
	if ((modrm & 7) == 4) {
		decode_sib(c, p, mod, mem);
	} else if ((modrm & 7) == 5 && mod == 0) {
		mem->rip_relative = true;
		mem->disp = next_signed(c, 4);
	} else {
		mem->base = (modrm & 7) | (p->rex & REX_B ? 8 : 0);
	}
	if (mod == 1)
		mem->disp = next_signed(c, 1);
	else if (mod == 2)
		mem->disp = next_signed(c, 4);
}

/* 0F 01: the third byte is the whole instruction. */
static enum insn_kind decode_group7(const struct prefixes *p, uint8_t byte)
{
	if (p->rep || p->repne)
		return INSN_OTHER;
	if (p->opsize)
		return byte == 0xcf ? INSN_SEAMCALL :
		       byte == 0xcc ? INSN_TDCALL : INSN_OTHER;

	switch (byte) {
	case 0xc2:
		return INSN_VMLAUNCH;
	case 0xc3:
		return INSN_VMRESUME;
	case 0xc4:
		return INSN_VMXOFF;
	case 0xd1:
		return INSN_XSETBV;
	case 0xf9:
		return INSN_RDTSCP;
	default:
		return INSN_OTHER;
	}
}

/* 0F C7 with a memory operand: the prefix chooses among /6. */
static enum insn_kind decode_group9(const struct prefixes *p,
				    const struct insn *insn)
{
	if (insn->rm != INSN_NO_REG)
		return INSN_OTHER;
	if ((insn->reg & 7) == 7)
		return p->rep || p->opsize ? INSN_OTHER : INSN_VMPTRST;
	if ((insn->reg & 7) != 6)
		return INSN_OTHER;
	if (p->rep)
		return INSN_VMXON;
	return p->opsize ? INSN_VMCLEAR : INSN_VMPTRLD;
}

/* 0F AE /7 with a memory operand; with a register it is SFENCE. */
static enum insn_kind decode_group15(const struct prefixes *p, const struct insn *insn)
{
	if ((insn->reg & 7) != 7 || insn->rm != INSN_NO_REG || p->rep || p->repne)
		return INSN_OTHER;
	return INSN_CLFLUSH;
}

/* 66 0F 38: the register-and-memory forms. */
static enum insn_kind decode_0f38(const struct prefixes *p, uint8_t opcode,
				  const struct insn *insn)
{
	if (!p->opsize || p->rep || p->repne || insn->rm != INSN_NO_REG)
		return INSN_OTHER;

	switch (opcode) {
	case 0x80:
		return INSN_INVEPT;
	case 0x81:
		return INSN_INVVPID;
	case 0xf8:
		return INSN_MOVDIR64B;
	default:
		return INSN_OTHER;
	}
}

/* The move between a general register and CR@nr, if it is one. */
static enum insn_kind move_of_cr(const struct insn *insn, int nr, enum insn_kind kind)
{
	return insn->reg == nr && insn->rm != INSN_NO_REG ? kind : INSN_OTHER;
}

static enum insn_kind decode_mov_to_cr(const struct insn *insn)
{
	if (insn->reg == 3)
		return move_of_cr(insn, 3, INSN_MOV_TO_CR3);
	return move_of_cr(insn, 4, INSN_MOV_TO_CR4);
}

static enum insn_kind decode_0f(struct cursor *c, const struct prefixes *p,
				struct insn *insn)
{
	bool plain = !p->opsize && !p->rep && !p->repne;
	uint8_t opcode = next_byte(c);

	switch (opcode) {
	case 0x01:
		return decode_group7(p, next_byte(c));
	case 0x09:
		return INSN_WBINVD;
	case 0x20:
		decode_modrm(c, p, insn);
		return move_of_cr(insn, 4, INSN_MOV_FROM_CR4);
	case 0x22:
		decode_modrm(c, p, insn);
		return decode_mov_to_cr(insn);
	case 0x30:
		return INSN_WRMSR;
	case 0x31:
		return INSN_RDTSC;
	case 0x32:
		return INSN_RDMSR;
	case 0x38:
		opcode = next_byte(c);
		decode_modrm(c, p, insn);
		return decode_0f38(p, opcode, insn);
	case 0x78:
		decode_modrm(c, p, insn);
		return plain ? INSN_VMREAD : INSN_OTHER;
	case 0x79:
		decode_modrm(c, p, insn);
		return plain ? INSN_VMWRITE : INSN_OTHER;
	case 0xa2:
		return INSN_CPUID;
	case 0xae:
		decode_modrm(c, p, insn);
		return decode_group15(p, insn);
	case 0xc7:
		decode_modrm(c, p, insn);
		return decode_group9(p, insn);
	default:
		return INSN_OTHER;
	}
}

static void insn_init(struct insn *insn)
{
	memset(insn, 0, sizeof(*insn));
	insn->rm = INSN_NO_REG;
	insn->mem.base = INSN_NO_REG;
	insn->mem.index = INSN_NO_REG;
	insn->mem.scale = 1;
}

bool insn_decode(const uint8_t *code, size_t avail, struct insn *insn)
{
	struct cursor c = { .code = code, .avail = avail };
	struct prefixes p = { 0 };
	enum insn_kind kind;

	insn_init(insn);
	if (skip_prefixes(&c, &p) != 0x0f)
		return false;
	insn->prefix_len = c.pos - 1;

	kind = decode_0f(&c, &p, insn);
	insn->cut_off = c.short_of_bytes;
	if (kind == INSN_OTHER || insn->cut_off)
		return false;
	insn->kind = kind;
	insn->len = c.pos;
	return true;
}

bool insn_known_to_tcg(enum insn_kind kind)
{
	switch (kind) {
	case INSN_MOV_TO_CR4:
	case INSN_MOV_FROM_CR4:
	case INSN_CPUID:
	case INSN_RDMSR:
	case INSN_WRMSR:
	case INSN_WBINVD:
	case INSN_CLFLUSH:
	case INSN_XSETBV:
	case INSN_RDTSC:
	case INSN_RDTSCP:
	case INSN_MOV_TO_CR3:
		return true;
	default:
		return false;
	}
}

static void decode_setcc(struct cursor *c, const struct prefixes *p,
			 struct flag_user *user)
{
	struct insn operand;

	insn_init(&operand);
	decode_modrm(c, p, &operand);
	if (operand.rm == INSN_NO_REG)
		return;
	user->kind = FLAG_USER_SETCC;
	user->high_byte = !p->rex && operand.rm >= 4;
	user->reg = user->high_byte ? operand.rm - 4 : operand.rm;
}

static void decode_flag_user_0f(struct cursor *c, const struct prefixes *p,
				struct flag_user *user)
{
	uint8_t opcode = next_byte(c);
	struct insn operand;

	user->cond = opcode & 0xf;
	if ((opcode & 0xf0) == 0x80) {
		user->kind = FLAG_USER_JCC;
		user->disp = next_signed(c, 4);
	} else if ((opcode & 0xf0) == 0x90) {
		decode_setcc(c, p, user);
	} else if (opcode == 0x1f) {
		insn_init(&operand);
		decode_modrm(c, p, &operand);
		user->kind = FLAG_USER_NOP;
	}
}

void flag_user_decode(const uint8_t *code, size_t avail, struct flag_user *user)
{
	struct cursor c = { .code = code, .avail = avail };
	struct prefixes p = { 0 };
	uint8_t opcode;

	memset(user, 0, sizeof(*user));
	opcode = skip_prefixes(&c, &p);
	if (opcode == 0x0f) {
		decode_flag_user_0f(&c, &p, user);
	} else if ((opcode & 0xf0) == 0x70) {
		user->kind = FLAG_USER_JCC;
		user->cond = opcode & 0xf;
		user->disp = next_signed(&c, 1);
	} else if (opcode == 0x90 && !p.rex && !p.rep) {
		user->kind = FLAG_USER_NOP;
	}

	user->len = c.pos;
	if (c.short_of_bytes)
		user->kind = FLAG_USER_NONE;
}

bool flag_cond_holds(unsigned int cond, struct insn_flags flags)
{
	bool holds;

	switch (cond >> 1) {
	case 1:
		holds = flags.cf;
		break;
	case 2:
		holds = flags.zf;
		break;
	case 3:
		holds = flags.cf || flags.zf;
		break;
	case 7:
		/* LE is ZF or SF != OF, and these two are both zero. */
		holds = flags.zf;
		break;
	default:
		/* Overflow, sign, parity, less: all zero. */
		holds = false;
		break;
	}
	return holds != (cond & 1);
}
