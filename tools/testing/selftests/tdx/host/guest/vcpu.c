// SPDX-License-Identifier: GPL-2.0
/* Start of a vCPU in C, and what the payload keeps for each. */
#include "asm_layout.h"
#include "guest.h"

static struct vcpu vcpus[TD_MAX_VCPUS];

/* Initialised, because vCPU 0 clears all of .bss. */
static u32 waiting = 1;

/* Told by the stack that it runs on. */
unsigned int vcpu_index(void)
{
	char here;

	return (&here - vcpu_stacks) >> STACK_SHIFT;
}

struct vcpu *this_vcpu(void)
{
	return &vcpus[vcpu_index()];
}

/*
 * The pages of .bss are added without measuring their content, so the guest
 * must not believe that they are zero.
 */
static void prepare(u32 gpaw)
{
	for (char *p = __bss_start; p < __bss_end; p++)
		*p = 0;
	paging_init(gpaw);
	traps_init();
}

/* Called by start.S: the others wait for vCPU 0, so the host has to run it first. */
void vcpu_start(u32 index, u32 mailbox, u32 gpaw)
{
	if (index == 0) {
		prepare(gpaw);
		__atomic_store_n(&waiting, 0, __ATOMIC_RELEASE);
	}
	while (__atomic_load_n(&waiting, __ATOMIC_ACQUIRE))
		asm volatile("pause");

	traps_load();
	vcpus[index].mailbox = shared_memory(mailbox);
	serve();
}
