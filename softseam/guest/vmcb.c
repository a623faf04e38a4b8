// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "vmcb.h"

#define EFER_SVME		(1ULL << 12)

#define ATTRIBUTES_DPL		0x60U
#define ATTRIBUTES_PRESENT	0x80U

#define INT_TPR			0xFU
#define INT_IRQ			(1U << 8)
#define INT_PRIORITY_SHIFT	16
#define INT_MASKING		(1U << 24)

#define EVENT_TYPE_SHIFT	8
#define EVENT_HAS_ERROR		(1U << 11)
#define EVENT_VALID		(1U << 31)

#define INTERRUPT_SHADOW	1U
#define NESTED_PAGING		1U

#define NPF_WRITE		(1ULL << 1)
#define NPF_FETCH		(1ULL << 4)
#define NPF_PAGE_TABLE		(1ULL << 33)

#define IO_IN			(1U << 0)
#define IO_STRING		(1U << 2)
#define IO_REP			(1U << 3)
#define IO_BYTES_SHIFT		4
#define IO_PORT_SHIFT		16

#define EXCEPTION_UD		6

enum vmexit {
	VMEXIT_WRITE_CR0	= 0x10,
	VMEXIT_WRITE_CR4	= 0x14,
	VMEXIT_WRITE_CR8	= 0x18,
	VMEXIT_EXCEPTION	= 0x40,
	VMEXIT_INTR		= 0x60,
	VMEXIT_NMI		= 0x61,
	VMEXIT_SMI		= 0x62,
	VMEXIT_INIT		= 0x63,
	VMEXIT_VINTR		= 0x64,
	VMEXIT_CR0_SELECTIVE	= 0x65,
	VMEXIT_RDTSC		= 0x6E,
	VMEXIT_RDPMC		= 0x6F,
	VMEXIT_CPUID		= 0x72,
	VMEXIT_IRET		= 0x74,
	VMEXIT_INVD		= 0x76,
	VMEXIT_HLT		= 0x78,
	VMEXIT_INVLPGA		= 0x7A,
	VMEXIT_IO		= 0x7B,
	VMEXIT_MSR		= 0x7C,
	VMEXIT_SHUTDOWN		= 0x7F,
	VMEXIT_VMRUN		= 0x80,
	VMEXIT_VMMCALL		= 0x81,
	VMEXIT_VMLOAD		= 0x82,
	VMEXIT_VMSAVE		= 0x83,
	VMEXIT_STGI		= 0x84,
	VMEXIT_CLGI		= 0x85,
	VMEXIT_SKINIT		= 0x86,
	VMEXIT_RDTSCP		= 0x87,
	VMEXIT_WBINVD		= 0x89,
	VMEXIT_MONITOR		= 0x8A,
	VMEXIT_MWAIT		= 0x8B,
	VMEXIT_NPF		= 0x400,
};

/* What each exit is to the model. */
static const struct {
	uint16_t code;
	enum guest_stop why;
} exits[] = {
	{ VMEXIT_INTR,		GUEST_STOP_HOST_EVENT },
	{ VMEXIT_NMI,		GUEST_STOP_HOST_EVENT },
	{ VMEXIT_SMI,		GUEST_STOP_HOST_EVENT },
	{ VMEXIT_INIT,		GUEST_STOP_INIT },
	{ VMEXIT_CR0_SELECTIVE,	GUEST_STOP_CR },
	{ VMEXIT_RDTSC,		GUEST_STOP_RDTSC },
	{ VMEXIT_RDTSCP,	GUEST_STOP_RDTSC },
	{ VMEXIT_RDPMC,		GUEST_STOP_RDPMC },
	{ VMEXIT_CPUID,		GUEST_STOP_CPUID },
	{ VMEXIT_INVD,		GUEST_STOP_CACHE },
	{ VMEXIT_WBINVD,	GUEST_STOP_CACHE },
	{ VMEXIT_HLT,		GUEST_STOP_HLT },
	{ VMEXIT_IO,		GUEST_STOP_IO },
	{ VMEXIT_MSR,		GUEST_STOP_MSR },
	{ VMEXIT_SHUTDOWN,	GUEST_STOP_TRIPLE_FAULT },
	{ VMEXIT_MONITOR,	GUEST_STOP_MONITOR },
	{ VMEXIT_MWAIT,		GUEST_STOP_MONITOR },
	/* Instructions that the CPU we show does not have. */
	{ VMEXIT_INVLPGA,	GUEST_STOP_UNDEFINED },
	{ VMEXIT_VMRUN,		GUEST_STOP_UNDEFINED },
	{ VMEXIT_VMMCALL,	GUEST_STOP_UNDEFINED },
	{ VMEXIT_VMLOAD,	GUEST_STOP_UNDEFINED },
	{ VMEXIT_VMSAVE,	GUEST_STOP_UNDEFINED },
	{ VMEXIT_STGI,		GUEST_STOP_UNDEFINED },
	{ VMEXIT_CLGI,		GUEST_STOP_UNDEFINED },
	{ VMEXIT_SKINIT,	GUEST_STOP_UNDEFINED },
};

#define NR_EXITS	(sizeof(exits) / sizeof(exits[0]))

/* MSRs that VMLOAD and VMSAVE give each guest. */
static const uint32_t own_msrs[] = {
	0x174, 0x175, 0x176,
	0xC0000081, 0xC0000082, 0xC0000083, 0xC0000084,
	0xC0000100, 0xC0000101, 0xC0000102,
};

/* The world switch loads it, so that the guest may read it, but not write. */
#define MSR_TSC_AUX		0xC0000103
#define MSRPM_READ		1U
#define MSRPM_WRITE		2U

/* Two bits an MSR; those from C0000000h on are in the second 2K. */
static void permit(uint8_t msrpm[MSRPM_BYTES], uint32_t msr, unsigned int access)
{
	uint32_t n = msr & 0x1FFF;
	uint32_t at = msr >> 31 ? 2048 : 0;

	msrpm[at + n / 4] &= (uint8_t)~(access << n % 4 * 2);
}

void vmcb_init_permissions(uint8_t iopm[IOPM_BYTES], uint8_t msrpm[MSRPM_BYTES])
{
	memset(iopm, 0xFF, IOPM_BYTES);
	memset(msrpm, 0xFF, MSRPM_BYTES);

	for (size_t i = 0; i < sizeof(own_msrs) / sizeof(own_msrs[0]); i++)
		permit(msrpm, own_msrs[i], MSRPM_READ | MSRPM_WRITE);
	permit(msrpm, MSR_TSC_AUX, MSRPM_READ);
}

static uint64_t exit_bit(enum vmexit code)
{
	return 1ULL << (code - VMEXIT_INTR);
}

static uint64_t intercepts(const struct guest_run *run)
{
	uint64_t bits = exit_bit(VMEXIT_VINTR);

	for (size_t i = 0; i < NR_EXITS; i++)
		bits |= exit_bit(exits[i].code);
	if (run->stop_at_iret)
		bits |= exit_bit(VMEXIT_IRET);
	return bits;
}

static struct vmcb_segment load_segment(const struct guest_segment *s)
{
	struct vmcb_segment v = { s->selector, 0, s->limit, s->base };

	/* Bits 11:8 of a VMCS's access rights do not exist here. */
	v.attributes = (uint16_t)((s->ar & 0xFF) | (s->ar >> 4 & 0xF00));
	if (s->ar & SEG_AR_UNUSABLE)
		v.attributes &= ATTRIBUTES_DPL;
	return v;
}

static struct guest_segment save_segment(const struct vmcb_segment *v)
{
	struct guest_segment s = {
		.selector = v->selector,
		.ar = (v->attributes & 0xFFU) | (v->attributes & 0xF00U) << 4,
		.limit = v->limit,
		.base = v->base,
	};

	if (!(v->attributes & ATTRIBUTES_PRESENT))
		s.ar |= SEG_AR_UNUSABLE;
	return s;
}

static void load_segments(struct vmcb_save *save, const struct guest_cpu *cpu)
{
	save->es = load_segment(&cpu->seg[SEG_ES]);
	save->cs = load_segment(&cpu->seg[SEG_CS]);
	save->ss = load_segment(&cpu->seg[SEG_SS]);
	save->ds = load_segment(&cpu->seg[SEG_DS]);
	save->fs = load_segment(&cpu->seg[SEG_FS]);
	save->gs = load_segment(&cpu->seg[SEG_GS]);
	save->ldtr = load_segment(&cpu->ldtr);
	save->tr = load_segment(&cpu->tr);
	save->gdtr = (struct vmcb_segment){ .limit = cpu->gdtr.limit, .base = cpu->gdtr.base };
	save->idtr = (struct vmcb_segment){ .limit = cpu->idtr.limit, .base = cpu->idtr.base };
	save->cpl = (uint8_t)(cpu->seg[SEG_SS].ar >> SEG_AR_DPL_SHIFT & 3);
}

static void save_segments(const struct vmcb_save *save, struct guest_cpu *cpu)
{
	cpu->seg[SEG_ES] = save_segment(&save->es);
	cpu->seg[SEG_CS] = save_segment(&save->cs);
	cpu->seg[SEG_SS] = save_segment(&save->ss);
	cpu->seg[SEG_DS] = save_segment(&save->ds);
	cpu->seg[SEG_FS] = save_segment(&save->fs);
	cpu->seg[SEG_GS] = save_segment(&save->gs);
	cpu->ldtr = save_segment(&save->ldtr);
	cpu->tr = save_segment(&save->tr);
	cpu->gdtr = (struct guest_table){ save->gdtr.base, save->gdtr.limit };
	cpu->idtr = (struct guest_table){ save->idtr.base, save->idtr.limit };
	/* CPL is the DPL of SS, which a null selector leaves unusable. */
	cpu->seg[SEG_SS].ar &= ~(3U << SEG_AR_DPL_SHIFT);
	cpu->seg[SEG_SS].ar |= (uint32_t)(save->cpl & 3) << SEG_AR_DPL_SHIFT;
}

/*
 * TCG loses CR0.PG of the host at VMEXIT when the guest has EFER.LME set and
 * CR4.PAE clear.  LME does nothing while paging is off, so it is left out; the
 * model hears of CR0.PG and sets LMA then.
 */
static uint64_t load_efer(const struct guest_cpu *cpu)
{
	uint64_t efer = cpu->efer | EFER_SVME;

	return cpu->cr0 & CR0_PG ? efer : efer & ~(EFER_LONG | EFER_LONG_ACTIVE);
}

static uint64_t save_efer(const struct vmcb_save *save, uint64_t before)
{
	uint64_t efer = save->efer & ~EFER_SVME;

	return save->cr0 & CR0_PG ? efer : efer | (before & EFER_LONG);
}

/*
 * TCG has no PCIDs and takes CR4.PCIDE for a reserved bit.  Writes of CR4 stop the
 * guest, so the bit is as it was left there.
 */
static void load_registers(struct vmcb_save *save, const struct guest_cpu *cpu)
{
	load_segments(save, cpu);
	save->efer = load_efer(cpu);
	save->cr0 = cpu->cr0;
	save->cr2 = cpu->cr2;
	save->cr3 = cpu->cr3;
	save->cr4 = cpu->cr4 & ~CR4_PCIDE;
	save->dr6 = cpu->dr6;
	save->dr7 = cpu->dr7;
	save->rflags = cpu->rflags;
	save->rip = cpu->rip;
	save->rsp = cpu->rsp;
	save->rax = cpu->gpr.rax;
	save->star = cpu->star;
	save->lstar = cpu->lstar;
	save->cstar = cpu->cstar;
	save->fmask = cpu->fmask;
	save->kernel_gs_base = cpu->kernel_gs_base;
	save->sysenter_cs = cpu->sysenter_cs;
	save->sysenter_esp = cpu->sysenter_esp;
	save->sysenter_eip = cpu->sysenter_eip;
}

static void save_registers(const struct vmcb_save *save, struct guest_cpu *cpu)
{
	save_segments(save, cpu);
	cpu->efer = save_efer(save, cpu->efer);
	cpu->cr0 = save->cr0;
	cpu->cr2 = save->cr2;
	cpu->cr3 = save->cr3;
	cpu->cr4 = save->cr4 | (cpu->cr4 & CR4_PCIDE);
	cpu->dr6 = save->dr6;
	cpu->dr7 = save->dr7;
	cpu->rflags = save->rflags;
	cpu->rip = save->rip;
	cpu->rsp = save->rsp;
	cpu->gpr.rax = save->rax;
	cpu->star = save->star;
	cpu->lstar = save->lstar;
	cpu->cstar = save->cstar;
	cpu->fmask = save->fmask;
	cpu->kernel_gs_base = save->kernel_gs_base;
	cpu->sysenter_cs = save->sysenter_cs;
	cpu->sysenter_esp = save->sysenter_esp;
	cpu->sysenter_eip = save->sysenter_eip;
}

static uint32_t load_event(const struct guest_event *e)
{
	if (!e->valid)
		return 0;
	return EVENT_VALID | (uint32_t)e->type << EVENT_TYPE_SHIFT | e->vector |
	       (e->has_error ? EVENT_HAS_ERROR : 0);
}

/*
 * INT n, INT3 and INTO have not moved the instruction pointer yet, and TCG takes
 * it as the return address of a software event that VMRUN injects: the guest would
 * return to the instruction and have the event again.  So nothing of the event is
 * kept, and the instruction is executed once more.
 */
static struct guest_event save_event(uint32_t info, uint32_t error)
{
	struct guest_event e = {
		.valid = info & EVENT_VALID,
		.vector = (uint8_t)info,
		.type = (enum guest_event_type)(info >> EVENT_TYPE_SHIFT & 7),
		.has_error = info & EVENT_HAS_ERROR,
		.error = error,
	};

	if (!e.valid || e.type == GUEST_EVENT_SOFTWARE)
		return (struct guest_event){ .valid = false };
	return e;
}

/*
 * A virtual interrupt is only ever pending so that the guest stops where it
 * could take one: which it takes is the model's to say.
 */
static uint32_t load_interrupt_control(const struct guest_run *run)
{
	uint32_t control = INT_MASKING | ((uint32_t)run->cpu.cr8 & INT_TPR);

	if (run->interrupt_class)
		control |= INT_IRQ | run->interrupt_class << INT_PRIORITY_SHIFT;
	return control;
}

void vmcb_load(struct vmcb *vmcb, const struct guest_run *run, const struct vmcb_tables *tables)
{
	uint64_t stops = intercepts(run);

	vmcb->control = (struct vmcb_control){
		.intercept_cr_write = 1U << 4 | 1U << 8,
		.intercept_exceptions = 1U << EXCEPTION_UD,
		.intercepts = { (uint32_t)stops, (uint32_t)(stops >> 32) },
		.iopm = tables->iopm,
		.msrpm = tables->msrpm,
		.asid = 1,
		.int_control = load_interrupt_control(run),
		.int_shadow = run->cpu.interrupt_shadow ? INTERRUPT_SHADOW : 0,
		.nested_paging = NESTED_PAGING,
		.nested_cr3 = tables->nested_cr3,
		.event = load_event(&run->inject),
		.event_error = run->inject.error,
	};
	load_registers(&vmcb->save, &run->cpu);
}

static void save_io(const struct vmcb_control *control, struct guest_exit *exit)
{
	uint32_t info = (uint32_t)control->exit_info1;

	exit->port = (uint16_t)(info >> IO_PORT_SHIFT);
	exit->io_bytes = info >> IO_BYTES_SHIFT & 7;
	exit->io_in = info & IO_IN;
	exit->io_string = info & IO_STRING;
	exit->io_rep = info & IO_REP;
}

/* TCG calls every access to a page table a write, to be able to mark it used. */
static void save_memory(const struct vmcb_control *control, struct guest_exit *exit)
{
	exit->gpa = control->exit_info2;
	exit->fetch = control->exit_info1 & NPF_FETCH;
	exit->write = control->exit_info1 & NPF_WRITE;
	exit->page_table = control->exit_info1 & NPF_PAGE_TABLE;
	exit->read = (!exit->write && !exit->fetch) || exit->page_table;
}

static void save_other(const struct vmcb_control *control, struct guest_exit *exit)
{
	exit->why = GUEST_STOP_BAD_STATE;
	for (size_t i = 0; i < NR_EXITS; i++) {
		if (exits[i].code == control->exit_code)
			exit->why = exits[i].why;
	}
	if (exit->why == GUEST_STOP_IO)
		save_io(control, exit);
}

static void save_exit(const struct vmcb_control *control, struct guest_exit *exit)
{
	*exit = (struct guest_exit){
		.vectoring = save_event(control->exit_int_info, control->exit_int_error),
	};

	switch (control->exit_code) {
	case VMEXIT_NPF:
		exit->why = GUEST_STOP_MEMORY;
		save_memory(control, exit);
		break;
	case VMEXIT_WRITE_CR4:
	case VMEXIT_WRITE_CR8:
		exit->why = GUEST_STOP_CR;
		exit->cr = (unsigned int)(control->exit_code - VMEXIT_WRITE_CR0);
		break;
	case VMEXIT_EXCEPTION + EXCEPTION_UD:
		exit->why = GUEST_STOP_UNDEFINED;
		break;
	case VMEXIT_VINTR:
		exit->why = GUEST_STOP_INTERRUPT_WINDOW;
		break;
	case VMEXIT_IRET:
		exit->why = GUEST_STOP_IRET;
		break;
	default:
		save_other(control, exit);
	}
}

void vmcb_save(const struct vmcb *vmcb, struct guest_cpu *cpu, struct guest_exit *exit)
{
	save_registers(&vmcb->save, cpu);
	cpu->interrupt_shadow = vmcb->control.int_shadow & INTERRUPT_SHADOW;
	save_exit(&vmcb->control, exit);
}
