// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz the leaves of a TD's life on a READY module.  The input is a list of
 * steps: the next right call for a TD, or any leaf with operands that are mostly
 * pages, GPAs and fields that mean something, and otherwise anything.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzzing.h"
#include "plain.h"
#include "td_params.h"
#include "track.h"

#define PARAMS		0x202000
#define SOURCE		0x203000
#define PAMT		SZ_1G
#define PAGES		(2 * SZ_1G)
#define PG(n)		(PAGES + (n) * SZ_4K)
#define LARGE		(PAGES + 16 * SZ_2M)
#define HKID		32
#define NR_CPUS		2

struct fuzz {
	struct fuzz_input in;
	struct seam *seam;
	/* Right calls so far. */
	unsigned int progress;
};

static bool irq_pending(void *opaque, unsigned int cpu)
{
	struct fuzz *f = opaque;

	(void)cpu;
	return take8(&f->in) & 1;
}

/* Only these two can happen to a host that is careful with memory. */
static void on_violation(void *opaque, const struct seam_violation *v)
{
	(void)opaque;
	if (strcmp(v->rule, "wrong-cpu") && strcmp(v->rule, "not-ram"))
		abort();
}

static void call(struct fuzz *f, unsigned int cpu, struct seam_regs regs)
{
	struct seam_regs in = regs;

	if (seam_call(f->seam, cpu, &regs) != SEAM_END_DONE)
		abort();
	if (regs.rbx != in.rbx || regs.rbp != in.rbp || regs.r15 != in.r15)
		abort();
}

/* Nothing is locked between calls, and the counts agree. */
static void check(struct fuzz *f)
{
	struct seam *s = f->seam;
	uint64_t pages = 0;

	if (s->sys_lock.holders || s->kot.lock.holders || s->ket.lock.holders)
		abort();
	for (struct td *td = s->tds; td; td = td->next) {
		unsigned int associated = 0;

		for (const struct vcpu *v = td->vcpus; v; v = v->next)
			associated += v->lp != VCPU_NO_LP;
		if (td->op_state_lock.holders || td->sept.lock.holders ||
		    td->epoch.lock.holders || associated != td->nr_associated)
			abort();
		if (pamt_entry(&s->pamt, td->tdr, PS_4K)->lock.holders)
			abort();
		pages += 1 + td->children;
	}
	if (pages != s->own.pages)
		abort();
}

static void start(struct fuzz *f)
{
	memset(fuzz_mem(FUZZ_ARRAY), 0, 4 * SZ_4K);
	fuzz_put_tdmr(0, PAGES, PAMT);

	call(f, 0, (struct seam_regs){ .rax = TDH_SYS_INIT });
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
		call(f, cpu, (struct seam_regs){ .rax = TDH_SYS_LP_INIT });
	call(f, 0, (struct seam_regs){ .rax = TDH_SYS_CONFIG, .rcx = FUZZ_ARRAY, .rdx = 1,
				       .r8 = HKID });
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
		seam_wbinvd(f->seam, cpu);
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
		call(f, cpu, (struct seam_regs){ .rax = TDH_SYS_KEY_CONFIG });
	call(f, 0, (struct seam_regs){ .rax = TDH_SYS_TDMR_INIT, .rcx = PAGES });
	if (f->seam->sys_state != SYS_READY)
		abort();
}

static void fill_params(struct fuzz *f)
{
	struct td_params_page p = {
		.xfam = 3, .max_vcpus = 2, .eptp_controls = 0x1E, .tsc_frequency = 40,
	};

	memcpy(fuzz_mem(PARAMS), &p, sizeof(p));
	if (take8(&f->in) % 4 == 0)
		*fuzz_mem(PARAMS + take8(&f->in) * 4 + take8(&f->in) % 4) = take8(&f->in);
}

/* A TD with a vCPU and a page, and the way back. */
static void right_step(struct fuzz *f)
{
	static const struct seam_regs calls[] = {
		{ .rax = TDH_MNG_CREATE, .rcx = PG(0), .rdx = HKID + 1 },
		{ .rax = TDH_MNG_KEY_CONFIG, .rcx = PG(0) },
		{ .rax = TDH_MNG_KEY_CONFIG, .rcx = PG(0) },
		{ .rax = TDH_MNG_ADDCX, .rcx = PG(1), .rdx = PG(0) },
		{ .rax = TDH_MNG_ADDCX, .rcx = PG(2), .rdx = PG(0) },
		{ .rax = TDH_MNG_ADDCX, .rcx = PG(3), .rdx = PG(0) },
		{ .rax = TDH_MNG_ADDCX, .rcx = PG(4), .rdx = PG(0) },
		{ .rax = TDH_MNG_ADDCX, .rcx = PG(5), .rdx = PG(0) },
		{ .rax = TDH_MNG_ADDCX, .rcx = PG(6), .rdx = PG(0) },
		{ .rax = TDH_MNG_INIT, .rcx = PG(0), .rdx = PARAMS },
		{ .rax = TDH_VP_CREATE, .rcx = PG(8), .rdx = PG(0) },
		{ .rax = TDH_VP_ADDCX, .rcx = PG(9), .rdx = PG(8) },
		{ .rax = TDH_VP_ADDCX, .rcx = PG(10), .rdx = PG(8) },
		{ .rax = TDH_VP_ADDCX, .rcx = PG(11), .rdx = PG(8) },
		{ .rax = TDH_VP_ADDCX, .rcx = PG(12), .rdx = PG(8) },
		{ .rax = TDH_VP_ADDCX, .rcx = PG(13), .rdx = PG(8) },
		{ .rax = TDH_VP_INIT | 1 << 16, .rcx = PG(8) },
		{ .rax = TDH_MEM_SEPT_ADD, .rcx = 3, .rdx = PG(0), .r8 = PG(16) },
		{ .rax = TDH_MEM_SEPT_ADD, .rcx = 2, .rdx = PG(0), .r8 = PG(17) },
		{ .rax = TDH_MEM_SEPT_ADD, .rcx = 1, .rdx = PG(0), .r8 = PG(18) },
		{ .rax = TDH_MEM_PAGE_ADD, .rcx = 0, .rdx = PG(0), .r8 = PG(20), .r9 = SOURCE },
		{ .rax = TDH_MR_FINALIZE, .rcx = PG(0) },
		{ .rax = TDH_MEM_PAGE_AUG, .rcx = SZ_4K, .rdx = PG(0), .r8 = PG(21) },
		{ .rax = TDH_MEM_PAGE_AUG, .rcx = SZ_2M | 1, .rdx = PG(0), .r8 = LARGE },
		{ .rax = TDH_MEM_RANGE_BLOCK, .rcx = 0, .rdx = PG(0) },
		{ .rax = TDH_MEM_TRACK, .rcx = PG(0) },
		{ .rax = TDH_MEM_PAGE_REMOVE, .rcx = 0, .rdx = PG(0) },
		{ .rax = TDH_VP_FLUSH, .rcx = PG(8) },
		{ .rax = TDH_MNG_VPFLUSHDONE, .rcx = PG(0) },
		{ .rax = TDH_PHYMEM_CACHE_WB }, { .rax = TDH_PHYMEM_CACHE_WB },
		{ .rax = TDH_MNG_KEY_FREEID, .rcx = PG(0) },
		{ .rax = TDH_PHYMEM_PAGE_RECLAIM, .rcx = PG(8) },
		{ .rax = TDH_PHYMEM_PAGE_RECLAIM, .rcx = PG(18) },
		{ .rax = TDH_PHYMEM_PAGE_RECLAIM, .rcx = LARGE },
	};
	unsigned int n = f->progress++ % ARRAY_SIZE(calls);

	if (calls[n].rax == TDH_MNG_INIT)
		fill_params(f);
	call(f, n % NR_CPUS && calls[n].rax != TDH_VP_FLUSH, calls[n]);
}

static uint64_t take_value(struct fuzz *f)
{
	static const uint64_t fields[] = {
		0x2, 0x2016, 0x203C, 0x4000, 0xA02000000000000B, 0x9100000000000100,
		0x110000000000000A, 0x94100003000001FE,
	};
	uint8_t how = take8(&f->in);

	switch (how % 8) {
	case 0 ... 2:
		return PG(take8(&f->in) % 32ULL);
	case 3:
		return (uint64_t)take8(&f->in) % 4 << 12 | (take8(&f->in) & 3);
	case 4:
		return fields[take8(&f->in) % ARRAY_SIZE(fields)];
	case 5:
		return HKID + take8(&f->in) % 4;
	case 6:
		return LARGE + take8(&f->in) % 2 * SZ_4K;
	default:
		return take64(&f->in);
	}
}

static void odd_call(struct fuzz *f)
{
	struct seam_regs regs = { .rbx = 1, .rbp = 2, .r15 = 3 };

	regs.rax = take8(&f->in) % 44 | (uint64_t)(take8(&f->in) % 8 == 0) << 16;
	regs.rcx = take_value(f);
	regs.rdx = take_value(f);
	regs.r8 = take_value(f);
	regs.r9 = take8(&f->in) % 2 ? SOURCE : take_value(f);
	call(f, take8(&f->in) % NR_CPUS, regs);
}

/* What a guest does. */
static void guest_step(struct fuzz *f)
{
	struct td *td = f->seam->tds;
	struct sept_walk walk;
	struct sept_view view;
	uint64_t gpa = (uint64_t)take8(&f->in) % 4 << 12;

	if (!td || td->op_state != OP_RUNNABLE || td->lifecycle != TD_KEYS_CONFIGURED)
		return;
	sept_look(&td->sept, gpa, &view);
	if (view.state == SEPT_MAPPED)
		memset(plain_at(f->seam, view.hpa), 0x5A, 64);
	sept_accept(&td->sept, gpa, take8(&f->in) % 2, &walk);
}

static void step(struct fuzz *f)
{
	switch (take8(&f->in) % 8) {
	case 0 ... 4:
		right_step(f);
		break;
	case 5 ... 6:
		odd_call(f);
		break;
	case 7:
		guest_step(f);
		break;
	}
	check(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = { .in = { data, data + size } };
	struct seam_machine machine = fuzz_machine(&f);
	struct seam_config cfg;

	machine.irq_pending = irq_pending;
	machine.violation = on_violation;
	machine.reports_wbinvd = true;
	fuzz_config(&cfg, NR_CPUS);
	cfg.nr_packages = NR_CPUS;
	f.seam = fuzz_new(&cfg, &machine);
	start(&f);
	while (f.in.p < f.in.end)
		step(&f);
	seam_free(f.seam);
	return 0;
}
