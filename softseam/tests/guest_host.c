// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "guest_host.h"
#include "plain.h"

#define PT_PAGE		0x3
#define PT_LARGE	0x80
#define AR_CODE64	0xA09B

static bool can_run(void *opaque, unsigned int cpu)
{
	(void)opaque;
	(void)cpu;
	return true;
}

static void leaf(struct host *h, uint64_t number, uint64_t rcx, uint64_t rdx, uint64_t r8)
{
	td_must(h, 0, (struct seam_regs){ .rax = number, .rcx = rcx, .rdx = rdx, .r8 = r8,
					  .r9 = SOURCE });
}

static void add_vcpu(struct host *h, unsigned int n)
{
	leaf(h, TDH_VP_CREATE, TDVPR(n), TDR, 0);
	for (unsigned int i = 0; i < TDVPS_CHILD_PAGES; i++)
		leaf(h, TDH_VP_ADDCX, TDVPX(n, i), TDVPR(n), 0);
	leaf(h, TDH_VP_INIT | 1 << 16, TDVPR(n), GUEST_RCX, GUEST_X2APIC_ID + n);
}

static void add_memory(struct host *h)
{
	for (unsigned int level = 3; level > 0; level--)
		leaf(h, TDH_MEM_SEPT_ADD, level, TDR, EPT_PAGE(level));
	leaf(h, TDH_MEM_PAGE_ADD, GPA_REG, TDR, REG_PAGE);
	for (unsigned int n = 0; n < GUEST_PAGES; n++)
		leaf(h, TDH_MEM_PAGE_ADD, GPA_PML4 + n * SZ_4K, TDR, GUEST_PAGE(n));
}

static uint64_t *table(struct host *h, uint64_t gpa)
{
	return plain_at(h->seam, GUEST_PAGE((gpa - GPA_PML4) / SZ_4K));
}

static void fill_page_tables(struct host *h)
{
	memset(table(h, GPA_PML4), 0, 4 * SZ_4K);
	for (unsigned int n = 0; n < GUEST_PAGES; n++)
		memset(plain_at(h->seam, GUEST_PAGE(n)), 0, SZ_4K);
	table(h, GPA_PML4)[0] = GPA_PDPT | PT_PAGE;
	table(h, GPA_PDPT)[0] = GPA_PD | PT_PAGE;
	table(h, GPA_PD)[0] = PT_PAGE | PT_LARGE;
	table(h, GPA_PD)[1] = GPA_SHARED | PT_PAGE | PT_LARGE;
	table(h, GPA_PD)[2] = GPA_PT | PT_PAGE;
	table(h, GPA_PT)[0] = GPA_DATA | PT_PAGE;
}

static void build_shared_ept(struct host *h)
{
	for (unsigned int level = 0; level < 4; level++)
		memset(host_mem(h, SHARED_EPT(level)), 0, SZ_4K);
	for (unsigned int level = 3; level > 0; level--)
		*shared_entry(h, level) = SHARED_EPT(level - 1) | 7;
	*shared_entry(h, 0) = SHARED_PAGE | 0x37;
	memset(host_mem(h, SHARED_PAGE), 0, SZ_4K);
}

uint64_t *shared_entry(struct host *h, unsigned int level)
{
	uint64_t *entries = (uint64_t *)host_mem(h, SHARED_EPT(level));

	return &entries[GPA_SHARED >> (12 + 9 * level) & 511];
}

void guest_build(struct host *h, uint64_t attributes, uint64_t config_flags)
{
	h->machine.can_run_guest = can_run;
	host_start(h);
	td_goto(h, TD_TDCS);
	host_params(h)->attributes = attributes;
	host_params(h)->config_flags |= config_flags;
	leaf(h, TDH_MNG_INIT, TDR, TD_PARAMS, 0);
	add_vcpu(h, 0);
	add_vcpu(h, 1);
	add_memory(h);
	leaf(h, TDH_MR_FINALIZE, TDR, 0, 0);
	leaf(h, TDH_MEM_PAGE_AUG, GPA_AUG, TDR, AUG_PAGE);
	fill_page_tables(h);
	build_shared_ept(h);
	guest_vp_write(h, SHARED_EPTP, SHARED_EPT(3));
}

void guest_vp_write(struct host *h, uint64_t field, uint64_t value)
{
	td_must(h, 0, (struct seam_regs){ .rax = TDH_VP_WR, .rcx = TDVPR(0), .rdx = field,
					  .r8 = value, .r9 = ~0ULL });
}

void guest_enter(struct guest *g, struct seam_regs in)
{
	in.rax = TDH_VP_ENTER;
	in.rcx = TDVPR(0);
	assert_int_equal(host_call(g->h, g->cpu, &in), SEAM_END_RUN_GUEST);
	g->v = host_vcpu(g->h)->guest;
	g->r = &seam_guest(g->h->seam, g->cpu)->cpu;
}

void guest_long_mode(struct guest *g)
{
	g->r->cr0 |= CR0_PG;
	g->r->cr3 = GPA_PML4;
	g->r->cr4 |= CR4_PAE;
	g->r->efer |= EFER_LONG_ACTIVE;
	g->r->seg[SEG_CS].ar = AR_CODE64;
	g->r->rip = GPA_CODE;
}

void guest_start_with(struct guest *g, struct host *h, uint64_t attributes,
		      uint64_t config_flags)
{
	*g = (struct guest){ .h = h };
	guest_build(h, attributes, config_flags);
	guest_enter(g, (struct seam_regs){ 0 });
	guest_long_mode(g);
}

void guest_start(struct guest *g, struct host *h)
{
	guest_start_with(g, h, 0, 0);
}

uint8_t *guest_mem(struct guest *g, uint64_t gpa)
{
	struct sept_view view;

	sept_look(&host_td(g->h)->sept, gpa, &view);
	assert_true(sept_is_leaf(view.state));
	return (uint8_t *)plain_at(g->h->seam, view.hpa) + (gpa - view.gpa);
}

void guest_code(struct guest *g, const void *code, size_t len)
{
	memcpy(guest_mem(g, g->r->rip), code, len);
}

bool guest_stop_with(struct guest *g)
{
	enum seam_end how = seam_guest_exit(g->h->seam, g->cpu, &g->exit, &g->result);

	assert_true(how == SEAM_END_RUN_GUEST || how == SEAM_END_DONE);
	return how == SEAM_END_RUN_GUEST;
}

bool guest_stop(struct guest *g, enum guest_stop why)
{
	g->exit = (struct guest_exit){ .why = why };
	return guest_stop_with(g);
}

uint64_t guest_tdcall(struct guest *g, uint64_t leaf)
{
	uint64_t rip = g->r->rip;

	g->r->gpr.rax = leaf;
	guest_code(g, "\x66\x0f\x01\xcc", 4);
	assert_true(guest_stop(g, GUEST_STOP_UNDEFINED));
	assert_false(g->v->run.inject.valid);
	assert_int_equal(g->r->rip, rip + 4);
	return g->r->gpr.rax;
}

void assert_injects(struct guest *g, uint8_t vector)
{
	const struct guest_event *e = &g->v->run.inject;

	assert_true(e->valid);
	assert_int_equal(e->vector, vector);
	assert_int_equal(e->type, GUEST_EVENT_EXCEPTION);
	assert_int_equal(e->has_error, vector == VECTOR_GP || vector == VECTOR_DF);
	assert_int_equal(e->error, 0);
	assert_int_equal(g->r->rip, GPA_CODE);
}

void assert_ve(struct guest *g, uint64_t reason, uint64_t qualification, uint64_t gpa,
	       uint64_t len)
{
	assert_injects(g, VECTOR_VE);
	assert_true(g->v->ve.valid);
	assert_int_equal(g->v->ve.reason, reason);
	assert_int_equal(g->v->ve.qualification, qualification);
	assert_int_equal(g->v->ve.gpa, gpa);
	assert_int_equal(g->v->ve.insn_len, len);
}

void assert_skipped(struct guest *g, uint64_t len)
{
	assert_false(g->v->run.inject.valid);
	assert_int_equal(g->r->rip, GPA_CODE + len);
}

void assert_left(struct guest *g, uint64_t status)
{
	assert_status(g->result.regs.rax, status);
	assert_int_equal(host_page(g->h, TDVPR(0))->lock.holders, 0);
	assert_int_equal(g->h->seam->sys_lock.holders, 0);
	assert_int_equal(host_td(g->h)->epoch.refcount[0] | host_td(g->h)->epoch.refcount[1], 0);
}
