// SPDX-License-Identifier: GPL-2.0
/* Serves the commands that the host writes into the vCPU's mailbox. */
#include "guest.h"
#include "insn.h"

#define MSR_X2APIC_SVR		0x80f
#define SVR_ENABLE		0x100
#define SVR_SPURIOUS_VECTOR	0x3f

typedef void (*command_fn)(struct td_mailbox *mb);

static void cmd_info(struct td_mailbox *mb)
{
	struct tdcall_regs regs = { 0 };
	u64 status = tdcall(TDCALL_VP_INFO, &regs);

	if (status)
		fatal_at("TDG.VP.INFO failed ", status, 0);
	mb->result[0] = regs.rcx & 0x3f;
	mb->result[1] = regs.rdx;
	mb->result[2] = regs.r8;
	mb->result[3] = regs.r9 & 0xffffffff;
}

static void cmd_print(struct td_mailbox *mb)
{
	print((const char *)mb->data, sizeof(mb->data));
}

static void cmd_accept(struct td_mailbox *mb)
{
	u64 pages, retries;

	mb->result[1] = accept(mb->arg[0], mb->arg[1], mb->arg[2], &pages, &retries);
	mb->result[0] = pages;
	mb->result[2] = retries;
}

static void cmd_fill(struct td_mailbox *mb)
{
	fill(mb->arg[0], mb->arg[1], mb->arg[2], mb->arg[3], mb->arg[4]);
}

static void cmd_check(struct td_mailbox *mb)
{
	u64 first;

	mb->result[0] = check(mb->arg[0], mb->arg[1], mb->arg[2], mb->arg[3], mb->arg[4],
			      &first);
	mb->result[1] = first;
}

static void cmd_map_gpa(struct td_mailbox *mb)
{
	u64 gpa = mb->arg[0] | (mb->arg[2] ? shared_bit() : 0);
	u64 failed, calls;

	mb->result[0] = vmcall_map_gpa(gpa, mb->arg[1], &failed, &calls);
	mb->result[1] = failed;
	mb->result[2] = calls;
}

static void cmd_report(struct td_mailbox *mb)
{
	mb->result[0] = get_report(mb->data, mb->data);
}

static void cmd_rtmr_extend(struct td_mailbox *mb)
{
	mb->result[0] = extend_rtmr(mb->arg[0], mb->data);
}

static void cmd_cpuid(struct td_mailbox *mb)
{
	u32 out[4];

	insn_cpuid(mb->arg[0], mb->arg[1], out);
	for (int i = 0; i < 4; i++)
		mb->result[i] = out[i];
}

static void cmd_rdmsr(struct td_mailbox *mb)
{
	mb->result[0] = insn_rdmsr(mb->arg[0]);
}

static void cmd_wrmsr(struct td_mailbox *mb)
{
	insn_wrmsr(mb->arg[0], mb->arg[1]);
}

static void cmd_in(struct td_mailbox *mb)
{
	mb->result[0] = insn_in(mb->arg[0], mb->arg[1]);
}

static void cmd_out(struct td_mailbox *mb)
{
	insn_out(mb->arg[0], mb->arg[1], mb->arg[2]);
}

static void cmd_mmio_read(struct td_mailbox *mb)
{
	mb->result[0] = insn_mmio_read(shared_memory(mb->arg[0]), mb->arg[1]);
}

static void cmd_mmio_write(struct td_mailbox *mb)
{
	insn_mmio_write(shared_memory(mb->arg[0]), mb->arg[1], mb->arg[2]);
}

/* KVM delivers nothing to a local APIC that software has not enabled. */
static void cmd_halt(struct td_mailbox *mb)
{
	struct vcpu *vcpu = this_vcpu();
	u64 before = __atomic_load_n(&vcpu->interrupts, __ATOMIC_RELAXED);

	insn_wrmsr(MSR_X2APIC_SVR, SVR_ENABLE | SVR_SPURIOUS_VECTOR);
	while (__atomic_load_n(&vcpu->interrupts, __ATOMIC_RELAXED) == before)
		insn_halt();
	mb->result[0] = vcpu->interrupts;
}

static void cmd_spin(struct td_mailbox *mb)
{
	u64 count = 0;

	while (!__atomic_load_n(&mb->stop, __ATOMIC_ACQUIRE)) {
		__atomic_store_n(&mb->progress, ++count, __ATOMIC_RELAXED);
		asm volatile("pause");
	}
	mb->result[0] = count;
}

static void cmd_tdcall(struct td_mailbox *mb)
{
	struct tdcall_regs regs = {
		.rcx = mb->arg[1],
		.rdx = mb->arg[2],
		.r8 = mb->arg[3],
		.r9 = mb->arg[4],
	};

	mb->result[0] = tdcall(mb->arg[0], &regs);
	mb->result[1] = regs.rcx;
	mb->result[2] = regs.rdx;
	mb->result[3] = regs.r8;
	mb->result[4] = regs.r9;
	mb->result[5] = regs.r10;
}

static void cmd_tdvmcall(struct td_mailbox *mb)
{
	struct tdcall_regs regs = {
		.r10 = mb->arg[0],
		.r11 = mb->arg[1],
		.r12 = mb->arg[2],
		.r13 = mb->arg[3],
		.r14 = mb->arg[4],
		.r15 = mb->arg[5],
	};

	mb->result[0] = tdvmcall(&regs);
	mb->result[1] = regs.r11;
	mb->result[2] = regs.r12;
	mb->result[3] = regs.r13;
	mb->result[4] = regs.r14;
	mb->result[5] = regs.r15;
}

static void cmd_read(struct td_mailbox *mb)
{
	mb->result[0] = __atomic_load_n((u64 *)mb->arg[0], __ATOMIC_RELAXED);
}

static void cmd_fatal(struct td_mailbox *mb)
{
	fatal(mb->arg[0], (const char *)mb->data);
}

static void cmd_triple_fault(struct td_mailbox *mb)
{
	insn_triple_fault();
	mb->result[0] = 0;
}

static const command_fn commands[TD_NR_COMMANDS] = {
	[TD_CMD_INFO] = cmd_info,
	[TD_CMD_PRINT] = cmd_print,
	[TD_CMD_ACCEPT] = cmd_accept,
	[TD_CMD_FILL] = cmd_fill,
	[TD_CMD_CHECK] = cmd_check,
	[TD_CMD_MAP_GPA] = cmd_map_gpa,
	[TD_CMD_REPORT] = cmd_report,
	[TD_CMD_RTMR_EXTEND] = cmd_rtmr_extend,
	[TD_CMD_CPUID] = cmd_cpuid,
	[TD_CMD_RDMSR] = cmd_rdmsr,
	[TD_CMD_WRMSR] = cmd_wrmsr,
	[TD_CMD_IN] = cmd_in,
	[TD_CMD_OUT] = cmd_out,
	[TD_CMD_MMIO_READ] = cmd_mmio_read,
	[TD_CMD_MMIO_WRITE] = cmd_mmio_write,
	[TD_CMD_HALT] = cmd_halt,
	[TD_CMD_SPIN] = cmd_spin,
	[TD_CMD_TDCALL] = cmd_tdcall,
	[TD_CMD_TDVMCALL] = cmd_tdvmcall,
	[TD_CMD_READ] = cmd_read,
	[TD_CMD_FATAL] = cmd_fatal,
	[TD_CMD_TRIPLE_FAULT] = cmd_triple_fault,
};

static void ring_doorbell(struct vcpu *vcpu, u64 command)
{
	struct td_mailbox *mb = vcpu->mailbox;

	mb->ve_count = vcpu->ve_count;
	mb->ve_status = vcpu->ve_status;
	mb->lazy_accepts = vcpu->lazy_accepts;
	vmcall_io(4, 1, TD_PORT_DOORBELL, &command);
}

/* The first ring, for command 0, says that the vCPU is ready. */
void __noreturn serve(void)
{
	struct vcpu *vcpu = this_vcpu();
	struct td_mailbox *mb = vcpu->mailbox;
	u64 command = 0;

	for (;;) {
		ring_doorbell(vcpu, command);
		command = __atomic_load_n(&mb->command, __ATOMIC_RELAXED);
		if (command >= TD_NR_COMMANDS || !commands[command])
			fatal_at("unknown command ", command, 0);
		commands[command](mb);
	}
}
