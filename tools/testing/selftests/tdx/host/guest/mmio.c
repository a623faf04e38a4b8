// SPDX-License-Identifier: GPL-2.0
/* Turns a MOV to or from shared memory without backing into TDG.VP.VMCALL<MMIO>. */
#include "guest.h"

struct mov {
	unsigned int size;
	unsigned int reg;
	unsigned int length;
	bool write;
};

/* Length of ModRM with all that belongs to it; 0 if it names no memory. */
static unsigned int modrm_length(const u8 *modrm)
{
	unsigned int mod = *modrm >> 6, rm = *modrm & 7;
	unsigned int sib = rm == 4;

	switch (mod) {
	case 0:
		if (rm == 5 || (sib && (modrm[1] & 7) == 5))
			return 1 + sib + 4;
		return 1 + sib;
	case 1:
		return 1 + sib + 1;
	case 2:
		return 1 + sib + 4;
	}
	return 0;
}

/*
 * MOV between a register and memory, with a 66h or REX prefix.  That is all that
 * the payload uses for device registers.
 */
static bool decode_mov(const u8 *start, struct mov *mov)
{
	const u8 *insn = start;
	bool word = false, byte;
	unsigned int operand;
	u8 rex = 0;

	if (*insn == 0x66) {
		word = true;
		insn++;
	}
	if ((*insn & 0xf0) == 0x40)
		rex = *insn++;
	if (*insn < 0x88 || *insn > 0x8b)
		return false;
	operand = modrm_length(insn + 1);

	byte = !(*insn & 1);
	mov->write = !(*insn & 2);
	mov->reg = (insn[1] >> 3 & 7) | (rex & 4) << 1;
	mov->length = insn + 1 + operand - start;
	if (byte)
		mov->size = 1;
	else if (rex & 8)
		mov->size = 8;
	else
		mov->size = word ? 2 : 4;

	/* Not AH, CH, DH and BH. */
	return operand && !(byte && !rex && mov->reg >= 4);
}

/* VE_INFO has no instruction length for EPT violations. */
u64 emulate_mmio(struct trap_regs *regs, u64 gpa)
{
	struct tdcall_regs call = { .r11 = TDVMCALL_MMIO, .r14 = gpa };
	struct mov mov;
	u64 status;

	if (!decode_mov((const u8 *)regs->rip, &mov))
		fatal_at("MMIO by unknown code ", gpa, regs->rip);

	call.r12 = mov.size;
	call.r13 = mov.write;
	if (mov.write)
		call.r15 = regs->gpr[mov.reg] & low_mask(mov.size);
	status = tdvmcall(&call);
	if (!mov.write)
		set_low(&regs->gpr[mov.reg], call.r11, mov.size);
	regs->rip += mov.length;
	return status;
}
