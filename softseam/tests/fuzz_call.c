// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz seam_call().  The input is a configuration and then a list of steps: a
 * call with odd operands, a change of what the host wrote to memory or of an
 * MSR, or the next right call on the way to READY, so that every state is near.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "leaves.h"
#include "range.h"

#define MEM_SIZE	(4ULL << 30)
#define ARRAY		0x200000
#define INFO		0x201000
#define INFO_SPAN	(MAX_TDMRS * TDMR_INFO_ALIGN)
#define NR_TDMRS	2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *p, *end;
};

struct fuzz {
	struct input in;
	struct seam *seam;
	unsigned int nr_cpus;
	uint64_t time;
	/* Steps on the right way so far. */
	unsigned int progress;
	uint64_t msr_flip;
	/* What the model must agree with. */
	uint64_t calls;
	unsigned int sys_state;
};

static uint8_t *mem;

static uint8_t take8(struct input *in)
{
	return in->p < in->end ? *in->p++ : 0;
}

static uint64_t take64(struct input *in)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < 8; i++)
		v |= (uint64_t)take8(in) << (8 * i);
	return v;
}

/* A value from a register or a TDMR_INFO: mostly near the edges of something. */
static uint64_t take_value(struct input *in)
{
	static const uint64_t edge[] = {
		0, 1, 2, 16, 64, 512, SZ_4K, SZ_2M, SZ_1G, 2 * SZ_1G, 3 * SZ_1G,
		MEM_SIZE, 1ULL << 39, 1ULL << 40, 1ULL << 41, 1ULL << 46, 1ULL << 63,
		ARRAY, INFO, 32, 33, 63, 64ULL << 10, 4ULL << 20, 8ULL << 20,
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

static void *ram(void *opaque, uint64_t pa, uint64_t len)
{
	(void)opaque;
	return pa <= MEM_SIZE && len <= MEM_SIZE - pa ? mem + pa : NULL;
}

static uint64_t now(void *opaque)
{
	struct fuzz *f = opaque;

	return ++f->time;
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

static void on_event(void *opaque, const struct seam_event *e)
{
	char line[512];
	int len = seam_format_event(line, sizeof(line), e);

	(void)opaque;
	if (len <= 0 || (size_t)len >= sizeof(line))
		abort();
}

static void put64(uint64_t pa, uint64_t v)
{
	memcpy(mem + pa, &v, sizeof(v));
}

/* Two TDMRs of 1 GiB with the PAMTs behind them. */
static void write_tdmrs(void)
{
	memset(mem + ARRAY, 0, 4096 + INFO_SPAN);
	for (unsigned int i = 0; i < NR_TDMRS; i++) {
		uint64_t info = INFO + i * TDMR_INFO_ALIGN, pamt = (2 + i) * SZ_1G;

		put64(ARRAY + 8 * i, info);
		put64(info, i * SZ_1G);
		put64(info + 8, SZ_1G);
		put64(info + 16, pamt);
		put64(info + 24, SZ_4K);
		put64(info + 32, pamt + SZ_2M);
		put64(info + 40, 2 * SZ_4K);
		put64(info + 48, pamt + 2 * SZ_2M);
		put64(info + 56, 2 * SZ_2M);
	}
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
		call(f, 0, (struct seam_regs){ .rax = TDH_SYS_CONFIG, .rcx = ARRAY,
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
	uint64_t pa = INFO + take8(&f->in) % 3 * TDMR_INFO_ALIGN + take8(&f->in) % 40 * 8;
	uint64_t before;

	memcpy(&before, mem + pa, sizeof(before));
	put64(pa, take_value(&f->in));
	call(f, 0, (struct seam_regs){ .rax = TDH_SYS_CONFIG, .rcx = ARRAY,
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
		put64(ARRAY + take8(&f->in) % MAX_TDMRS * 8, take_value(&f->in));
		break;
	case 7:
		f->msr_flip = take8(&f->in);
		break;
	}
}

static void set_injection(struct seam_config *cfg, struct input *in)
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
	struct seam_machine machine = {
		.opaque = &f, .ram = ram, .now = now, .rdmsr = rdmsr,
		.violation = on_violation, .event = on_event, .reports_wbinvd = true,
	};
	struct seam_config cfg;
	char err[512];

	if (!mem)
		mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	write_tdmrs();

	seam_config_init(&cfg);
	cfg.nr_cpus = f.nr_cpus = 1 + take8(&f.in) % 3;
	cfg.nr_packages = 1 + take8(&f.in) % f.nr_cpus;
	cfg.tdmr_init_step = take8(&f.in) * (64ULL << 20);
	cfg.nr_cmrs = 1;
	cfg.cmr[0] = (struct seam_range){ 0, MEM_SIZE };
	set_injection(&cfg, &f.in);

	f.seam = seam_new(&cfg, &machine, err, sizeof(err));
	if (!f.seam)
		abort();
	while (f.in.p < f.in.end)
		step(&f);
	seam_free(f.seam);
	return 0;
}
