/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the host and the guest payload say to each other.
 *
 * Each vCPU has a mailbox: one page of shared memory whose address the host
 * gives as the vCPU's initial RCX.  The guest rings the doorbell port when it is
 * ready and again after each command; the host writes the next command before
 * it enters the vCPU again.  So only one side uses the mailbox at any time,
 * except for @stop and @progress.
 */
#ifndef TDX_HOST_GUEST_MAILBOX_H
#define TDX_HOST_GUEST_MAILBOX_H

/* vCPUs that the payload has stacks for. */
#define TD_MAX_VCPUS		8

#ifndef __ASSEMBLER__

#include <linux/types.h>

#define TD_PAGE_SIZE		4096UL
#define TD_2M_SIZE		(2UL << 20)

/* Ports that the host's exit handler knows. */
#define TD_PORT_CONSOLE		0x3f8
#define TD_PORT_DOORBELL	0x510
/* Reads back what was written, with all bits flipped. */
#define TD_PORT_ECHO		0x514

/* A device register that reads back what was written, with all bits flipped. */
#define TD_MMIO_ECHO		0xd0000000UL

/* The interrupt that wakes TD_CMD_HALT. */
#define TD_WAKE_VECTOR		0x31

enum td_command {
	/* result: GPAW, attributes, vCPUs and their maximum, vCPU index */
	TD_CMD_INFO = 1,
	/* data: text to print */
	TD_CMD_PRINT,
	/* arg: GPA, size, level; result: pages, last status, BUSY retries */
	TD_CMD_ACCEPT,
	/* arg: GPA, size, stride, seed, shared */
	TD_CMD_FILL,
	/* same; result: words that differ, GPA of the first */
	TD_CMD_CHECK,
	/* arg: GPA, size, shared; result: TDVMCALL status, failing GPA, calls */
	TD_CMD_MAP_GPA,
	/* data: 64 bytes of report data; result: status, data: the TDREPORT */
	TD_CMD_REPORT,
	/* arg: index, data: 48 bytes; result: status */
	TD_CMD_RTMR_EXTEND,
	/* arg: leaf, subleaf; result: EAX, EBX, ECX, EDX */
	TD_CMD_CPUID,
	/* arg: MSR; result: value */
	TD_CMD_RDMSR,
	/* arg: MSR, value */
	TD_CMD_WRMSR,
	/* arg: port, size; result: value */
	TD_CMD_IN,
	/* arg: port, size, value */
	TD_CMD_OUT,
	/* arg: GPA, size; result: value */
	TD_CMD_MMIO_READ,
	/* arg: GPA, size, value */
	TD_CMD_MMIO_WRITE,
	/* enable interrupts and HLT until one came; result: interrupts so far */
	TD_CMD_HALT,
	/* count in @progress until @stop; result: the count */
	TD_CMD_SPIN,
	/* arg: leaf, RCX, RDX, R8, R9; result: RAX, RCX, RDX, R8, R9, R10 */
	TD_CMD_TDCALL,
	/* arg: R10 .. R15; result: R10 .. R15 */
	TD_CMD_TDVMCALL,
	/* arg: GPA of private memory to read one word from; result: the word */
	TD_CMD_READ,
	/* arg: error code, data: text; ReportFatalError, never completes */
	TD_CMD_FATAL,
	/* shut down by a triple fault, never completes */
	TD_CMD_TRIPLE_FAULT,
	TD_NR_COMMANDS
};

#define TD_MAILBOX_ARGS		6
#define TD_MAILBOX_DATA		2048

struct td_mailbox {
	u64 command;
	u64 arg[TD_MAILBOX_ARGS];
	u64 result[TD_MAILBOX_ARGS];
	/* #VEs that this vCPU handled since it started. */
	u64 ve_count;
	/* Status of the last TDVMCALL that the #VE handler made. */
	u64 ve_status;
	/* Pages accepted because they were touched before they were accepted. */
	u64 lazy_accepts;
	u64 stop;
	u64 progress;
	u8 data[TD_MAILBOX_DATA];
};

/* What a word of test memory holds; seed 0 means zeroes. */
static inline u64 td_pattern(u64 gpa, u64 seed)
{
	u64 x = gpa * 0x9e3779b97f4a7c15UL + seed;

	if (!seed)
		return 0;
	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9UL;
	return x ^ x >> 32;
}

#endif /* __ASSEMBLER__ */
#endif
