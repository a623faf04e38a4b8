/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world switch: what world.S does on an LP to run a guest.  Offsets are
 * shared with the assembler.
 */
#ifndef SOFTSEAM_WORLD_H
#define SOFTSEAM_WORLD_H

#define WORLD_GPR		0x000
#define WORLD_GUEST_VMCB	0x080
#define WORLD_HOST_VMCB		0x088
#define WORLD_HOST_SAVE		0x090
#define WORLD_XFAM		0x098
#define WORLD_XCR0		0x0A0
#define WORLD_TSC_AUX		0x0A8
#define WORLD_DR		0x0B0
/* Pages of their own, in the order of enum world_page. */
#define WORLD_XSAVE		0x1000
#define WORLD_XSAVE_INIT	0x2000
#define WORLD_HOST_VMCB_PAGE	0x3000

/* A question to CPUID, and the answer. */
#define WORLD_PROBE_LEAF	0
#define WORLD_PROBE_SUBLEAF	4
#define WORLD_PROBE_LAST	8
#define WORLD_PROBE_EAX		12
#define WORLD_PROBE_BYTES	28
/* Behind the list, in the same page: the time stamp counter. */
#define WORLD_PROBE_TSC		0xFF8
#define WORLD_PROBE_MAX		140

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

/* Numbered as in instruction encodings; RAX and RSP are in the VMCB. */
enum world_gpr {
	GPR_RAX, GPR_RCX, GPR_RDX, GPR_RBX, GPR_RSP, GPR_RBP, GPR_RSI, GPR_RDI,
	GPR_R8, GPR_R9, GPR_R10, GPR_R11, GPR_R12, GPR_R13, GPR_R14, GPR_R15,
	NR_WORLD_GPRS
};

/* RSP points here while the switch runs: it needs no stack. */
struct world {
	uint64_t gpr[NR_WORLD_GPRS];
	/* Physical addresses. */
	uint64_t guest_vmcb, host_vmcb, host_save;
	uint64_t xfam;
	uint64_t xcr0, tsc_aux, dr[4];
};

_Static_assert(offsetof(struct world, guest_vmcb) == WORLD_GUEST_VMCB, "world layout");
_Static_assert(offsetof(struct world, host_vmcb) == WORLD_HOST_VMCB, "world layout");
_Static_assert(offsetof(struct world, host_save) == WORLD_HOST_SAVE, "world layout");
_Static_assert(offsetof(struct world, xfam) == WORLD_XFAM, "world layout");
_Static_assert(offsetof(struct world, xcr0) == WORLD_XCR0, "world layout");
_Static_assert(offsetof(struct world, tsc_aux) == WORLD_TSC_AUX, "world layout");
_Static_assert(offsetof(struct world, dr) == WORLD_DR, "world layout");

struct world_probe {
	uint32_t leaf, subleaf;
	/* Not zero: the end of the list. */
	uint32_t last;
	uint32_t result[4];
};

_Static_assert(offsetof(struct world_probe, last) == WORLD_PROBE_LAST, "probe layout");
_Static_assert(offsetof(struct world_probe, result) == WORLD_PROBE_EAX, "probe layout");
_Static_assert(sizeof(struct world_probe) == WORLD_PROBE_BYTES, "probe layout");

/*
 * The code, position independent.  It starts at world_code with RSP at a struct
 * world and comes to world_stopped each time the guest stops: what VMRUN switches
 * is in the VMCB and the general registers are in struct world, but the rest is
 * still the guest's in the CPU.  From there it goes on at world_resume, back into
 * the guest, or at world_leave.  That ends at world_left: all of the guest's
 * registers are saved, and the host's are back but for the general ones.
 *
 * world_probe to world_probed asks CPUID, with RSP at a list of struct world_probe.
 */
extern const char world_code[], world_resume[], world_stopped[], world_leave[], world_left[];
extern const char world_probe[], world_probed[];
extern const char world_code_end[];

#endif
#endif
