// SPDX-License-Identifier: GPL-2.0-only
/* TDH.MNG: a TD's life but for MNG.INIT. */
#include "leaves.h"
#include "operand.h"
#include "own.h"
#include "td.h"

static uint32_t all_packages(const struct seam *s)
{
	return (1U << s->cfg.nr_packages) - 1;
}

static uint64_t create(struct seam *s, struct call *c, struct pamt_walk *page)
{
	uint16_t hkid = (uint16_t)c->in.rdx;
	struct td *td;

	if (atomic_load(&s->kot.state[hkid]) != KOT_FREE)
		return TDX_HKID_NOT_FREE;
	td = td_new(s, c->in.rcx, hkid);
	if (!td)
		return TDX_OPERAND_BUSY | OPERAND_RCX;

	atomic_store(&s->kot.state[hkid], KOT_ASSIGNED);
	own_take(s, c, page, c->in.rcx, PT_TDR, td, (struct page_info){ .object = td });
	return TDX_SUCCESS;
}

/*
 * A page becomes a TDR, a KeyID is assigned to the TD.
 *
 * In: RCX	page
 *     RDX	KeyID
 */
uint64_t tdh_mng_create(struct seam *s, struct call *c)
{
	struct pamt_walk page;
	uint64_t status;

	if (!kot_is_private(&s->kot, c->in.rdx))
		return TDX_OPERAND_INVALID | OPERAND_RDX;
	status = own_check_free(s, c, c->in.rcx, PS_4K, OPERAND_RCX, &page);
	if (status)
		return status;

	status = TDX_OPERAND_BUSY | OPERAND_KOT;
	if (lock_try_exclusive(&s->kot.lock)) {
		status = create(s, c, &page);
		lock_release(&s->kot.lock, LOCK_EXCLUSIVE);
	}
	pamt_unwalk(&page);
	return status;
}

static uint64_t configure_key(struct seam *s, const struct call *c, struct td *td)
{
	uint32_t package = 1U << s->cfg.package[c->cpu];

	if (atomic_load(&td->fatal))
		return TDX_TD_FATAL;
	if (atomic_load(&td->lifecycle) != TD_HKID_ASSIGNED)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	if (td->key_packages & package)
		return TDX_KEY_CONFIGURED;

	if (!lock_try_exclusive(&s->ket.lock))
		return TDX_OPERAND_BUSY | OPERAND_KET;
	td->key_packages |= package;
	if (td->key_packages == all_packages(s))
		atomic_store(&td->lifecycle, TD_KEYS_CONFIGURED);
	lock_release(&s->ket.lock, LOCK_EXCLUSIVE);
	return TDX_SUCCESS;
}

/*
 * HKID_ASSIGNED -> KEYS_CONFIGURED, once done on a CPU of each package.
 *
 * In: RCX	TDR
 */
uint64_t tdh_mng_key_config(struct seam *s, struct call *c)
{
	struct td_ref ref;
	uint64_t status;

	status = td_get(s, c, c->in.rcx, OPERAND_RCX, LOCK_EXCLUSIVE, &ref);
	if (status)
		return status;
	status = configure_key(s, c, ref.td);
	td_put(&ref);
	return status;
}

static uint64_t add_tdcx(struct seam *s, struct call *c, struct td *td)
{
	struct pamt_walk page;
	uint64_t status = td_check_keys(td);

	if (status)
		return status;
	if (td->nr_tdcx == TDCS_MAX_PAGES)
		return TDX_TDCX_NUM_INCORRECT;
	status = own_check_free(s, c, c->in.rcx, PS_4K, OPERAND_RCX, &page);
	if (status)
		return status;

	/* Before there are enough pages there is no state to look at. */
	if (td->nr_tdcx >= TDCS_PAGES && atomic_load(&td->op_state) != OP_UNINIT) {
		status = TDX_OP_STATE_INCORRECT;
	} else {
		own_take(s, c, &page, c->in.rcx, PT_TDCX, td, (struct page_info){ 0 });
		td->nr_tdcx++;
	}
	pamt_unwalk(&page);
	return status;
}

/*
 * A page becomes a part of the TDCS.
 *
 * In: RCX	page
 *     RDX	TDR
 */
uint64_t tdh_mng_addcx(struct seam *s, struct call *c)
{
	struct td_ref ref;
	uint64_t status;

	status = td_get(s, c, c->in.rdx, OPERAND_RDX, LOCK_EXCLUSIVE, &ref);
	if (status)
		return status;
	status = add_tdcx(s, c, ref.td);
	td_put(&ref);
	return status;
}

static uint64_t vpflushdone(struct seam *s, struct td *td)
{
	enum td_lifecycle lifecycle = atomic_load(&td->lifecycle);

	if (lifecycle != TD_HKID_ASSIGNED && lifecycle != TD_KEYS_CONFIGURED)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	if (atomic_load(&td->nr_associated))
		return TDX_FLUSHVP_NOT_DONE;

	atomic_store(&s->kot.wb_packages[td->hkid], all_packages(s));
	atomic_store(&s->kot.state[td->hkid], KOT_FLUSHED);
	atomic_store(&td->lifecycle, TD_BLOCKED);
	return TDX_SUCCESS;
}

/*
 * HKID_ASSIGNED or KEYS_CONFIGURED -> BLOCKED: no vCPU's state is on any LP.
 *
 * In: RCX	TDR
 */
uint64_t tdh_mng_vpflushdone(struct seam *s, struct call *c)
{
	struct td_ref ref;
	uint64_t status;

	status = td_get(s, c, c->in.rcx, OPERAND_RCX, LOCK_EXCLUSIVE, &ref);
	if (status)
		return status;

	status = TDX_OPERAND_BUSY | OPERAND_KOT;
	if (lock_try_exclusive(&s->kot.lock)) {
		status = vpflushdone(s, ref.td);
		lock_release(&s->kot.lock, LOCK_EXCLUSIVE);
	}
	td_put(&ref);
	return status;
}

static uint64_t free_key(struct seam *s, struct td *td)
{
	uint64_t status = TDX_SUCCESS;

	if (atomic_load(&td->lifecycle) != TD_BLOCKED)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	if (!lock_try_exclusive(&s->kot.lock))
		return TDX_OPERAND_BUSY | OPERAND_KOT;

	if (atomic_load(&s->kot.wb_packages[td->hkid])) {
		status = TDX_WBCACHE_NOT_COMPLETE;
	} else {
		atomic_store(&s->kot.state[td->hkid], KOT_FREE);
		atomic_store(&td->lifecycle, TD_TEARDOWN);
	}
	lock_release(&s->kot.lock, LOCK_EXCLUSIVE);
	return status;
}

/*
 * BLOCKED -> TEARDOWN: the KeyID is free again.
 *
 * In: RCX	TDR
 */
uint64_t tdh_mng_key_freeid(struct seam *s, struct call *c)
{
	struct td_ref ref;
	uint64_t status;

	status = td_get(s, c, c->in.rcx, OPERAND_RCX, LOCK_EXCLUSIVE, &ref);
	if (status)
		return status;
	status = free_key(s, ref.td);
	td_put(&ref);
	return status;
}
