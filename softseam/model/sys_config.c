// SPDX-License-Identifier: GPL-2.0-only
/* TDH.SYS.CONFIG */
#include "leaves.h"
#include "operand.h"

/* R8 */
#define GLOBAL_HKID		0xFFFFULL
#define DYNAMIC_PAMT		(1ULL << 16)

/* A pair's page numbers have 36 bits in the region's entry. */
#define DYNAMIC_PAMT_MAX_BITS	48

static bool wants_dynamic_pamt(const struct call *c)
{
	return c->in.r8 & DYNAMIC_PAMT;
}

static bool can_dynamic_pamt(const struct seam *s)
{
	return s->cfg.features0 & FEATURE_DYNAMIC_PAMT &&
	       s->cfg.hpa_bits <= DYNAMIC_PAMT_MAX_BITS;
}

static uint64_t read_tdmr(struct seam *s, struct call *c, unsigned int i)
{
	struct tdmr_info info;
	uint64_t pa, status;

	status = operand_read(s, c, c->in.rcx + i * sizeof(pa), &pa, sizeof(pa), OPERAND_RCX);
	if (!status)
		status = operand_shared(s, pa, TDMR_INFO_ALIGN, OPERAND_RCX);
	if (!status)
		status = operand_read(s, c, pa, &info, sizeof(info), OPERAND_RCX);
	if (!status)
		status = tdmr_check(s->tdmr, i, &info, &s->cmrs, s->cfg.hpa_bits,
				    wants_dynamic_pamt(c));
	return status;
}

/* Add-on features, which version 1 chooses. */
static uint64_t add_ons(const struct call *c)
{
	return call_version(c) ? c->in.r9 : 0;
}

static uint64_t check_operands(const struct seam *s, const struct call *c)
{
	uint64_t status = operand_shared(s, c->in.rcx, TDMR_INFO_ALIGN, OPERAND_RCX);

	if (status)
		return status;
	if (!c->in.rdx || c->in.rdx > MAX_TDMRS)
		return TDX_OPERAND_INVALID | OPERAND_RDX;
	if (!kot_is_private(&s->kot, c->in.r8 & ~DYNAMIC_PAMT))
		return TDX_OPERAND_INVALID | OPERAND_R8;
	if (wants_dynamic_pamt(c) && !can_dynamic_pamt(s))
		return TDX_OPERAND_INVALID | OPERAND_R8;
	if (!ext_offers(s, add_ons(c)))
		return TDX_OPERAND_INVALID | OPERAND_R9;
	return TDX_SUCCESS;
}

/* All checks passed: from here on nothing fails. */
static void commit(struct seam *s, const struct call *c)
{
	unsigned int nr = (unsigned int)c->in.rdx;
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < nr; i++) {
		for (enum page_size size = 0; size < NR_PAGE_SIZES; size++)
			bytes += s->tdmr[i].pamt[size].size;
	}
	for (unsigned int cpu = 0; cpu < s->cfg.nr_cpus; cpu++)
		atomic_store(&s->lp[cpu].caches_clean, false);

	s->global_hkid = (uint16_t)(c->in.r8 & GLOBAL_HKID);
	s->pamt.dynamic = wants_dynamic_pamt(c);
	ext_configure(s, add_ons(c));
	atomic_store(&s->kot.state[s->global_hkid], KOT_RESERVED);
	atomic_store(&s->pamt_bytes, bytes);
	atomic_store(&s->nr_tdmrs, nr);
	atomic_store(&s->sys_state, SYS_SYSCONFIG_DONE);
}

/*
 * SYSINIT_DONE -> SYSCONFIG_DONE
 *
 * In: RCX	array of addresses of TDMR_INFO structures
 *     RDX	how many
 *     R8	global KeyID, and whether PAMT is to be dynamic
 *     R9	version 1: add-on features
 */
uint64_t tdh_sys_config(struct seam *s, struct call *c)
{
	uint64_t status;

	if (atomic_load(&s->sys_state) != SYS_SYSINIT_DONE || s->nr_lps_init < s->cfg.nr_cpus)
		return TDX_SYS_CONFIG_NOT_PENDING;

	status = check_operands(s, c);
	if (status)
		return status;
	if (!lock_try_exclusive(&s->kot.lock))
		return TDX_OPERAND_BUSY | OPERAND_KOT;

	for (unsigned int i = 0; !status && i < c->in.rdx; i++)
		status = read_tdmr(s, c, i);
	if (!status)
		commit(s, c);

	lock_release(&s->kot.lock, LOCK_EXCLUSIVE);
	return status;
}
