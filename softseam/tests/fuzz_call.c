// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz seam_call().  The input is a configuration and then a list of steps: a
 * call with odd operands, a change of what the host wrote to memory or of an
 * MSR, or the next right call on the way to READY, so that every state is near.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzzing.h"

#define INFO_SPAN	(MAX_TDMRS * TDMR_INFO_ALIGN)
#define NR_TDMRS	2

struct fuzz {
	struct fuzz_input in;
	struct seam *seam;
	unsigned int nr_cpus;
	/* Steps on the right way so far. */
	unsigned int progress;
	uint64_t msr_flip;
	/* What the model must agree with. */
	uint64_t calls;
	unsigned int sys_state;
};

/* A value from a register or a TDMR_INFO: mostly near the edges of something. */
static uint64_t take_value(struct fuzz_input *in)
{
	static const uint64_t edge[] = {
		0, 1, 2, 16, 64, 512, SZ_4K, SZ_2M, SZ_1G, 2 * SZ_1G, 3 * SZ_1G,
		FUZZ_MEM_SIZE, 1ULL << 39, 1ULL << 40, 1ULL << 41, 1ULL << 46, 1ULL << 63,
		FUZZ_ARRAY, FUZZ_INFO, 32, 33, 63, 64ULL << 10, 4ULL << 20, 8ULL << 20,
		0x0A00000300000008, 0x9900000300000400, 0x9900000300000517,
	};
	uint8_t how = take8(in);
	uint64_t v = edge[how % ARRAY_SIZE(edge)];

	switch (how / ARRAY_SIZE(edge) % 8) {
	case 0:
		return v;
	case 1:
		return v - 1;
	case 2:
		return v + take8(in);
	case 3:
		return v | take_value(in) << 12;
	case 4:
		return 0 - v;
	case 5:
		return v + take8(in) * SZ_4K;
	case 6:
		return v + take8(in) * (SZ_1G / 2);
	default:
		return take64(in);
	}
}

static uint64_t rdmsr(void *opaque, unsigned int cpu, uint32_t msr)
{
	const struct fuzz *f = opaque;
	uint64_t right = msr == 0x87 ? 31 | 32ULL << 32 : 0;

	return cpu == 1 ? right ^ f->msr_flip : right;
}

static void on_violation(void *opaque, const struct seam_violation *v)
{
	(void)opaque;
	if (!v->rule || !v->text || strchr(v->text, '\n'))
		abort();
}

/* Two TDMRs of 1 GiB with the PAMTs behind them. */
static void write_tdmrs(void)
{
	memset(fuzz_mem(FUZZ_ARRAY), 0, 4096 + INFO_SPAN);
	for (unsigned int i = 0; i < NR_TDMRS; i++)
		fuzz_put_tdmr(i, i * SZ_1G, (2 + i) * SZ_1G);
}

static void check(const struct fuzz *f)
{
	struct seam *s = f->seam;
	struct seam_stats st;
	uint64_t calls;
	uint32_t keys;

	seam_get_stats(s, &st);
	calls = st.unknown;
	for (unsigned int i = 0; i < SEAM_MAX_LEAF; i++)
		calls += st.leaf[i].calls;

	/* The module's own, and at most one for a TD. */
	keys = st.nr_tdmrs ? 1 : 0;
	if (calls != f->calls || st.sys_state < f->sys_state || st.sys_state > SYS_SHUTDOWN ||
	    st.nr_tdmrs > MAX_TDMRS || st.keyids_in_use < keys ||
	    st.keyids_in_use > keys + st.tds)
		abort();
	if (s->sys_lock.holders || s->kot.lock.holders || s->ket.lock.holders)
		abort();
	for (unsigned int i = 0; i < st.nr_tdmrs; i++) {
		if (s->tdmr[i].lock.holders || s->tdmr[i].next < s->tdmr[i].range.base ||
		    s->tdmr[i].next > range_end(s->tdmr[i].range))
			abort();
	}
}

static uint64_t call(struct fuzz *f, unsigned int cpu, struct seam_regs regs)
{
	struct seam_regs in = regs;
	enum seam_end how = seam_call(f->seam, cpu % f->nr_cpus, &regs);

	f->calls++;
	check(f);
	f->sys_state = f->seam->sys_state;
	if (how != SEAM_END_DONE && memcmp(&in, &regs, sizeof(in)))
		abort();
	if (regs.rbx != in.rbx || regs.rbp != in.rbp || regs.r15 != in.r15)
		abort();
	return regs.rax;
}

/* The next call of a host that does everything right. */
static void right_step(struct fuzz *f)
{
	unsigned int n = f->progress++;

	if (n == 0) {
		call(f, 0, (struct seam_regs){ .rax = TDH_SYS_INIT });
		return;
	}
	n--;
	if (n < f->nr_cpus) {
		call(f, n, (struct seam_regs){ .rax = TDH_SYS_LP_INIT });
		return;
	}
	n -= f->nr_cpus;
	if (n == 0) {
		call(f, 0, (struct seam_regs){ .rax = TDH_SYS_CONFIG, .rcx = FUZZ_ARRAY,
					       .rdx = NR_TDMRS, .r8 = 32 });
	} else if (n <= f->nr_cpus) {
		seam_wbinvd(f->seam, n - 1);
		call(f, n - 1, (struct seam_regs){ .rax = TDH_SYS_KEY_CONFIG });
	} else {
		call(f, n, (struct seam_regs){ .rax = TDH_SYS_TDMR_INIT, .rcx = n % 2 * SZ_1G });
	}
}

static void odd_call(struct fuzz *f)
{
	static const uint8_t leaf[] = {
		TDH_PHYMEM_PAGE_RDMD, TDH_SYS_KEY_CONFIG, TDH_SYS_INIT, TDH_SYS_RD,
		TDH_SYS_LP_INIT, TDH_SYS_TDMR_INIT, TDH_SYS_CONFIG, TDH_SYS_DISABLE, 9, 62,
	};
	struct seam_regs regs = { .rbx = 1, .rbp = 2, .r15 = 3 };
	uint8_t cpu = take8(&f->in);
	uint8_t what = take8(&f->in);

	regs.rax = what < 240 ? leaf[what % ARRAY_SIZE(leaf)] : take64(&f->in);
	regs.rcx = take_value(&f->in);
	regs.rdx = take_value(&f->in);
	regs.r8 = take_value(&f->in);
	call(f, cpu, regs);
}

/* The right SYS.CONFIG but for one field, then the field as before. */
static void odd_tdmr(struct fuzz *f)
{
	uint64_t pa = FUZZ_INFO + take8(&f->in) % 3 * TDMR_INFO_ALIGN + take8(&f->in) % 40 * 8;
	uint64_t before;

	memcpy(&before, fuzz_mem(pa), sizeof(before));
	put64(pa, take_value(&f->in));
	call(f, 0, (struct seam_regs){ .rax = TDH_SYS_CONFIG, .rcx = FUZZ_ARRAY,
				       .rdx = NR_TDMRS, .r8 = 32 });
	if (take8(&f->in) % 4)
		put64(pa, before);
}

static void step(struct fuzz *f)
{
	switch (take8(&f->in) % 8) {
	case 0 ... 2:
		right_step(f);
		break;
	case 3 ... 4:
		odd_call(f);
		break;
	case 5:
		odd_tdmr(f);
		break;
	case 6:
		put64(FUZZ_ARRAY + take8(&f->in) % MAX_TDMRS * 8, take_value(&f->in));
		break;
	case 7:
		f->msr_flip = take8(&f->in);
		break;
	}
}

static void set_injection(struct seam_config *cfg, struct fuzz_input *in)
{
	static const char *const text[] = {
		"SYS.INIT:1:SYS_BUSY", "SYS.CONFIG:~30:OPERAND_BUSY|RCX", "36:2:INTERRUPTED_RESUMABLE",
		"SYS.LP.INIT:*:GP:2", "24:1:VMFAIL/31:1:KEY_GENERATION_FAILED",
	};
	uint8_t i = take8(in);
	char err[512];

	if (i < ARRAY_SIZE(text) && seam_config_set(cfg, "inject", text[i], err, sizeof(err)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = { .in = { data, data + size } };
	struct seam_machine machine = fuzz_machine(&f);
	struct seam_config cfg;

	machine.rdmsr = rdmsr;
	machine.violation = on_violation;
	machine.reports_wbinvd = true;
	write_tdmrs();

	f.nr_cpus = 1 + take8(&f.in) % 3;
	fuzz_config(&cfg, f.nr_cpus);
	cfg.nr_packages = 1 + take8(&f.in) % f.nr_cpus;
	cfg.tdmr_init_step = take8(&f.in) * (64ULL << 20);
	set_injection(&cfg, &f.in);
	f.seam = fuzz_new(&cfg, &machine);
	while (f.in.p < f.in.end)
		step(&f);
	seam_free(f.seam);
	return 0;
}
