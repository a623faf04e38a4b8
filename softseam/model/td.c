// SPDX-License-Identifier: GPL-2.0-only
/* TDs: finding, locking and checking them. */
#include <stdlib.h>

#include "leaves.h"
#include "own.h"
#include "td.h"

uint64_t td_get(struct seam *s, struct call *c, uint64_t pa, uint32_t op,
		enum lock_mode mode, struct td_ref *ref)
{
	uint64_t status;

	*ref = (struct td_ref){ .mode = mode };
	status = own_check_type(s, c, pa, PT_TDR, op, mode, &ref->page);
	if (status)
		return status;

	ref->td = own_info(s, pa)->object;
	own_check_intact(s, c, ref->page.entry, pa, PS_4K, ref->td);
	return TDX_SUCCESS;
}

uint64_t td_get_owner(struct seam *s, struct call *c, const struct pamt_walk *page,
		      enum lock_mode mode, struct td_ref *ref)
{
	uint64_t tdr = pamt_owner(page->entry);
	struct pamt_entry *entry = pamt_entry(&s->pamt, tdr, PS_4K);

	*ref = (struct td_ref){ .mode = mode };
	if (!lock_try(&entry->lock, mode))
		return TDX_OPERAND_BUSY | OPERAND_TDR;

	ref->implicit = entry;
	ref->td = own_info(s, tdr)->object;
	own_check_intact(s, c, entry, tdr, PS_4K, ref->td);
	return TDX_SUCCESS;
}

void td_put(struct td_ref *ref)
{
	if (ref->op_locked)
		lock_release(&ref->td->op_state_lock, LOCK_SHARED);
	if (ref->implicit)
		lock_release(&ref->implicit->lock, ref->mode);
	else
		pamt_unwalk(&ref->page);
}

uint64_t td_check_keys(const struct td *td)
{
	if (atomic_load(&td->fatal))
		return TDX_TD_FATAL;
	if (atomic_load(&td->lifecycle) != TD_KEYS_CONFIGURED)
		return TDX_TD_KEYS_NOT_CONFIGURED;
	return TDX_SUCCESS;
}

uint64_t td_check(struct td_ref *ref, unsigned int op_states)
{
	struct td *td = ref->td;
	uint64_t status = td_check_keys(td);

	if (status)
		return status;
	if (td->nr_tdcx < TDCS_PAGES)
		return TDX_TDCS_NOT_ALLOCATED;
	if (ref->mode == LOCK_SHARED) {
		if (!lock_try_shared(&td->op_state_lock))
			return TDX_OPERAND_BUSY | OPERAND_OP_STATE;
		ref->op_locked = true;
	}
	if (!(OP_BIT(atomic_load(&td->op_state)) & op_states))
		return TDX_OP_STATE_INCORRECT;
	return TDX_SUCCESS;
}

struct td *td_new(struct seam *s, uint64_t tdr, uint16_t hkid)
{
	struct td *td = calloc(1, sizeof(*td));

	if (!td)
		return NULL;
	td->seam = s;
	td->tdr = tdr;
	td->hkid = hkid;

	pthread_mutex_lock(&s->tds_lock);
	td->next = s->tds;
	s->tds = td;
	pthread_mutex_unlock(&s->tds_lock);
	return td;
}

void td_free(struct td *td)
{
	struct seam *s = td->seam;
	struct td **at;

	while (td->vcpus)
		vcpu_destroy(td->vcpus);

	pthread_mutex_lock(&s->tds_lock);
	for (at = &s->tds; *at != td; at = &(*at)->next)
		;
	*at = td->next;
	pthread_mutex_unlock(&s->tds_lock);

	sept_destroy(&td->sept);
	free(td->cpuid);
	free(td);
}

void td_free_all(struct seam *s)
{
	while (s->tds)
		td_free(s->tds);
}

unsigned int td_count(struct seam *s)
{
	unsigned int nr = 0;

	pthread_mutex_lock(&s->tds_lock);
	for (const struct td *td = s->tds; td; td = td->next)
		nr++;
	pthread_mutex_unlock(&s->tds_lock);
	return nr;
}
