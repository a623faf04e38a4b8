// SPDX-License-Identifier: GPL-2.0
/* Turns a MOV to or from shared memory without backing into TDG.VP.VMCALL<MMIO>. */
#include "guest.h"

struct mov {
	unsigned int size;
	unsigned int reg;
	bool write;
};

/*
 * MOV between a register and memory, with a 66h or REX prefix.  That is all that
 * the payload uses for device registers.
 */
static bool decode_mov(const u8 *insn, struct mov *mov)
{
	bool word = false, byte;
	u8 rex = 0;

	if (*insn == 0x66) {
		word = true;
		insn++;
	}
	if ((*insn & 0xf0) == 0x40)
		rex = *insn++;
	if (*insn < 0x88 || *insn > 0x8b)
		return false;

	byte = !(*insn & 1);
	mov->write = !(*insn & 2);
	mov->reg = (insn[1] >> 3 & 7) | (rex & 4) << 1;
	if (byte)
		mov->size = 1;
	else if (rex & 8)
		mov->size = 8;
	else
		mov->size = word ? 2 : 4;

	/* AH, CH, DH and BH. */
	return !(byte && !rex && mov->reg >= 4);
}

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
	return status;
}
