// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "td_host.h"

void td_must(struct host *h, unsigned int cpu, struct seam_regs regs)
{
	assert_status(host_status(h, cpu, regs), TDX_SUCCESS);
}

uint8_t *host_mem(struct host *h, uint64_t pa)
{
	return h->mem + pa;
}

struct td *host_td(struct host *h)
{
	return own_info(h->seam, TDR)->object;
}

struct vcpu *host_vcpu(struct host *h)
{
	return own_info(h->seam, TDVPR(0))->object;
}

struct td_params_page *host_params(struct host *h)
{
	return (struct td_params_page *)host_mem(h, TD_PARAMS);
}

struct pamt_entry *host_page(struct host *h, uint64_t pa)
{
	return pamt_entry(&h->seam->pamt, pa, PS_4K);
}

struct sept_entry *host_entry(struct host *h, uint64_t gpa, unsigned int level)
{
	struct sept_walk walk;

	assert_true(sept_walk(&host_td(h)->sept, gpa, level, &walk));
	return walk.entry;
}

void td_prepare_params(struct host *h)
{
	struct td_params_page *p = host_params(h);

	memset(p, 0, sizeof(*p));
	p->xfam = 3;
	p->max_vcpus = 3;
	p->eptp_controls = 0x1E;
	p->config_flags = TD_CONFIG_NO_RBP_MOD;
	p->tsc_frequency = 40;
	for (unsigned int i = 0; i < SZ_4K; i++)
		*host_mem(h, SOURCE + i) = (uint8_t)(i * 7 + i / 256);
}

static void create(struct host *h, enum td_stage stage)
{
	if (stage >= TD_CREATED)
		td_must(h, 0, (struct seam_regs){ .rax = TDH_MNG_CREATE, .rcx = TDR,
						  .rdx = TD_HKID });
	if (stage >= TD_KEYS) {
		td_must(h, 0, (struct seam_regs){ .rax = TDH_MNG_KEY_CONFIG, .rcx = TDR });
		td_must(h, HOST_CPUS - 1, (struct seam_regs){ .rax = TDH_MNG_KEY_CONFIG,
							      .rcx = TDR });
	}
	for (unsigned int i = 0; stage >= TD_TDCS && i < TDCS_PAGES; i++)
		td_must(h, 0, (struct seam_regs){ .rax = TDH_MNG_ADDCX, .rcx = TDCX(i),
						  .rdx = TDR });
	if (stage >= TD_INIT)
		td_must(h, 0, (struct seam_regs){ .rax = TDH_MNG_INIT, .rcx = TDR,
						  .rdx = TD_PARAMS });
}

static void create_vcpu(struct host *h, enum td_stage stage)
{
	if (stage >= TD_VCPU_CREATED)
		td_must(h, 0, (struct seam_regs){ .rax = TDH_VP_CREATE, .rcx = TDVPR(0),
						  .rdx = TDR });
	for (unsigned int i = 0; stage >= TD_VCPU_PAGES && i < TDVPS_CHILD_PAGES; i++)
		td_must(h, 0, (struct seam_regs){ .rax = TDH_VP_ADDCX, .rcx = TDVPX(0, i),
						  .rdx = TDVPR(0) });
	if (stage >= TD_VCPU)
		td_must(h, 0, (struct seam_regs){ .rax = TDH_VP_INIT | 1 << 16, .rcx = TDVPR(0),
						  .rdx = 0x1234 });
}

static void build(struct host *h, enum td_stage stage)
{
	for (unsigned int level = 3; stage >= TD_SEPT && level > 0; level--)
		td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_SEPT_ADD, .rcx = level,
						  .rdx = TDR, .r8 = EPT_PAGE(level) });
	if (stage >= TD_PAGE)
		td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_PAGE_ADD, .rcx = GPA_REG,
						  .rdx = TDR, .r8 = REG_PAGE, .r9 = SOURCE });
	if (stage >= TD_RUNNABLE)
		td_must(h, 0, (struct seam_regs){ .rax = TDH_MR_FINALIZE, .rcx = TDR });
	if (stage >= TD_AUG)
		td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_PAGE_AUG, .rcx = GPA_AUG,
						  .rdx = TDR, .r8 = AUG_PAGE });
	if (stage >= TD_BLOCKED_PAGES) {
		td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_RANGE_BLOCK, .rcx = GPA_REG,
						  .rdx = TDR });
		td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_RANGE_BLOCK, .rcx = GPA_AUG,
						  .rdx = TDR });
	}
	if (stage >= TD_TRACKED)
		td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_TRACK, .rcx = TDR });
}

static void take_down(struct host *h, enum td_stage stage)
{
	if (stage >= TD_FLUSHED)
		td_must(h, 0, (struct seam_regs){ .rax = TDH_VP_FLUSH, .rcx = TDVPR(0) });
	if (stage >= TD_VPFLUSHDONE)
		td_must(h, 0, (struct seam_regs){ .rax = TDH_MNG_VPFLUSHDONE, .rcx = TDR });
	if (stage >= TD_CACHES) {
		td_must(h, 0, (struct seam_regs){ .rax = TDH_PHYMEM_CACHE_WB });
		td_must(h, HOST_CPUS - 1, (struct seam_regs){ .rax = TDH_PHYMEM_CACHE_WB });
	}
	if (stage >= TD_TORN_DOWN)
		td_must(h, 0, (struct seam_regs){ .rax = TDH_MNG_KEY_FREEID, .rcx = TDR });
}

/* With Dynamic PAMT the pages of TDs need a pair, and have it in their region. */
static void lend_pair(struct host *h)
{
	if (h->seam->pamt.dynamic)
		td_must(h, 0, (struct seam_regs){ .rax = TDH_PHYMEM_PAMT_ADD,
						  .rcx = TD_PAGES | PS_2M, .rdx = TD_PAIR,
						  .r8 = TD_PAIR + SZ_4K });
}

void td_goto(struct host *h, enum td_stage stage)
{
	host_goto(h, STAGE_TDMRS);
	lend_pair(h);
	td_prepare_params(h);
	create(h, stage);
	create_vcpu(h, stage);
	build(h, stage);
	take_down(h, stage);
}

static void run_row(void **state)
{
	const struct td_row *row = *state;
	struct host *h = host_new(row->args);
	struct seam_regs regs = row->in;

	host_start(h);
	td_goto(h, row->stage);
	if (row->twist)
		row->twist(h, &regs);

	host_row_call(h, row->cpu, &regs, row->name, row->status, row->rule);
	if (row->has_out) {
		assert_int_equal(regs.rcx, row->out[0]);
		assert_int_equal(regs.rdx, row->out[1]);
	}
	host_free(h);
}

int run_td_rows(const char *group, const struct td_row *rows, size_t nr)
{
	return run_table(group, run_row, rows, sizeof(*rows), nr);
}
