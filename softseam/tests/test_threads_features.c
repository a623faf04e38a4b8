// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs that lend pairs and create objects at the same time, and CPUs that call
 * all leaves at random, under ThreadSanitizer.
 */
#include <inttypes.h>
#include <sched.h>

#include "property.h"
#include "threads.h"

#define CYCLES		300
#define RANDOM_CALLS	20000

/* Roles of pages, so that calls at random often fit. */
#define NR_TDRS		3
#define TDR_PG(i)	REGION_PG(0, i)
#define TDVPR_PG(i)	REGION_PG(0, 8 + (i))
#define NR_PAGES	40
#define PAGE_PG(r)	REGION_PG(random_below(r, 2), 16 + random_below(r, NR_PAGES))

struct cpu {
	struct host *h;
	unsigned int nr;
	uint64_t error, busy, successes;
};

static bool again(uint64_t status)
{
	return status == TDX_SYS_BUSY || status == TDX_INTERRUPTED_RESUMABLE ||
	       (status & TDX_STATUS_MASK) == TDX_OPERAND_BUSY;
}

/* The same call until it ends, as hosts do after BUSY and after an interrupt. */
static struct seam_regs must(struct cpu *c, struct seam_regs in)
{
	struct seam_regs regs;

	for (;;) {
		regs = in;
		seam_call(c->h->seam, c->nr, &regs);
		if (!again(regs.rax))
			break;
		c->busy++;
		sched_yield();
	}
	if (regs.rax)
		c->error = regs.rax;
	return regs;
}

static void reset(struct cpu *c, uint64_t pa)
{
	for (uint64_t line = pa; line < pa + SZ_4K; line += 64) {
		seam_clflush(c->h->seam, c->nr, line);
		seam_movdir64b(c->h->seam, c->nr, line);
	}
}

/* The pages of this CPU's pair lie in the region of the next one. */
static void lend_and_take_back(struct cpu *c)
{
	uint64_t region = REGION(c->nr), next = (c->nr + 1) % HOST_CPUS;
	uint64_t page = REGION_PG(c->nr, 7), pair[2] = { REGION_PG(next, 400), REGION_PG(next, 401) };
	struct seam_regs out;

	must(c, (struct seam_regs)ADD_PAIR(region, pair[0], pair[1]));
	out = must(c, (struct seam_regs){ .rax = TDH_SPDM_CREATE, .rcx = c->nr, .rdx = page });
	must(c, (struct seam_regs){ .rax = TDH_PHYMEM_PAGE_RDMD, .rcx = REGION_PG(next, 7) });
	out = must(c, (struct seam_regs){ .rax = TDH_SPDM_DELETE, .rcx = out.rcx });
	if (out.rcx != page)
		c->error = out.rcx;
	reset(c, page);

	out = must(c, (struct seam_regs)REMOVE_PAIR(region));
	if (out.rdx != pair[0] || out.r8 != pair[1])
		c->error = out.rdx;
	reset(c, pair[0]);
	reset(c, pair[1]);
}

static void *run_cycles(void *arg)
{
	struct cpu *c = arg;

	threads_meet();
	for (unsigned int i = 0; i < CYCLES; i++)
		lend_and_take_back(c);
	return NULL;
}

static struct seam_regs blind_memory_call(struct random *r, unsigned int leaf)
{
	bool table = leaf == TDH_MEM_SEPT_ADD || leaf == TDH_MEM_SEPT_REMOVE;

	return (struct seam_regs){
		.rax = leaf,
		.rcx = random_gpa(r, table ? 1 + (unsigned int)random_below(r, 3) : 0),
		.rdx = TDR_PG(random_below(r, NR_TDRS)),
		.r8 = PAGE_PG(r),
		.r9 = SOURCE,
	};
}

static struct seam_regs blind_call(struct random *r)
{
	static const uint8_t memory[] = {
		TDH_MEM_SEPT_ADD, TDH_MEM_SEPT_ADD, TDH_MEM_PAGE_ADD, TDH_MEM_PAGE_AUG,
		TDH_MEM_RANGE_BLOCK, TDH_MEM_RANGE_UNBLOCK, TDH_MEM_PAGE_REMOVE,
		TDH_MEM_SEPT_REMOVE, TDH_MR_EXTEND,
	};
	uint64_t td = random_below(r, NR_TDRS), tdr = TDR_PG(td);
	uint64_t page = PAGE_PG(r), vcpu = TDVPR_PG(td);

	switch (random_below(r, 18)) {
	case 0:
		return (struct seam_regs){ .rax = TDH_MNG_CREATE, .rcx = tdr,
					   .rdx = HOST_HKID + 1 + td };
	case 1:
		return (struct seam_regs){ .rax = TDH_MNG_KEY_CONFIG, .rcx = tdr };
	case 2:
		return (struct seam_regs){ .rax = TDH_MNG_ADDCX, .rcx = page, .rdx = tdr };
	case 3:
		return (struct seam_regs){ .rax = TDH_MNG_INIT, .rcx = tdr, .rdx = TD_PARAMS };
	case 4:
		return (struct seam_regs){ .rax = TDH_VP_CREATE, .rcx = vcpu, .rdx = tdr };
	case 5:
		return (struct seam_regs){ .rax = TDH_VP_ADDCX, .rcx = page, .rdx = vcpu };
	case 6:
		return (struct seam_regs){ .rax = TDH_VP_INIT | 1 << 16, .rcx = vcpu };
	case 7:
		return (struct seam_regs){ .rax = TDH_VP_FLUSH, .rcx = vcpu };
	case 8:
		return (struct seam_regs){ .rax = random_below(r, 40) ? TDH_MEM_TRACK :
						  TDH_MNG_VPFLUSHDONE, .rcx = tdr };
	case 9:
		return (struct seam_regs){ .rax = TDH_PHYMEM_CACHE_WB };
	case 10:
		return (struct seam_regs){ .rax = TDH_MNG_KEY_FREEID, .rcx = tdr };
	case 11:
		return (struct seam_regs){ .rax = TDH_PHYMEM_PAGE_RECLAIM,
					   .rcx = random_below(r, 8) ? page : vcpu };
	case 12:
		return (struct seam_regs){ .rax = TDH_PHYMEM_PAGE_RECLAIM, .rcx = tdr };
	case 13:
		return (struct seam_regs)ADD_PAIR(REGION(random_below(r, 2)),
						  REGION_PG(random_below(r, 3), 450 + random_below(r, 4)),
						  REGION_PG(random_below(r, 3), 454 + random_below(r, 4)));
	case 14:
		return (struct seam_regs)REMOVE_PAIR(REGION(random_below(r, 2)));
	case 15:
		return (struct seam_regs){ .rax = TDH_PHYMEM_PAGE_RDMD, .rcx = page };
	case 16:
		return (struct seam_regs){ .rax = random_below(r, 20) ? TDH_MNG_RD :
						  TDH_MR_FINALIZE, .rcx = tdr, .rdx = 10 };
	default:
		return blind_memory_call(r, memory[random_below(r, ARRAY_SIZE(memory))]);
	}
}

static void *run_random(void *arg)
{
	struct cpu *c = arg;
	struct random r = { .state = c->nr + 1 };

	threads_meet();
	for (unsigned int i = 0; i < RANDOM_CALLS; i++) {
		struct seam_regs regs = blind_call(&r);

		seam_call(c->h->seam, c->nr, &regs);
		c->busy += again(regs.rax);
		c->successes += !regs.rax;
	}
	return NULL;
}

/* Run @fn on all CPUs.  Returns what they counted together. */
static struct cpu run(struct host *h, void *(*fn)(void *))
{
	struct cpu cpus[HOST_CPUS] = { 0 }, sum = { 0 };

	for (unsigned int i = 0; i < HOST_CPUS; i++)
		cpus[i] = (struct cpu){ .h = h, .nr = i };
	threads_run(fn, cpus, sizeof(*cpus));
	for (unsigned int i = 0; i < HOST_CPUS; i++) {
		assert_status(cpus[i].error, TDX_SUCCESS);
		sum.busy += cpus[i].busy;
		sum.successes += cpus[i].successes;
	}
	return sum;
}

static struct host *new_host(const char *const *args)
{
	struct host *h = threads_host(args);

	h->machine.violation = NULL;
	h->machine.irq_pending = NULL;
	host_start(h);
	host_goto(h, STAGE_TDMRS);
	td_prepare_params(h);
	return h;
}

/* Nothing is left, and nobody saw a page that was not its own. */
static void pairs_and_sessions(void **state)
{
	const char *const args[] = { CONNECT_DPAMT, "ext_pool_pages", "0", "spdm_mt_pages", "1",
				     "erratum", "on", NULL };
	struct host *h = new_host(args);
	struct seam_stats st;

	(void)state;
	run(h, run_cycles);
	property_check(h);
	seam_get_stats(h->seam, &st);
	assert_int_equal(st.pages_owned, 0);
	assert_int_equal(st.pamt_pairs, 0);
	assert_int_equal(st.spdm_sessions, 0);
	assert_int_equal(seam_report_leaks(h->seam), 0);
	assert_int_equal(h->seam->lines.waiting, 0);
	host_free(h);
}

static void calls_at_random(void **state)
{
	const char *const args[] = { DPAMT, NULL };
	struct host *h = new_host(args);
	struct cpu sum;

	(void)state;
	sum = run(h, run_random);
	property_check(h);
	assert_int_equal(h->seam->violations[RULE_HOST_WRITE], 0);
	assert_true(sum.successes > HOST_CPUS * RANDOM_CALLS / 50);
	print_message("# %" PRIu64 " successes, %" PRIu64 " lost races\n", sum.successes, sum.busy);
	host_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_and_sessions),
		cmocka_unit_test(calls_at_random),
	};

	return cmocka_run_group_tests_name("threads_features", tests, NULL, NULL);
}
