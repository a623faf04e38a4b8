/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the guest payload know of each other. */
#ifndef TDX_HOST_GUEST_GUEST_H
#define TDX_HOST_GUEST_GUEST_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/types.h>
#include "mailbox.h"

#define TDCALL_VP_VMCALL	0
#define TDCALL_VP_INFO		1
#define TDCALL_RTMR_EXTEND	2
#define TDCALL_VEINFO_GET	3
#define TDCALL_MR_REPORT	4
#define TDCALL_PAGE_ACCEPT	6

#define TDCALL_STATUS(rax)	((rax) >> 32)
#define TDCALL_OPERAND_BUSY	0x80000200U

/* Sub-functions of TDG.VP.VMCALL; those below 0x10000 are VM exit reasons. */
#define TDVMCALL_CPUID		10
#define TDVMCALL_HLT		12
#define TDVMCALL_IO		30
#define TDVMCALL_RDMSR		31
#define TDVMCALL_WRMSR		32
#define TDVMCALL_MMIO		48
#define TDVMCALL_MAP_GPA	0x10001
#define TDVMCALL_FATAL_ERROR	0x10003

#define TDVMCALL_RETRY		1

/* Registers that TDCALL reads and writes; start.S and tdcall.S know the order. */
struct tdcall_regs {
	u64 rcx, rdx, rbx, rsi, rdi;
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
};

/* The stack after trap_entry.S saved everything; gpr[] is in instruction encoding order. */
struct trap_regs {
	u64 gpr[16];
	u64 vector;
	u64 error;
	u64 rip, cs, rflags, rsp, ss;
};

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

#define RFLAGS_IF		BIT_ULL(9)

static inline u64 low_mask(u64 size)
{
	return ~0UL >> (64 - size * 8);
}

/* Replace the low @size bytes as the CPU does: 32-bit writes clear the rest. */
static inline void set_low(u64 *reg, u64 value, u64 size)
{
	u64 mask = low_mask(size);
	u64 kept = size == 4 ? 0 : *reg & ~mask;

	*reg = kept | (value & mask);
}

/* tdcall.S: returns RAX */
u64 tdcall(u64 leaf, struct tdcall_regs *regs);

/* vmcall.c */
u64 tdvmcall(struct tdcall_regs *regs);
u64 vmcall_io(u64 size, u64 write, u64 port, u64 *value);
u64 vmcall_map_gpa(u64 gpa, u64 size, u64 *failed, u64 *calls);
void print(const char *text, unsigned long max);
void __noreturn fatal(u64 code, const char *text);
void __noreturn fatal_at(const char *what, u64 value, u64 rip);

/* trap.c */
extern char trap_stubs[];

void traps_init(void);
void traps_load(void);
void handle_trap(struct trap_regs *regs);

/* mmio.c */
u64 emulate_mmio(struct trap_regs *regs, u64 gpa);

/* start.S */
extern u64 pml4[512], pdpt[512];
extern char vcpu_stacks[];

/* payload.lds */
extern char __bss_start[], __bss_end[];

/* memory.c */
void paging_init(unsigned int gpaw);
void *shared_memory(u64 gpa);
u64 shared_bit(void);
u64 accept(u64 gpa, u64 size, u64 level, u64 *pages, u64 *retries);
void fill(u64 gpa, u64 size, u64 stride, u64 seed, bool shared);
u64 check(u64 gpa, u64 size, u64 stride, u64 seed, bool shared, u64 *first);

/* What the payload keeps for each vCPU. */
struct vcpu {
	struct td_mailbox *mailbox;
	u64 interrupts;
	u64 ve_count;
	u64 ve_status;
	u64 lazy_accepts;
};

/* vcpu.c */
struct vcpu *this_vcpu(void);
unsigned int vcpu_index(void);

/* measure.c */
u64 get_report(u8 *data, u8 *report);
u64 extend_rtmr(u64 index, const u8 *data);

/* command.c */
void serve(void) __noreturn;

#endif
