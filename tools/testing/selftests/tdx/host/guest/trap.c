// SPDX-License-Identifier: GPL-2.0
/* Exceptions and interrupts of the guest, #VE first of all. */
#include "asm_layout.h"
#include "guest.h"

#define VECTOR_VE		20
#define MSR_X2APIC_EOI		0x80b

struct idt_entry {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_mid;
	u32 offset_high, reserved;
};

#define INTERRUPT_GATE		0x8e

struct ve_info {
	u64 reason, qualification, linear, gpa, length;
};

static struct idt_entry idt[NR_TRAPS] __aligned(16);

void traps_init(void)
{
	for (unsigned int i = 0; i < NR_TRAPS; i++) {
		u64 stub = (u64)trap_stubs + i * TRAP_STUB_SIZE;

		idt[i] = (struct idt_entry){
			.offset_low = stub,
			.selector = CODE64,
			.type = INTERRUPT_GATE,
			.offset_mid = stub >> 16,
			.offset_high = stub >> 32,
		};
	}
}

void traps_load(void)
{
	struct {
		u16 limit;
		u64 base;
	} __packed pointer = { sizeof(idt) - 1, (u64)idt };

	asm volatile("lidt %0" : : "m" (pointer));
}

static void get_ve_info(struct ve_info *ve)
{
	struct tdcall_regs regs = { 0 };

	if (tdcall(TDCALL_VEINFO_GET, &regs))
		fatal(1, "#VE without VE_INFO");
	ve->reason = regs.rcx;
	ve->qualification = regs.rdx;
	ve->linear = regs.r8;
	ve->gpa = regs.r9;
	ve->length = regs.r10 & 0xffffffff;
}

static u64 ve_cpuid(struct trap_regs *regs)
{
	struct tdcall_regs call = {
		.r11 = TDVMCALL_CPUID,
		.r12 = (u32)regs->gpr[RAX],
		.r13 = (u32)regs->gpr[RCX],
	};
	u64 status = tdvmcall(&call);

	regs->gpr[RAX] = call.r12;
	regs->gpr[RBX] = call.r13;
	regs->gpr[RCX] = call.r14;
	regs->gpr[RDX] = call.r15;
	return status;
}

static u64 ve_hlt(struct trap_regs *regs)
{
	struct tdcall_regs call = {
		.r11 = TDVMCALL_HLT,
		.r12 = !(regs->rflags & RFLAGS_IF),
	};

	return tdvmcall(&call);
}

/* Qualification: size - 1 in bits 2:0, direction in bit 3, port in bits 31:16. */
static u64 ve_io(struct trap_regs *regs, const struct ve_info *ve)
{
	u64 size = (ve->qualification & 7) + 1;
	bool in = ve->qualification & 8;
	u64 value = in ? 0 : regs->gpr[RAX] & low_mask(size);
	u64 status = vmcall_io(size, !in, ve->qualification >> 16 & 0xffff, &value);

	if (in)
		set_low(&regs->gpr[RAX], value, size);
	return status;
}

static u64 ve_rdmsr(struct trap_regs *regs)
{
	struct tdcall_regs call = {
		.r11 = TDVMCALL_RDMSR,
		.r12 = (u32)regs->gpr[RCX],
	};
	u64 status = tdvmcall(&call);

	regs->gpr[RAX] = (u32)call.r11;
	regs->gpr[RDX] = call.r11 >> 32;
	return status;
}

static u64 ve_wrmsr(struct trap_regs *regs)
{
	struct tdcall_regs call = {
		.r11 = TDVMCALL_WRMSR,
		.r12 = (u32)regs->gpr[RCX],
		.r13 = (u32)regs->gpr[RAX] | regs->gpr[RDX] << 32,
	};

	return tdvmcall(&call);
}

/* A private page that the host gave and the guest has not accepted yet. */
static void accept_page(struct vcpu *vcpu, u64 gpa)
{
	u64 pages, retries, status;

	status = accept(gpa & -TD_PAGE_SIZE, TD_PAGE_SIZE, 0, &pages, &retries);
	if (status)
		fatal_at("accept after #VE failed ", status, gpa);
	vcpu->lazy_accepts++;
}

static void ve_ept_violation(struct vcpu *vcpu, struct trap_regs *regs, u64 gpa)
{
	if (gpa & shared_bit())
		vcpu->ve_status = emulate_mmio(regs, gpa);
	else
		accept_page(vcpu, gpa);
}

/* An instruction that the host emulates. */
static u64 ve_instruction(struct trap_regs *regs, const struct ve_info *ve)
{
	switch (ve->reason) {
	case TDVMCALL_CPUID:
		return ve_cpuid(regs);
	case TDVMCALL_HLT:
		return ve_hlt(regs);
	case TDVMCALL_IO:
		return ve_io(regs, ve);
	case TDVMCALL_RDMSR:
		return ve_rdmsr(regs);
	case TDVMCALL_WRMSR:
		return ve_wrmsr(regs);
	}
	fatal_at("#VE for reason ", ve->reason, regs->rip);
}

static void handle_ve(struct trap_regs *regs)
{
	struct vcpu *vcpu = this_vcpu();
	struct ve_info ve;

	get_ve_info(&ve);
	vcpu->ve_count++;
	if (ve.reason == TDVMCALL_MMIO) {
		ve_ept_violation(vcpu, regs, ve.gpa);
		return;
	}
	vcpu->ve_status = ve_instruction(regs, &ve);
	regs->rip += ve.length;
}

void handle_trap(struct trap_regs *regs)
{
	if (regs->vector == VECTOR_VE) {
		handle_ve(regs);
	} else if (regs->vector == TD_WAKE_VECTOR) {
		this_vcpu()->interrupts++;
		asm volatile("wrmsr" : : "c" (MSR_X2APIC_EOI), "a" (0), "d" (0));
	} else {
		fatal_at("exception ", regs->vector, regs->rip);
	}
}
