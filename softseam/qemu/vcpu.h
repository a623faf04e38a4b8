/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One virtual CPU of QEMU: its registers, the memory it sees, its control flow,
 * and the state that softseam adds to it.  Only the thread of that CPU touches
 * a struct vcpu.
 */
#ifndef SOFTSEAM_VCPU_H
#define SOFTSEAM_VCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin_api.h"
#include "decode.h"
#include "tlb.h"

struct site;

/* General registers come first, numbered as in ModRM. */
enum vcpu_reg {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
	REG_CS, REG_FS_BASE, REG_GS_BASE, REG_CR0, REG_CR3, REG_CR4, REG_EFER,
	REG_EFLAGS, REG_RIP,
	REG_COUNT,
};

#define REG_GPRS	16
#define NR_XMM_REGS	16
#define XMM_BYTES	16

#define CR4_VMXE	(1ull << 13)
#define EFER_LMA	(1ull << 10)
#define NO_VMCS		(~0ull)

/* A page fault being raised: see vcpu_raise_pf(). */
struct vcpu_fault {
	bool active;
	uint64_t va;
	/* Where the guest shall believe it happened. */
	uint64_t pc;
};

/* A CPUID whose result is still to be changed: see cpuid.c. */
struct vcpu_cpuid {
	bool active;
	uint64_t next_pc;
	uint32_t leaf, subleaf;
	/* RAX of CONTROL_LEAF, see control.h. */
	uint64_t answer;
};

/* The registers that linear addresses are translated by. */
struct vcpu_paging {
	uint64_t cr0, cr3, cr4, efer;
};

/* Running a TD, or about to: see run_td.c. */
struct vcpu_td {
	/* The SEAMCALL in progress; NULL: the host runs. */
	struct site *site;
	/* The host's registers, at that SEAMCALL. */
	uint64_t gpr[REG_GPRS], cr3, efer, eflags;
	/* Translations, and whose they are; an id of 0 is nobody's. */
	struct tlb tlb;
	uint64_t tlb_id, tlb_epoch;
	/* As the guest left them when it stopped last. */
	struct vcpu_paging paging;
};

struct vcpu {
	unsigned int index;
	/* Opaque; NULL is one of them. */
	struct qemu_plugin_register *handle[REG_COUNT];
	struct qemu_plugin_register *xmm[NR_XMM_REGS];
	/* Scratch space for the plugin interface: a callback may not return. */
	GByteArray *buf;
	/* The power-on of the machine that the state below belongs to. */
	unsigned int power_on;

	/* CR4.VMXE, which TCG does not let a guest set. */
	bool vmxe;
	/* In VMX operation, with the VMXON region at vmxon_pa. */
	bool vmxon;
	uint64_t vmxon_pa;
	uint64_t vmcs_pa;

	/* IA32_TSC_ADJUST, as far as the guest has written it. */
	uint64_t tsc_adjust;

	struct vcpu_fault fault;
	struct vcpu_cpuid cpuid;
	struct vcpu_td td;

	/* The page that was translated last: see vcpu_translate(). */
	struct {
		bool valid;
		uint64_t va, pa;
	} page;

	/* Function that made the SEAMCALL in progress, or NULL. */
	const char *caller;

	/* Where in TCG's code the callback that runs was called; NULL: not from there. */
	const void *called_from;
};

/* Finds the registers of the vCPU whose thread calls.  Exits on failure. */
struct vcpu *vcpu_new(unsigned int index);
/* Forget all that softseam added: what a reset does. */
void vcpu_reset(struct vcpu *v);

uint64_t vcpu_read(struct vcpu *v, enum vcpu_reg reg);
/* The low half, as EAX is of RAX. */
uint32_t vcpu_read32(struct vcpu *v, enum vcpu_reg reg);
void vcpu_write(struct vcpu *v, enum vcpu_reg reg, uint64_t value);
void vcpu_read_xmm(struct vcpu *v, unsigned int n, uint8_t value[XMM_BYTES]);
void vcpu_write_xmm(struct vcpu *v, unsigned int n, const uint8_t value[XMM_BYTES]);
bool vcpu_in_long_mode(struct vcpu *v);
/* Long mode at privilege level 0: the only place where softseam takes over. */
bool vcpu_in_kernel(struct vcpu *v);

/*
 * Physical address of @va.  Once translated, a page is taken to stay where it is
 * until another page or its first line is asked for.
 */
bool vcpu_translate(struct vcpu *v, uint64_t va, uint64_t *pa);
bool vcpu_load(struct vcpu *v, uint64_t va, void *dst, size_t len);
bool vcpu_store(struct vcpu *v, uint64_t va, const void *src, size_t len);
/* Linear address of a memory operand; @next_pc is where the instruction ends. */
uint64_t vcpu_effective_address(struct vcpu *v, const struct insn_mem *mem,
				uint64_t next_pc);

/* Continue at @pc.  Nothing may be locked, as these do not return. */
void vcpu_jump(struct vcpu *v, uint64_t pc) __attribute__((noreturn));
/* Raise #GP(0) as if by the instruction at @pc. */
void vcpu_raise_gp(struct vcpu *v, uint64_t pc) __attribute__((noreturn));
/*
 * Raise #PF for the unmapped @va by the instruction at @pc.  The error code calls
 * it a fetch, whatever it was.
 */
void vcpu_raise_pf(struct vcpu *v, uint64_t pc, uint64_t va)
	__attribute__((noreturn));
/* To be called when QEMU is about to deliver an exception that @from_pc had. */
void vcpu_exception(struct vcpu *v, uint64_t from_pc);

#endif
