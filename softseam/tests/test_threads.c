// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs that call at the same time, under ThreadSanitizer.  Each retries BUSY,
 * as a host does; what must happen once happens once whoever wins.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "threads.h"

#define ROUNDS		20
#define READS		400

struct cpu {
	struct host *h;
	unsigned int nr;

	/* How often each leaf succeeded here. */
	unsigned int inits, lps, configs, keys, tdmrs, disables;
	unsigned int busy;
};

static bool is_busy(uint64_t status)
{
	return status == TDX_SYS_BUSY || (status & TDX_STATUS_MASK) == TDX_OPERAND_BUSY;
}

/* SEAMCALL until it is not BUSY.  Returns RAX; @regs holds the outputs. */
static uint64_t call(struct cpu *c, struct seam_regs *regs)
{
	struct seam_regs in = *regs;

	for (;;) {
		*regs = in;
		seam_call(c->h->seam, c->nr, regs);
		if (!is_busy(regs->rax))
			return regs->rax;
		c->busy++;
		sched_yield();
	}
}

static unsigned int succeeds(struct cpu *c, struct seam_regs regs)
{
	return call(c, &regs) == TDX_SUCCESS;
}

/* All CPUs do so at a time, in the middle of each other's calls. */
static void set_and_stop_injection(struct cpu *c, unsigned int i)
{
	const char *why;

	if (i % 16 == 0)
		assert_true(seam_inject(c->h->seam, "SYS.RD:2:SYS_BUSY:3", &why));
	else if (i % 16 == 8)
		assert_true(seam_inject_stop(c->h->seam) <= 3);
}

static void read_fields(struct cpu *c)
{
	struct seam_stats st;

	for (unsigned int i = 0; i < READS; i++) {
		struct seam_regs regs = { .rax = TDH_SYS_RD, .rdx = ~0ULL };

		set_and_stop_injection(c, i);
		call(c, &regs);
		seam_get_stats(c->h->seam, &st);
	}
}

static void init_tdmrs(struct cpu *c)
{
	static const uint64_t base[HOST_TDMRS] = { 0, 1 * GB, 4 * GB };

	for (unsigned int i = 0; i < HOST_TDMRS; i++) {
		struct seam_regs regs;

		do {
			regs = (struct seam_regs){ .rax = TDH_SYS_TDMR_INIT, .rcx = base[i] };
			if (call(c, &regs) == TDX_SUCCESS)
				c->tdmrs++;
		} while (regs.rax == TDX_SUCCESS);
	}
}

/* Readers of one page, and one that takes it alone as a later leaf would. */
static void read_pages(struct cpu *c)
{
	struct pamt_walk walk;

	for (unsigned int i = 0; i < READS; i++) {
		struct seam_regs regs = { .rax = TDH_PHYMEM_PAGE_RDMD, .rcx = 4 * GB };

		call(c, &regs);
		if (pamt_walk(&c->h->seam->pamt, 4 * GB, false, PS_4K, LOCK_EXCLUSIVE, &walk)) {
			walk.entry->bepoch++;
			pamt_unwalk(&walk);
		}
	}
}

static void *run_cpu(void *arg)
{
	struct cpu *c = arg;

	threads_meet();
	c->inits += succeeds(c, (struct seam_regs){ .rax = TDH_SYS_INIT });
	threads_meet();
	c->lps += succeeds(c, (struct seam_regs){ .rax = TDH_SYS_LP_INIT });
	c->lps += succeeds(c, (struct seam_regs){ .rax = TDH_SYS_LP_INIT });
	read_fields(c);
	threads_meet();
	c->configs += succeeds(c, (struct seam_regs){ .rax = TDH_SYS_CONFIG, .rcx = HOST_ARRAY,
						      .rdx = HOST_TDMRS, .r8 = HOST_HKID });
	seam_wbinvd(c->h->seam, c->nr);
	threads_meet();
	c->keys += succeeds(c, (struct seam_regs){ .rax = TDH_SYS_KEY_CONFIG });
	threads_meet();
	init_tdmrs(c);
	read_pages(c);
	read_fields(c);
	threads_meet();
	c->disables += succeeds(c, (struct seam_regs){ .rax = TDH_SYS_DISABLE });
	return NULL;
}

static void run_round(void)
{
	const char *const args[] = { "tdmr_init_step", "64M", NULL };
	struct cpu cpus[HOST_CPUS] = { 0 }, sum = { 0 };
	struct host *h = threads_host(args);

	host_start(h);
	for (unsigned int i = 0; i < HOST_CPUS; i++)
		cpus[i] = (struct cpu){ .h = h, .nr = i };
	threads_run(run_cpu, cpus, sizeof(*cpus));
	for (unsigned int i = 0; i < HOST_CPUS; i++) {
		sum.inits += cpus[i].inits;
		sum.lps += cpus[i].lps;
		sum.configs += cpus[i].configs;
		sum.keys += cpus[i].keys;
		sum.tdmrs += cpus[i].tdmrs;
		sum.disables += cpus[i].disables;
	}

	assert_int_equal(sum.inits, 1);
	assert_int_equal(sum.lps, HOST_CPUS);
	assert_int_equal(sum.configs, 1);
	assert_int_equal(sum.keys, 2);
	assert_int_equal(sum.tdmrs, 5 * GB / (64 * MB));
	assert_int_equal(sum.disables, 1);
	assert_int_equal(h->nr_violations, 0);
	assert_int_equal(h->seam->sys_lock.holders, 0);
	assert_int_equal(h->seam->pamt.entry[PS_4K][4 * GB / SZ_4K].lock.holders, 0);
	host_free(h);
}

static void parallel_life(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < ROUNDS; i++)
		run_round();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parallel_life),
	};

	return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
