// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "host.h"
#include "state.h"

void host_assert_status(uint64_t got, uint64_t want, const char *file, int line)
{
	char g[96], w[96];

	if (got == want)
		return;
	seam_format_status(g, sizeof(g), got);
	seam_format_status(w, sizeof(w), want);
	print_error("%s instead of %s\n", g, w);
	_fail(file, line);
}

/* The test programs are linked so that these stand before the C library's. */
void *__real_calloc(size_t nr, size_t size);
void *__wrap_calloc(size_t nr, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
void *__real_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);

static unsigned int allocs_to_failure;

void host_fail_alloc(unsigned int nth)
{
	allocs_to_failure = nth;
}

static bool alloc_fails(void)
{
	return allocs_to_failure && !--allocs_to_failure;
}

void *__wrap_calloc(size_t nr, size_t size)
{
	return alloc_fails() ? NULL : __real_calloc(nr, size);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
	return alloc_fails() ? NULL : __real_aligned_alloc(align, size);
}

void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	return alloc_fails() ? MAP_FAILED : __real_mmap(addr, len, prot, flags, fd, offset);
}

static bool is_ram(uint64_t pa, uint64_t len)
{
	static const struct seam_range ram[] = {
		{ 1 * MB, 3 * GB - 1 * MB }, { 4 * GB, 2 * GB },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ram); i++) {
		if (range_contains(ram[i], (struct seam_range){ pa, len }))
			return true;
	}
	return false;
}

static void *ram(void *opaque, uint64_t pa, uint64_t len)
{
	struct host *h = opaque;

	if (h->not_ram && range_has((struct seam_range){ pa, len }, h->not_ram))
		return NULL;
	return is_ram(pa, len) ? h->mem + pa : NULL;
}

static uint64_t now(void *opaque)
{
	struct host *h = opaque;

	return h->time += 1000;
}

static bool irq_pending(void *opaque, unsigned int cpu)
{
	struct host *h = opaque;

	(void)cpu;
	return h->irq_after && !--h->irq_after;
}

static uint64_t rdmsr(void *opaque, unsigned int cpu, uint32_t msr)
{
	const struct host *h = opaque;
	uint64_t value = 0;

	if (msr == 0x87)
		value = h->cfg.nr_mktme_keyids | (uint64_t)h->cfg.nr_tdx_keyids << 32;
	else if (msr == 0x480)
		value = 0x10D8100000000001;
	return msr == h->msr && cpu == h->msr_cpu ? value ^ h->msr_flip : value;
}

static void cpuid(void *opaque, unsigned int cpu, uint32_t leaf, uint32_t subleaf,
		  uint32_t out[4])
{
	const struct host *h = opaque;

	(void)cpu;
	memset(out, 0, 4 * sizeof(out[0]));
	if (leaf == 1) {
		out[ECX] = 1U << 5 | 1U << 26;
		out[EDX] = 1U << 27;
	} else if (leaf == 7 && subleaf == 0) {
		out[EBX] = 0xFFFFFFFF;
		out[ECX] = 1U << 28;
		out[EDX] = 0xFC000400;
	} else if (leaf == 7) {
		out[subleaf == 1 ? EAX : EDX] = 0xFFFFFFFF;
	} else if (leaf == 0xD) {
		out[subleaf ? ECX : EAX] = subleaf ? 0x1800 : 0x600E7;
	} else if (leaf == 0x80000008) {
		out[EAX] = 0x3000 | h->cfg.hpa_bits;
	}
	if (leaf == h->cpuid_leaf)
		out[h->cpuid_reg] ^= h->cpuid_flip;
}

static const char *caller(void *opaque, unsigned int cpu)
{
	const struct host *h = opaque;

	(void)cpu;
	return h->caller;
}

static void on_violation(void *opaque, const struct seam_violation *v)
{
	struct host *h = opaque;

	h->nr_violations++;
	h->violation_rule = v->rule;
	h->violation_pa = v->pa;
	snprintf(h->violation_text, sizeof(h->violation_text), "%s", v->text);
}

static void on_event(void *opaque, const struct seam_event *e)
{
	struct host *h = opaque;

	h->nr_events++;
	h->event_in = *e->in;
	h->event_out = *e->out;
	h->event = *e;
	h->event.in = &h->event_in;
	h->event.out = &h->event_out;
}

struct tdmr_info *host_tdmr(struct host *h, unsigned int i)
{
	return (struct tdmr_info *)(h->mem + HOST_INFO + i * TDMR_INFO_ALIGN);
}

uint64_t *host_array(struct host *h)
{
	return (uint64_t *)(h->mem + HOST_ARRAY);
}

static uint64_t put_pamt(struct seam_range *area, uint64_t base, uint64_t tdmr_size,
			 enum page_size size)
{
	*area = (struct seam_range){ base, tdmr_pamt_bytes(tdmr_size, size) };
	return range_end(*area);
}

/* As Linux lays them out: 4K, 2M and 1G areas of a TDMR behind each other. */
static void fill_tdmrs(struct host *h)
{
	static const struct seam_range range[HOST_TDMRS] = {
		{ 0, 1 * GB }, { 1 * GB, 2 * GB }, { 4 * GB, 2 * GB },
	};
	uint64_t pamt = HOST_PAMT;

	for (unsigned int i = 0; i < HOST_TDMRS; i++) {
		struct tdmr_info *t = host_tdmr(h, i);

		host_array(h)[i] = HOST_INFO + i * TDMR_INFO_ALIGN;
		memset(t, 0, sizeof(*t));
		t->base = range[i].base;
		t->size = range[i].size;
		pamt = put_pamt(&t->pamt_4k, pamt, t->size, PS_4K);
		pamt = put_pamt(&t->pamt_2m, pamt, t->size, PS_2M);
		pamt = put_pamt(&t->pamt_1g, pamt, t->size, PS_1G);
	}
	host_tdmr(h, 0)->reserved[0] = (struct seam_range){ 0, 1 * MB };
	host_tdmr(h, 2)->reserved[0] = (struct seam_range){ HOST_PAMT - 4 * GB, HOST_PAMT_SIZE };
}

static struct seam_regs config_call(const struct seam_config *cfg)
{
	struct seam_regs regs = { .rax = TDH_SYS_CONFIG, .rcx = HOST_ARRAY, .rdx = HOST_TDMRS,
				  .r8 = HOST_HKID };

	if (cfg->features0 & FEATURE_DYNAMIC_PAMT)
		regs.r8 |= 1 << 16;
	if (cfg->features0 & FEATURE_EXT) {
		regs.rax |= 1 << 16;
		regs.r9 = cfg->features0 & (FEATURE_TDXCONNECT | FEATURE_QUOTE);
	}
	return regs;
}

struct host *host_new(const char *const *args)
{
	struct host *h = calloc(1, sizeof(*h));
	char err[512];

	assert_non_null(h);
	h->mem = mmap(NULL, HOST_MEM_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(h->mem, MAP_FAILED);

	seam_config_init(&h->cfg);
	/* Room above MAXPA, for addresses that are too high. */
	h->cfg.hpa_bits = 40;
	h->cfg.nr_cpus = HOST_CPUS;
	assert_int_equal(seam_config_set(&h->cfg, "cmr", "1M+3071M:4G+2G", err, sizeof(err)), 0);
	assert_int_equal(seam_config_set(&h->cfg, "packages", "2", err, sizeof(err)), 0);
	for (; args && *args; args += 2) {
		if (seam_config_set(&h->cfg, args[0], args[1], err, sizeof(err)))
			fail_msg("%s", err);
	}

	h->machine = (struct seam_machine){
		.opaque = h, .ram = ram, .now = now, .rdmsr = rdmsr, .cpuid = cpuid,
		.irq_pending = irq_pending, .violation = on_violation, .event = on_event,
		.caller = caller, .reports_wbinvd = true, .reports_clflush = true,
		.reports_movdir64b = true,
	};
	h->config = config_call(&h->cfg);
	fill_tdmrs(h);
	return h;
}

void host_free(struct host *h)
{
	seam_free(h->seam);
	munmap(h->mem, HOST_MEM_SIZE);
	free(h);
}

void host_start(struct host *h)
{
	char err[512];

	h->seam = seam_new(&h->cfg, &h->machine, err, sizeof(err));
	if (!h->seam)
		fail_msg("%s", err);
}

enum seam_end host_call(struct host *h, unsigned int cpu, struct seam_regs *regs)
{
	return seam_call(h->seam, cpu, regs);
}

uint64_t host_status(struct host *h, unsigned int cpu, struct seam_regs regs)
{
	assert_int_equal(host_call(h, cpu, &regs), SEAM_END_DONE);
	return regs.rax;
}

static void must(struct host *h, unsigned int cpu, struct seam_regs regs)
{
	assert_status(host_status(h, cpu, regs), TDX_SUCCESS);
}

static void init_tdmrs(struct host *h)
{
	for (unsigned int i = 0; i < HOST_TDMRS; i++) {
		const struct tdmr_info *t = host_tdmr(h, i);
		struct seam_regs regs;

		do {
			regs = (struct seam_regs){ .rax = TDH_SYS_TDMR_INIT, .rcx = t->base };
			assert_int_equal(host_call(h, i, &regs), SEAM_END_DONE);
			assert_status(regs.rax, TDX_SUCCESS);
		} while (regs.rdx < t->base + t->size);
	}
}

void host_goto(struct host *h, enum stage stage)
{
	if (stage >= STAGE_INIT)
		must(h, 0, (struct seam_regs){ .rax = TDH_SYS_INIT });
	if (stage >= STAGE_LPS) {
		for (unsigned int cpu = 0; cpu < h->cfg.nr_cpus; cpu++)
			must(h, cpu, (struct seam_regs){ .rax = TDH_SYS_LP_INIT });
	}
	if (stage >= STAGE_CONFIG) {
		must(h, 1, h->config);
		for (unsigned int cpu = 0; cpu < h->cfg.nr_cpus; cpu++)
			seam_wbinvd(h->seam, cpu);
	}
	if (stage >= STAGE_READY) {
		must(h, 0, (struct seam_regs){ .rax = TDH_SYS_KEY_CONFIG });
		must(h, HOST_CPUS - 1, (struct seam_regs){ .rax = TDH_SYS_KEY_CONFIG });
	}
	if (stage >= STAGE_TDMRS)
		init_tdmrs(h);
	if (stage >= STAGE_SHUTDOWN)
		must(h, 0, (struct seam_regs){ .rax = TDH_SYS_DISABLE });
}

uint64_t host_digest_bytes(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ p[i]) * 0x100000001B3ULL;
	return sum;
}

#define DIGEST(sum, field)	host_digest_bytes(sum, &(field), sizeof(field))

/* Stretches that were never used are all zero and are skipped. */
static uint64_t digest_sparse(uint64_t sum, const void *data, size_t bytes)
{
	static const uint8_t zero[4096];
	const uint8_t *p = data;

	for (size_t at = 0; at < bytes; at += sizeof(zero)) {
		size_t left = bytes - at;
		size_t len = left < sizeof(zero) ? left : sizeof(zero);

		if (memcmp(p + at, zero, len))
			sum = host_digest_bytes(DIGEST(sum, at), p + at, len);
	}
	return sum;
}

static uint64_t digest_pamt(uint64_t sum, const struct pamt *pamt)
{
	for (enum page_size size = 0; size < NR_PAGE_SIZES; size++)
		sum = digest_sparse(sum, pamt->entry[size], pamt->bytes[size]);
	return sum;
}

uint64_t host_digest(const struct host *h)
{
	const struct seam *s = h->seam;
	uint64_t sum = 0xCBF29CE484222325ULL;

	sum = DIGEST(sum, s->sys_state);
	sum = DIGEST(sum, s->sys_lock);
	sum = DIGEST(sum, s->disable_pending);
	sum = DIGEST(sum, s->platform);
	sum = DIGEST(sum, s->cmrs);
	sum = DIGEST(sum, s->lp);
	sum = DIGEST(sum, s->nr_lps_init);
	sum = DIGEST(sum, s->nr_tdmrs);
	sum = DIGEST(sum, s->pamt_bytes);
	sum = host_digest_bytes(sum, s->tdmr, s->nr_tdmrs * sizeof(s->tdmr[0]));
	sum = DIGEST(sum, s->kot);
	sum = DIGEST(sum, s->ket);
	sum = host_digest_bytes(sum, h->mem + HOST_ARRAY, 8192);
	sum = DIGEST(sum, s->global_hkid);
	sum = DIGEST(sum, s->pamt.dynamic);
	sum = DIGEST(sum, s->pamt.pairs);
	sum = digest_sparse(sum, s->pamt.used, s->pamt.end / SZ_2M * sizeof(s->pamt.used[0]));
	sum = digest_sparse(sum, s->pamt.bitmap, s->pamt.end / SZ_4K / 8);
	sum = DIGEST(sum, s->ext);
	return digest_pamt(sum, &s->pamt);
}

static bool is_output(const struct leaf *leaf, size_t offset)
{
	for (unsigned int i = 0; leaf && i < LEAF_MAX_REGS && leaf->out[i].name; i++) {
		if (leaf->out[i].offset == offset)
			return true;
	}
	return offset == offsetof(struct seam_regs, rax);
}

/* Registers that are no outputs must survive every call. */
static void assert_regs_kept(const struct seam_regs *in, const struct seam_regs *out)
{
	const struct leaf *leaf = leaf_get(in->rax & 0xffff);

	for (size_t offset = 0; offset < sizeof(*in); offset += sizeof(uint64_t)) {
		if (!is_output(leaf, offset))
			assert_memory_equal((const char *)in + offset, (const char *)out + offset,
					    sizeof(uint64_t));
	}
}

void host_call_checked(struct host *h, unsigned int cpu, struct seam_regs *regs)
{
	struct seam_regs in;

	/* What a leaf does not use must not matter. */
	regs->rbp = 0x1122334455667788;
	regs->r15 = 0x8877665544332211;
	in = *regs;
	assert_int_equal(host_call(h, cpu, regs), SEAM_END_DONE);
	assert_regs_kept(&in, regs);
}

const char *host_leaf_name(const struct seam_regs *in)
{
	const char *name = seam_leaf_name(in->rax & 0xFFFF);

	return name ? name : "unknown";
}

void host_row_call(struct host *h, unsigned int cpu, struct seam_regs *regs, const char *name,
		   uint64_t status, const char *rule)
{
	const char *leaf = host_leaf_name(regs);
	uint64_t before = host_state(h);

	host_call_checked(h, cpu, regs);
	assert_status(regs->rax, status);
	if (status)
		host_call_failed(h, leaf, status, name, before);

	if (rule)
		assert_string_equal(h->violation_rule, rule);
	assert_int_equal(h->nr_violations, rule ? 1 : 0);
}

int run_table(const char *group, CMUnitTestFunction test, const void *rows, size_t size, size_t nr)
{
	struct CMUnitTest *tests = calloc(nr, sizeof(*tests));
	int failed;

	if (!tests)
		return 1;
	for (size_t i = 0; i < nr; i++) {
		const char *row = (const char *)rows + i * size;

		tests[i].name = *(const char *const *)row;
		tests[i].test_func = test;
		tests[i].initial_state = (void *)(uintptr_t)row;
	}
	failed = _cmocka_run_group_tests(group, tests, nr, NULL, NULL);
	free(tests);
	return failed;
}

static void run_row(void **state)
{
	const struct row *row = *state;
	struct host *h = host_new(row->args);
	struct seam_regs regs = row->in;

	host_start(h);
	host_goto(h, row->stage);
	if (row->twist)
		row->twist(h, &regs);
	host_row_call(h, row->cpu, &regs, row->name, row->status, row->rule);
	host_free(h);
}

int run_rows(const char *group, const struct row *rows, size_t nr)
{
	return run_table(group, run_row, rows, sizeof(*rows), nr);
}

int host_setup(void **state)
{
	*state = host_new(NULL);
	return 0;
}

int host_teardown(void **state)
{
	host_free(*state);
	return 0;
}
