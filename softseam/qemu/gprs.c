// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>

#include "gprs.h"

static const size_t offset_of[REG_GPRS] = {
	[REG_RAX] = offsetof(struct seam_regs, rax), [REG_RCX] = offsetof(struct seam_regs, rcx),
	[REG_RDX] = offsetof(struct seam_regs, rdx), [REG_RBX] = offsetof(struct seam_regs, rbx),
	[REG_RBP] = offsetof(struct seam_regs, rbp), [REG_RSI] = offsetof(struct seam_regs, rsi),
	[REG_RDI] = offsetof(struct seam_regs, rdi), [REG_R8] = offsetof(struct seam_regs, r8),
	[REG_R9] = offsetof(struct seam_regs, r9), [REG_R10] = offsetof(struct seam_regs, r10),
	[REG_R11] = offsetof(struct seam_regs, r11), [REG_R12] = offsetof(struct seam_regs, r12),
	[REG_R13] = offsetof(struct seam_regs, r13), [REG_R14] = offsetof(struct seam_regs, r14),
	[REG_R15] = offsetof(struct seam_regs, r15),
};

static uint64_t *slot(struct seam_regs *regs, unsigned int nr)
{
	return (uint64_t *)((char *)regs + offset_of[nr]);
}

static uint64_t value_of(const struct seam_regs *regs, unsigned int nr)
{
	return *(const uint64_t *)((const char *)regs + offset_of[nr]);
}

void gprs_read(struct vcpu *v, struct seam_regs *regs, unsigned int set)
{
	unsigned int nr;

	for (nr = 0; nr < REG_GPRS; nr++)
		if (set & GPRS_ALL & 1u << nr)
			*slot(regs, nr) = vcpu_read(v, nr);
}

void gprs_write(struct vcpu *v, const struct seam_regs *regs, unsigned int set)
{
	unsigned int nr;

	for (nr = 0; nr < REG_GPRS; nr++)
		if (set & GPRS_ALL & 1u << nr)
			vcpu_write(v, nr, value_of(regs, nr));
}

unsigned int gprs_changed(const struct seam_regs *before, const struct seam_regs *after)
{
	unsigned int nr, set = 0;

	for (nr = 0; nr < REG_GPRS; nr++)
		if (nr != REG_RSP && value_of(before, nr) != value_of(after, nr))
			set |= 1u << nr;
	return set;
}
