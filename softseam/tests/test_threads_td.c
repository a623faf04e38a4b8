// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs that work on one TD at the same time, under ThreadSanitizer: each on its
 * own vCPU and its own part of memory, with locks in common.  Each retries BUSY
 * as a host does.  At the end nothing is left.
 */
#include <sched.h>
#include <string.h>

#include "plain.h"
#include "td_host.h"
#include "threads.h"
#include "track.h"

#define ROUNDS		10
#define CYCLES		40

/* Pages of CPU @cpu: a vCPU, memory, a table, a TD of its own. */
#define CPU_PG(cpu, i)	PG(64 + 32 * (uint64_t)(cpu) + (i))
#define CPU_MEM		8
#define CPU_TABLE	16
#define CPU_TDR		20
#define NR_MEM		4
/* 2M of guest memory each, with a table that comes and goes. */
#define CPU_GPA(cpu, i)	((uint64_t)(cpu) * SZ_2M + (uint64_t)(i) * SZ_4K)
#define CPU_RANGE(cpu)	((1ULL << 31) + (uint64_t)(cpu) * SZ_2M)

struct cpu {
	struct host *h;
	unsigned int nr;
	/* Statuses that were neither success nor BUSY. */
	unsigned int errors;
	uint64_t error;
	/* Times its guest found a page of its own mapped. */
	unsigned int mapped;
};

static bool is_busy(uint64_t status)
{
	return status == TDX_SYS_BUSY || status == TDX_PREVIOUS_TLB_EPOCH_BUSY ||
	       (status & TDX_STATUS_MASK) == TDX_OPERAND_BUSY;
}

/* SEAMCALL until it is not BUSY.  Returns RAX. */
static uint64_t call(struct cpu *c, struct seam_regs in)
{
	struct seam_regs regs;

	for (;;) {
		regs = in;
		seam_call(c->h->seam, c->nr, &regs);
		if (!is_busy(regs.rax))
			return regs.rax;
		sched_yield();
	}
}

static void must(struct cpu *c, struct seam_regs in)
{
	uint64_t status = call(c, in);

	if (status) {
		c->errors++;
		c->error = status;
	}
}

static void leaf(struct cpu *c, uint64_t number, uint64_t rcx, uint64_t rdx, uint64_t r8)
{
	must(c, (struct seam_regs){ .rax = number, .rcx = rcx, .rdx = rdx, .r8 = r8 });
}

static void add_vcpu(struct cpu *c)
{
	leaf(c, TDH_VP_CREATE, CPU_PG(c->nr, 0), TDR, 0);
	for (unsigned int i = 1; i <= TDVPS_CHILD_PAGES; i++)
		leaf(c, TDH_VP_ADDCX, CPU_PG(c->nr, i), CPU_PG(c->nr, 0), 0);
	leaf(c, TDH_VP_INIT | 1 << 16, CPU_PG(c->nr, 0), 0, c->nr);
	leaf(c, TDH_MEM_SEPT_ADD, CPU_GPA(c->nr, 0) | 1, TDR, CPU_PG(c->nr, CPU_TABLE));
}

/*
 * Look at CPU @cpu's part of memory, where pages may come and go: what is there
 * is the right page.  Returns how many are mapped.
 */
static unsigned int look_at(struct cpu *c, unsigned int cpu)
{
	struct sept *t = &host_td(c->h)->sept;
	struct sept_view view;
	unsigned int nr = 0;

	for (unsigned int i = 0; i < NR_MEM; i++) {
		sept_look(t, CPU_GPA(cpu, i), &view);
		if (view.gpa != CPU_GPA(cpu, i) || view.level ||
		    (view.state != SEPT_FREE && view.hpa != CPU_PG(cpu, CPU_MEM + i)))
			c->errors++;
		nr += view.state == SEPT_MAPPED;
	}
	/* Here it is the table. */
	sept_look(t, CPU_RANGE(cpu), &view);
	if (view.level > 1)
		c->errors++;
	return nr;
}

/* The vCPU's side: it accepts memory, uses it, and looks around. */
static void run_guest(struct cpu *c, struct vcpu *vcpu)
{
	struct sept *t = &host_td(c->h)->sept;
	struct sept_view view;
	struct sept_walk walk;
	uint8_t *plain;
	bool flush;

	while (track_enter(vcpu->td, vcpu, &flush))
		sched_yield();
	for (unsigned int i = 0; i < NR_MEM; i++) {
		uint64_t status;

		do
			status = sept_accept(t, CPU_GPA(c->nr, i), 0, &walk);
		while (is_busy(status));
		sept_look(t, CPU_GPA(c->nr, i), &view);
		plain = plain_at(c->h->seam, view.hpa);
		if (status || view.state != SEPT_MAPPED || *plain)
			c->errors++;
		else
			memset(plain, 0x80 + (int)c->nr, SZ_4K);
	}
	c->mapped += look_at(c, c->nr);
	look_at(c, (c->nr + 1) % HOST_CPUS);
	track_exit(vcpu->td, vcpu);
}

static void zap(struct cpu *c)
{
	for (unsigned int i = 0; i < NR_MEM; i++)
		leaf(c, TDH_MEM_RANGE_BLOCK, CPU_GPA(c->nr, i), TDR, 0);
	for (unsigned int i = 0; i < NR_MEM; i++) {
		struct seam_regs remove = { .rax = TDH_MEM_PAGE_REMOVE,
					    .rcx = CPU_GPA(c->nr, i), .rdx = TDR };
		uint64_t status;

		/* Others' vCPUs may have to leave before a page is tracked. */
		do {
			leaf(c, TDH_MEM_TRACK, TDR, 0, 0);
			status = call(c, remove);
		} while ((status & TDX_STATUS_MASK) == TDX_TLB_TRACKING_NOT_DONE);
		if (status)
			c->errors++;
	}
}

/* A table that is linked and taken away while others walk. */
static void table_life(struct cpu *c)
{
	struct seam_regs remove = { .rax = TDH_MEM_SEPT_REMOVE, .rcx = CPU_RANGE(c->nr) | 1,
				    .rdx = TDR };
	uint64_t status;

	leaf(c, TDH_MEM_SEPT_ADD, CPU_RANGE(c->nr) | 1, TDR, CPU_PG(c->nr, CPU_TABLE + 1));
	leaf(c, TDH_MEM_RANGE_BLOCK, CPU_RANGE(c->nr) | 1, TDR, 0);
	do {
		leaf(c, TDH_MEM_TRACK, TDR, 0, 0);
		status = call(c, remove);
	} while ((status & TDX_STATUS_MASK) == TDX_TLB_TRACKING_NOT_DONE);
	if (status)
		c->errors++;
}

/* A small TD of this CPU's own, for the KOT's and the KETs' sake. */
static void other_td(struct cpu *c)
{
	uint64_t tdr = CPU_PG(c->nr, CPU_TDR);
	struct seam_stats st;

	leaf(c, TDH_MNG_CREATE, tdr, TD_HKID + 1 + c->nr, 0);
	must(c, (struct seam_regs){ .rax = TDH_MNG_KEY_CONFIG, .rcx = tdr });
	leaf(c, TDH_MNG_VPFLUSHDONE, tdr, 0, 0);
	seam_get_stats(c->h->seam, &st);
	call(c, (struct seam_regs){ .rax = TDH_PHYMEM_CACHE_WB });
}

static void *run_cpu(void *arg)
{
	struct cpu *c = arg;
	struct vcpu *vcpu;

	add_vcpu(c);
	threads_meet();
	if (!c->nr)
		leaf(c, TDH_MR_FINALIZE, TDR, 0, 0);
	threads_meet();

	vcpu = own_info(c->h->seam, CPU_PG(c->nr, 0))->object;
	for (unsigned int i = 0; i < CYCLES; i++) {
		for (unsigned int m = 0; m < NR_MEM; m++)
			leaf(c, TDH_MEM_PAGE_AUG, CPU_GPA(c->nr, m), TDR,
			     CPU_PG(c->nr, CPU_MEM + m));
		run_guest(c, vcpu);
		zap(c);
		table_life(c);
		call(c, (struct seam_regs){ .rax = TDH_PHYMEM_PAGE_RDMD,
					    .rcx = CPU_PG((c->nr + 1) % HOST_CPUS, CPU_MEM) });
	}
	other_td(c);
	leaf(c, TDH_VP_FLUSH, CPU_PG(c->nr, 0), 0, 0);
	return NULL;
}

static void run_round(void)
{
	struct cpu cpus[HOST_CPUS] = { 0 };
	struct host *h = threads_host(NULL);

	h->machine.irq_pending = NULL;
	host_start(h);
	td_goto(h, TD_TDCS);
	host_params(h)->max_vcpus = HOST_CPUS;
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MNG_INIT, .rcx = TDR, .rdx = TD_PARAMS });
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_SEPT_ADD, .rcx = 3, .rdx = TDR,
					  .r8 = EPT_PAGE(3) });
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_SEPT_ADD, .rcx = 2, .rdx = TDR,
					  .r8 = EPT_PAGE(2) });
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_SEPT_ADD, .rcx = (1ULL << 31) | 2,
					  .rdx = TDR, .r8 = EPT_PAGE(1) });

	for (unsigned int i = 0; i < HOST_CPUS; i++)
		cpus[i] = (struct cpu){ .h = h, .nr = i };
	threads_run(run_cpu, cpus, sizeof(*cpus));

	for (unsigned int i = 0; i < HOST_CPUS; i++) {
		if (cpus[i].errors)
			assert_status(cpus[i].error, TDX_SUCCESS);
		assert_int_equal(cpus[i].errors, 0);
		assert_int_equal(cpus[i].mapped, CYCLES * NR_MEM);
	}
	/* TDCS, three tables, and each CPU's vCPU and table. */
	assert_int_equal(host_td(h)->children, TDCS_PAGES + 3 +
			 HOST_CPUS * (1 + TDVPS_CHILD_PAGES + 1));
	assert_int_equal(host_td(h)->nr_associated, 0);
	assert_int_equal(host_td(h)->epoch.refcount[0] | host_td(h)->epoch.refcount[1], 0);
	assert_int_equal(host_td(h)->sept.lock.holders, 0);
	assert_int_equal(host_td(h)->op_state_lock.holders, 0);
	assert_int_equal(host_page(h, TDR)->lock.holders, 0);
	assert_int_equal(h->nr_violations, 0);
	host_free(h);
}

static void one_td(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < ROUNDS; i++)
		run_round();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_td),
	};

	return cmocka_run_group_tests_name("threads_td", tests, NULL, NULL);
}
