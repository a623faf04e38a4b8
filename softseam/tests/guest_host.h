/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host of host.h with a TD that runs, and the machine that runs it: tests
 * say what the guest's CPU did.
 */
#ifndef SOFTSEAM_TESTS_GUEST_HOST_H
#define SOFTSEAM_TESTS_GUEST_HOST_H

#include "guest_vcpu.h"
#include "td_host.h"

/*
 * Private pages besides those of td_host.h.  Linear addresses below 2M are the
 * same as guest physical ones; from 2M to 4M they are shared memory, and the
 * page at 4M is GPA_DATA again.
 */
#define GPA_PML4	0x110000ULL
#define GPA_PDPT	0x111000ULL
#define GPA_PD		0x112000ULL
#define GPA_PT		0x113000ULL
#define GPA_CODE	0x114000ULL
#define GPA_DATA	0x115000ULL
#define GUEST_PAGES	6
#define GUEST_PAGE(n)	PG(60 + (n))

#define GPA_SHARED	(1ULL << 47)
#define LINEAR_SHARED	0x200000ULL
#define LINEAR_DATA	0x400000ULL

/* The host's EPT for the shared half: one table a level, from the root. */
#define SHARED_EPT(level)	(8 * MB + (level) * 4096)
#define SHARED_PAGE		(9 * MB)

/* VMCS fields that the host writes. */
#define POSTED_VECTOR		0x2
#define PID_ADDRESS		0x2016
#define PIN_CONTROLS		0x4000
#define SHARED_EPTP		0x203C

/* Of vCPU 0. */
#define GUEST_RCX		0x1234
#define GUEST_X2APIC_ID		0x70

/* Posted interrupts. */
#define POSTED			(10 * MB)

struct guest {
	struct host *h;
	unsigned int cpu;
	struct guest_vcpu *v;
	struct guest_cpu *r;
	/* Of the last exit; tests fill in more before guest_stop_with(). */
	struct guest_exit exit;
	struct guest_result result;
};

/* Build the TD and finalise it; @attributes and @config_flags beyond the usual. */
void guest_build(struct host *h, uint64_t attributes, uint64_t config_flags);
/* The same, enter vCPU 0 on CPU 0, and put it into 64-bit mode at GPA_CODE. */
void guest_start(struct guest *g, struct host *h);
void guest_start_with(struct guest *g, struct host *h, uint64_t attributes,
		      uint64_t config_flags);

/* TDH.VP.WR of a whole field. */
void guest_vp_write(struct host *h, uint64_t field, uint64_t value);

/* TDH.VP.ENTER with the host's registers in @in; has to run the guest. */
void guest_enter(struct guest *g, struct seam_regs in);
/* In 64-bit mode, with paging. */
void guest_long_mode(struct guest *g);

/* Bytes at the instruction pointer. */
void guest_code(struct guest *g, const void *code, size_t len);
/* Where a test sees a private page. */
uint8_t *guest_mem(struct guest *g, uint64_t gpa);

/* The CPU stopped; returns whether the guest goes on. */
bool guest_stop(struct guest *g, enum guest_stop why);
bool guest_stop_with(struct guest *g);

/* It executed TDCALL with @leaf in RAX, and goes on: returns RAX. */
uint64_t guest_tdcall(struct guest *g, uint64_t leaf);

/* An exception waits to be delivered, and nothing else happened. */
void assert_injects(struct guest *g, uint8_t vector);
void assert_ve(struct guest *g, uint64_t reason, uint64_t qualification, uint64_t gpa,
	       uint64_t len);
/* The instruction of @len was emulated. */
void assert_skipped(struct guest *g, uint64_t len);
/* The vCPU is back from the TD. */
void assert_left(struct guest *g, uint64_t status);

/* An entry of the shared EPT for GPA_SHARED. */
uint64_t *shared_entry(struct host *h, unsigned int level);

#endif
