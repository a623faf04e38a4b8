// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCG keeps the arithmetic flags where a plugin cannot write them.  So the
 * instructions that look at the flags of a VMX instruction are executed here as
 * well.
 */
#include <string.h>

#include "execute.h"
#include "report.h"

#define GUEST_PAGE_SIZE		4096

/* How many instructions that use flags may follow one another. */
#define MAX_FLAG_USERS		8

/* May the code that follows go on without looking at the flags? */
static bool flags_can_be_ignored(enum insn_kind kind, bool failed)
{
	switch (kind) {
	/* Getting to the next instruction is the failure. */
	case INSN_VMLAUNCH:
	case INSN_VMRESUME:
		return true;
	/* What can go wrong with these is a fault. */
	case INSN_VMXON:
	case INSN_VMXOFF:
	case INSN_VMPTRST:
		return !failed;
	default:
		return false;
	}
}

static void set_byte(struct vcpu *v, const struct flag_user *user, uint8_t value)
{
	unsigned int shift = user->high_byte ? 8 : 0;
	uint64_t reg = vcpu_read(v, user->reg);

	reg &= ~(0xffull << shift);
	vcpu_write(v, user->reg, reg | (uint64_t)value << shift);
}

static void report_lost_flags(struct site *site, struct insn_flags flags,
			      uint64_t pc, const uint8_t *code)
{
	bool failed = flags.cf || flags.zf;

	if (flags_can_be_ignored(site->insn.kind, failed))
		return;
	if (atomic_exchange(&site->reported, true))
		return;
	report("the code at 0x%" PRIx64 " (%02x %02x %02x %02x) does not test CF=%d ZF=%d of the instruction at 0x%" PRIx64 " with a conditional jump or SETcc right behind it; the flags are lost",
	       pc, code[0], code[1], code[2], code[3], flags.cf, flags.zf,
	       site->pc);
}

/* The page that follows may not be mapped. */
static size_t load_code(struct vcpu *v, uint64_t pc, uint8_t code[INSN_MAX_LEN])
{
	size_t in_page = GUEST_PAGE_SIZE - pc % GUEST_PAGE_SIZE;

	memset(code, 0, INSN_MAX_LEN);
	if (vcpu_load(v, pc, code, INSN_MAX_LEN))
		return INSN_MAX_LEN;
	if (in_page < INSN_MAX_LEN && vcpu_load(v, pc, code, in_page))
		return in_page;
	return 0;
}

uint64_t flags_deliver(struct vcpu *v, struct site *site, struct insn_flags flags,
		       uint64_t pc)
{
	uint8_t code[INSN_MAX_LEN];
	struct flag_user user;
	bool used = false;
	unsigned int i;

	for (i = 0; i < MAX_FLAG_USERS; i++) {
		flag_user_decode(code, load_code(v, pc, code), &user);
		if (user.kind == FLAG_USER_NONE)
			break;
		pc += user.len;
		if (user.kind == FLAG_USER_NOP)
			continue;
		used = true;
		if (user.kind == FLAG_USER_SETCC)
			set_byte(v, &user, flag_cond_holds(user.cond, flags));
		else if (flag_cond_holds(user.cond, flags))
			return pc + (uint64_t)user.disp;
	}
	if (!used)
		report_lost_flags(site, flags, pc, code);
	return pc;
}
