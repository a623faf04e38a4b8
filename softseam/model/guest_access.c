// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "guest_access.h"
#include "guest_vcpu.h"
#include "insn_bytes.h"
#include "insn_forms.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

/* ENTER copies up to 31 frame pointers. */
#define FRAME_REACH	(32 * 8)

#define VSIB_DWORDS	8
#define VSIB_QWORDS	4
#define XSAVE_YMM_HIGH	576

struct decoder {
	struct insn_bytes b;
	const struct guest_cpu *r;
	bool mode64;
	/* Sizes of addresses and operands. */
	unsigned int addr_bytes, op_bytes;
	const struct insn_form *form;
	int modrm;
	struct guest_access *access;
	unsigned int nr;
};

static uint64_t truncate(uint64_t value, unsigned int bytes)
{
	return bytes == 8 ? value : value & ((1ULL << 8 * bytes) - 1);
}

uint64_t guest_linear(const struct guest_cpu *r, enum guest_seg_reg seg, uint64_t offset)
{
	if (!guest_in_64bit_mode(r))
		return (uint32_t)(r->seg[seg].base + offset);
	return seg >= SEG_FS ? r->seg[seg].base + offset : offset;
}

static void add(struct decoder *d, enum guest_seg_reg seg, uint64_t offset, uint32_t bytes,
		unsigned int how)
{
	if (d->nr == GUEST_ACCESSES_MAX)
		return;
	d->access[d->nr++] = (struct guest_access){
		.first = guest_linear(d->r, seg, truncate(offset, d->addr_bytes)),
		.bytes = bytes,
		.read = how & ACCESS_READ,
		.write = how & ACCESS_WRITE,
	};
}

/* The segment of a data access, which a prefix can replace. */
static enum guest_seg_reg data_seg(const struct decoder *d, enum guest_seg_reg seg)
{
	return d->b.seg == INSN_NO_SEG ? seg : (enum guest_seg_reg)d->b.seg;
}

static uint64_t gpr(const struct decoder *d, unsigned int n)
{
	return guest_gpr(d->r, n);
}

/* A little-endian number, sign-extended.  Returns false where it is cut off. */
static bool read_number(struct decoder *d, unsigned int bytes, uint64_t *value)
{
	unsigned int unused = 64 - 8 * bytes;

	*value = 0;
	for (unsigned int i = 0; i < bytes; i++) {
		int byte = insn_next(&d->b);

		if (byte < 0)
			return false;
		*value |= (uint64_t)byte << 8 * i;
	}
	if (bytes)
		*value = (uint64_t)((int64_t)(*value << unused) >> unused);
	return true;
}

/* An effective address while it is added up. */
struct address {
	uint64_t offset;
	enum guest_seg_reg seg;
	unsigned int disp_bytes;
	bool rip_relative;
};

static void address16(const struct decoder *d, struct address *a)
{
	static const struct {
		uint8_t base, index;
	} forms[8] = {
		{ RBX, RSI }, { RBX, RDI }, { RBP, RSI }, { RBP, RDI },
		{ RSI, RSI }, { RDI, RDI }, { RBP, RBP }, { RBX, RBX },
	};
	unsigned int rm = (unsigned int)MODRM_RM(d->modrm);

	a->disp_bytes = (unsigned int)MODRM_MOD(d->modrm);
	if (!a->disp_bytes && rm == 6) {
		a->disp_bytes = 2;
		return;
	}
	a->offset = gpr(d, forms[rm].base);
	if (rm < 4)
		a->offset += gpr(d, forms[rm].index);
	if (forms[rm].base == RBP)
		a->seg = SEG_SS;
}

/* The part that SIB and longer displacements share. */
static void add_base(const struct decoder *d, unsigned int base, struct address *a)
{
	unsigned int mod = (unsigned int)MODRM_MOD(d->modrm);

	a->disp_bytes = mod == 2 ? 4 : mod;
	if (!mod && base == RBP) {
		a->disp_bytes = 4;
		return;
	}
	a->offset += gpr(d, base | (d->b.rex & REX_B ? 8 : 0));
	if (!(d->b.rex & REX_B) && (base == RSP || base == RBP))
		a->seg = SEG_SS;
}

/* Returns false where the SIB byte is missing. */
static bool address32(struct decoder *d, struct address *a, int *sib)
{
	unsigned int rm = (unsigned int)MODRM_RM(d->modrm), index;

	*sib = 0;
	if (rm != RSP) {
		add_base(d, rm, a);
		a->rip_relative = d->mode64 && rm == RBP && !MODRM_MOD(d->modrm);
		return true;
	}
	*sib = insn_next(&d->b);
	if (*sib < 0)
		return false;
	index = (unsigned int)MODRM_REG(*sib) | (d->b.rex & REX_X ? 8 : 0);
	if (index != RSP && !(d->form->flags & FORM_VSIB))
		a->offset += gpr(d, index) << MODRM_MOD(*sib);
	add_base(d, (unsigned int)MODRM_RM(*sib), a);
	return true;
}

static unsigned int imm_bytes(const struct decoder *d)
{
	unsigned int reg = (unsigned int)MODRM_REG(d->modrm);

	if (d->form->flags & FORM_GROUP3 && reg > 1)
		return 0;
	if (d->form->flags & FORM_IMM8)
		return 1;
	return d->form->flags & FORM_IMMZ ? (d->op_bytes == 2 ? 2 : 4) : 0;
}

/* BT and its like take a bit number from a register, which reaches anywhere. */
static uint64_t bit_offset(const struct decoder *d)
{
	unsigned int reg = (unsigned int)MODRM_REG(d->modrm) | (d->b.rex & REX_R ? 8 : 0);
	unsigned int unused = 64 - 8 * d->op_bytes;
	int64_t bit = (int64_t)(gpr(d, reg) << unused) >> unused;

	return (uint64_t)(bit >> 3) & ~(uint64_t)(d->op_bytes - 1);
}

/* Half @high of YMM register @n; what is in its initial state is 0. */
static void read_vector(const struct guest_cpu *r, unsigned int n, bool high, void *to)
{
	uint64_t xstate_bv;

	memcpy(&xstate_bv, r->xsave + XSAVE_HEADER, sizeof(xstate_bv));
	memset(to, 0, 16);
	if (xstate_bv & (high ? 4 : 2))
		memcpy(to, r->xsave + (high ? XSAVE_YMM_HIGH : XSAVE_XMM) + 16 * n, 16);
}

static void add_gather(struct decoder *d, const struct address *a, int sib)
{
	unsigned int n = (unsigned int)MODRM_REG(sib) | (d->b.rex & REX_X ? 8 : 0);
	int32_t dword[VSIB_DWORDS];
	int64_t qword[VSIB_QWORDS];
	bool wide = d->form->flags & FORM_VSIB_QWORDS;

	read_vector(d->r, n, false, dword);
	read_vector(d->r, n, true, &dword[VSIB_DWORDS / 2]);
	memcpy(qword, dword, sizeof(qword));
	for (unsigned int i = 0; i < (wide ? VSIB_QWORDS : VSIB_DWORDS); i++) {
		int64_t index = wide ? qword[i] : dword[i];

		add(d, a->seg, a->offset + ((uint64_t)index << MODRM_MOD(sib)),
		    d->form->bytes, ACCESS_READ);
	}
}

/* What ModRM may be accessed for: some groups have both kinds. */
static unsigned int modrm_access(const struct decoder *d)
{
	unsigned int reg = (unsigned int)MODRM_REG(d->modrm);

	if (d->form->flags & FORM_GROUP5 && reg > 1)
		return ACCESS_READ;
	return d->form->flags & FORM_POP ? ACCESS_WRITE : ACCESS_READ | ACCESS_WRITE;
}

/* Returns false for an instruction that is cut off, true for a register. */
static bool add_modrm(struct decoder *d)
{
	struct address a = { .seg = SEG_DS };
	uint64_t disp;
	int sib = 0;

	d->modrm = insn_next(&d->b);
	if (d->modrm < 0)
		return false;
	if (MODRM_MOD(d->modrm) == 3)
		return true;
	if (d->addr_bytes == 2)
		address16(d, &a);
	else if (!address32(d, &a, &sib))
		return false;
	if (!read_number(d, a.disp_bytes, &disp))
		return false;
	a.offset += disp;
	a.seg = data_seg(d, a.seg);
	if (a.rip_relative)
		a.offset += d->r->rip + d->b.pos + imm_bytes(d);
	if (d->form->flags & FORM_BITS)
		a.offset += bit_offset(d);
	if (d->form->flags & FORM_VSIB)
		add_gather(d, &a, sib);
	else
		add(d, a.seg, a.offset, d->form->bytes, modrm_access(d));
	return true;
}

static bool add_moffs(struct decoder *d)
{
	uint64_t offset;

	if (!read_number(d, d->addr_bytes, &offset))
		return false;
	add(d, data_seg(d, SEG_DS), offset, d->form->bytes,
	    d->form->flags & FORM_MOFFS_TO ? ACCESS_WRITE : ACCESS_READ);
	return true;
}

static void add_implicit(struct decoder *d)
{
	unsigned int flags = d->form->flags;
	uint32_t bytes = d->form->bytes;

	if (flags & FORM_SOURCE)
		add(d, data_seg(d, SEG_DS), gpr(d, RSI), bytes, ACCESS_READ);
	if (flags & (FORM_TARGET | FORM_COMPARED))
		add(d, SEG_ES, gpr(d, RDI), bytes,
		    flags & FORM_TARGET ? ACCESS_WRITE : ACCESS_READ);
	if (flags & FORM_MASKMOV)
		add(d, data_seg(d, SEG_DS), gpr(d, RDI), bytes, ACCESS_WRITE);
	if (flags & FORM_XLAT)
		add(d, data_seg(d, SEG_DS), gpr(d, RBX) + (uint8_t)gpr(d, RAX), bytes,
		    ACCESS_READ);
}

/* The address size prefix does not change the size of a stack. */
static void add_stack(struct decoder *d)
{
	unsigned int flags = d->form->flags;
	unsigned int how = flags & FORM_PUSH ? ACCESS_WRITE : ACCESS_READ;
	uint32_t reach = flags & FORM_FRAME ? FRAME_REACH : GUEST_STACK_REACH;

	if (!(flags & (FORM_PUSH | FORM_POP | FORM_FRAME)))
		return;
	if (d->mode64)
		d->addr_bytes = 8;
	else
		d->addr_bytes = d->r->seg[SEG_SS].ar & SEG_AR_DB ? 4 : 2;
	if (flags & FORM_FRAME) {
		how = ACCESS_READ | ACCESS_WRITE;
		add(d, SEG_SS, gpr(d, RBP) - reach, 2 * reach, how);
	}
	add(d, SEG_SS, gpr(d, RSP) - reach, 2 * reach, how);
}

unsigned int guest_addr_bytes(const struct guest_cpu *r, bool addrsize)
{
	bool wide = r->seg[SEG_CS].ar & SEG_AR_DB;

	if (guest_in_64bit_mode(r))
		return addrsize ? 4 : 8;
	return wide != addrsize ? 4 : 2;
}

static void set_sizes(struct decoder *d)
{
	bool wide = d->mode64 || d->r->seg[SEG_CS].ar & SEG_AR_DB;

	d->addr_bytes = guest_addr_bytes(d->r, d->b.addrsize);
	d->op_bytes = wide != d->b.opsize ? 4 : 2;
	if (d->b.rex & REX_W)
		d->op_bytes = 8;
}

/*
 * C4 and C5 are VEX in 64-bit mode, and where they would have a register for an
 * operand that has to be memory.
 */
static bool is_vex(const struct decoder *d, int opcode)
{
	if (opcode != 0xC4 && opcode != 0xC5)
		return false;
	if (d->mode64)
		return true;
	return d->b.pos < d->b.avail && MODRM_MOD(d->b.code[d->b.pos]) == 3;
}

static const struct insn_form *vex_form(struct decoder *d, int prefix)
{
	int second = insn_next(&d->b), third = prefix == 0xC4 ? insn_next(&d->b) : 0;
	int opcode = insn_next(&d->b), map = prefix == 0xC4 ? second & 0x1F : 1;

	if (second < 0 || third < 0 || opcode < 0)
		return NULL;
	/* The bits of REX, inverted; C5 has only the first. */
	d->b.rex = (uint8_t)(~second >> 5 & (prefix == 0xC4 ? REX_R | REX_X | REX_B : REX_R));
	return insn_form_vex((unsigned int)map, (uint8_t)opcode);
}

static const struct insn_form *find_form(struct decoder *d, int opcode)
{
	unsigned int map = 0;

	if (is_vex(d, opcode))
		return vex_form(d, opcode);
	/* EVEX: TCG has no AVX-512. */
	if (d->mode64 && opcode == 0x62)
		return NULL;
	if (opcode == 0x0F) {
		opcode = insn_next(&d->b);
		map = 1;
		if (opcode == 0x38 || opcode == 0x3A) {
			map = opcode == 0x38 ? 2 : 3;
			opcode = insn_next(&d->b);
		}
	}
	return opcode < 0 ? NULL : insn_form(map, (uint8_t)opcode);
}

unsigned int guest_accesses(const struct guest_cpu *r, const uint8_t *code, size_t avail,
			    struct guest_access access[GUEST_ACCESSES_MAX])
{
	struct decoder d = { .r = r, .mode64 = guest_in_64bit_mode(r), .access = access };
	int opcode = insn_opcode(&d.b, code, avail, d.mode64);

	if (opcode < 0)
		return 0;
	set_sizes(&d);
	d.form = find_form(&d, opcode);
	if (!d.form)
		return 0;
	if (d.form->flags & FORM_MODRM && !add_modrm(&d))
		return 0;
	if (d.form->flags & (FORM_MOFFS | FORM_MOFFS_TO) && !add_moffs(&d))
		return 0;
	add_implicit(&d);
	add_stack(&d);
	return d.nr;
}
