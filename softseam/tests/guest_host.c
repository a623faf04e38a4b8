// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "guest_host.h"
#include "plain.h"
#include "shared_ept.h"

#define PTE_TABLE	3ULL
#define PTE_LARGE	0x83ULL

struct guest_result guest_result;

static bool can_run_guest(void *opaque, unsigned int cpu)
{
	(void)opaque;
	(void)cpu;
	return true;
}

void guest_host_start(struct host *h)
{
	h->machine.can_run_guest = can_run_guest;
	host_start(h);
}

void guest_goto(struct host *h)
{
	td_goto(h, TD_PAGE);
	for (unsigned int i = 0; i <= NR_TABLES; i++)
		td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_PAGE_ADD,
						  .rcx = GPA_CODE + i * SZ_4K, .rdx = TDR,
						  .r8 = PG(51 + i), .r9 = SOURCE });
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MR_FINALIZE, .rcx = TDR });
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_PAGE_AUG, .rcx = GPA_AUG, .rdx = TDR,
					  .r8 = AUG_PAGE });
}

void guest_enter(struct host *h)
{
	struct seam_regs regs = { .rax = TDH_VP_ENTER, .rcx = TDVPR(0) };

	assert_int_equal(seam_call(h->seam, 0, &regs), SEAM_END_RUN_GUEST);
}

/* The first GiB one to one, in one page. */
static void map_one_to_one(struct host *h)
{
	uint64_t *top = guest_mem(h, GPA_TABLE(0)), *next = guest_mem(h, GPA_TABLE(1));

	memset(top, 0, SZ_4K);
	memset(next, 0, SZ_4K);
	top[0] = GPA_TABLE(1) | PTE_TABLE;
	next[0] = PTE_LARGE;
}

void guest_run_64bit(struct host *h)
{
	struct guest_cpu *r;

	guest_host_start(h);
	guest_goto(h);
	guest_enter(h);
	map_one_to_one(h);
	r = guest_cpu(h);
	r->cr0 |= CR0_PG;
	r->cr3 = GPA_TABLE(0);
	r->cr4 |= CR4_PAE;
	r->efer |= EFER_LONG_ACTIVE;
	r->seg[SEG_CS].ar |= SEG_AR_L;
	r->rip = GPA_CODE;
}

struct guest_vcpu *guest_vcpu(struct host *h)
{
	return host_vcpu(h)->guest;
}

struct guest_cpu *guest_cpu(struct host *h)
{
	return &seam_guest(h->seam, 0)->cpu;
}

void *guest_mem(struct host *h, uint64_t gpa)
{
	struct sept_view view;

	sept_look(&host_td(h)->sept, gpa, &view);
	assert_int_equal(view.state, SEPT_MAPPED);
	return (char *)plain_at(h->seam, view.hpa) + (gpa - view.gpa);
}

enum seam_end guest_stop(struct host *h, struct guest_exit exit)
{
	return seam_guest_exit(h->seam, 0, &exit, &guest_result);
}

enum seam_end guest_stop_at(struct host *h, enum guest_stop why, const char *insn, size_t len)
{
	struct guest_exit exit = { .why = why };

	guest_cpu(h)->rip = GPA_CODE;
	memcpy(guest_mem(h, GPA_CODE), insn, len);
	return seam_guest_exit(h->seam, 0, &exit, &guest_result);
}

uint64_t guest_tdcall(struct host *h, struct seam_regs regs)
{
	guest_cpu(h)->gpr = regs;
	assert_int_equal(STOP_AT(h, GUEST_STOP_UNDEFINED, INSN_TDCALL), SEAM_END_RUN_GUEST);
	assert_executed(h, sizeof(INSN_TDCALL) - 1);
	return guest_cpu(h)->gpr.rax;
}

void guest_leave_quietly(struct host *h)
{
	assert_int_equal(guest_stop(h, (struct guest_exit){ .why = GUEST_STOP_HOST_EVENT }),
			 SEAM_END_DONE);
}

void guest_reenter(struct host *h)
{
	guest_leave_quietly(h);
	guest_enter(h);
}

void assert_executed(struct host *h, uint64_t len)
{
	assert_false(seam_guest(h->seam, 0)->inject.valid);
	assert_int_equal(guest_cpu(h)->rip, GPA_CODE + len);
}

void assert_exception(struct host *h, uint8_t vector)
{
	const struct guest_event *e = &seam_guest(h->seam, 0)->inject;
	bool has_error = vector == VECTOR_GP || vector == VECTOR_DF;

	assert_true(e->valid);
	assert_int_equal(e->vector, vector);
	assert_int_equal(e->type, GUEST_EVENT_EXCEPTION);
	assert_int_equal(e->has_error, has_error);
	assert_int_equal(e->error, 0);
	assert_int_equal(guest_cpu(h)->rip, GPA_CODE);
}

void assert_ve(struct host *h, uint32_t reason, uint64_t qualification, uint32_t len)
{
	const struct ve_info *ve = &guest_vcpu(h)->ve;

	assert_exception(h, VECTOR_VE);
	assert_true(ve->valid);
	assert_int_equal(ve->reason, reason);
	assert_int_equal(ve->qualification, qualification);
	assert_int_equal(ve->insn_len, len);
}

_Atomic uint64_t *shared_entry(struct host *h, uint64_t gpa, unsigned int level)
{
	_Atomic uint64_t *table = (_Atomic uint64_t *)host_mem(h, SHARED_EPT(level));

	return &table[gpa >> (12 + 9 * level) & 511];
}

void shared_ept_build(struct host *h, uint64_t gpa, unsigned int level)
{
	for (unsigned int i = host_td(h)->sept.root_level; i > level; i--)
		atomic_store(shared_entry(h, gpa, i), SHARED_EPT(i - 1) | EPT_ACCESS);
	atomic_store(&host_vcpu(h)->vmcs.shared_eptp, SHARED_EPT(host_td(h)->sept.root_level));
}
