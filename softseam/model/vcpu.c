// SPDX-License-Identifier: GPL-2.0-only
/* vCPUs: finding and locking them, and the LP that holds their state. */
#include <stdlib.h>

#include "guest_vcpu.h"
#include "leaves.h"
#include "own.h"
#include "td.h"

uint64_t vcpu_get(struct seam *s, struct call *c, uint64_t pa, uint32_t op,
		  enum lock_mode mode, enum lock_mode td_mode, struct vcpu_ref *ref)
{
	uint64_t status;

	*ref = (struct vcpu_ref){ 0 };
	status = own_check_type(s, c, pa, PT_TDVPR, op, mode, &ref->page);
	if (status)
		return status;
	status = td_get_owner(s, c, &ref->page, td_mode, &ref->td);
	if (status) {
		pamt_unwalk(&ref->page);
		return status;
	}

	ref->vcpu = own_info(s, pa)->object;
	own_check_intact(s, c, ref->page.entry, pa, PS_4K, ref->td.td);
	return TDX_SUCCESS;
}

void vcpu_put(struct vcpu_ref *ref)
{
	td_put(&ref->td);
	pamt_unwalk(&ref->page);
}

uint64_t vcpu_check_pages(const struct vcpu *vcpu)
{
	return vcpu->nr_tdcx < TDVPS_CHILD_PAGES ? TDX_TDCX_NUM_INCORRECT : TDX_SUCCESS;
}

uint64_t vcpu_associate(struct vcpu *vcpu, unsigned int cpu)
{
	int lp = VCPU_NO_LP;

	if (atomic_compare_exchange_strong(&vcpu->lp, &lp, (int)cpu)) {
		atomic_fetch_add(&vcpu->td->nr_associated, 1);
		return TDX_SUCCESS;
	}
	return lp == (int)cpu ? TDX_SUCCESS : TDX_VCPU_ASSOCIATED;
}

bool vcpu_dissociate(struct vcpu *vcpu, unsigned int cpu)
{
	int lp = (int)cpu;

	if (!atomic_compare_exchange_strong(&vcpu->lp, &lp, VCPU_NO_LP))
		return false;
	atomic_fetch_sub(&vcpu->td->nr_associated, 1);
	return true;
}

struct vcpu *vcpu_create(struct td *td, uint64_t tdvpr)
{
	struct vcpu *vcpu = calloc(1, sizeof(*vcpu));

	if (!vcpu)
		return NULL;
	vcpu->td = td;
	vcpu->tdvpr = tdvpr;
	atomic_store(&vcpu->lp, VCPU_NO_LP);

	pthread_mutex_lock(&td->seam->tds_lock);
	vcpu->next = td->vcpus;
	td->vcpus = vcpu;
	pthread_mutex_unlock(&td->seam->tds_lock);
	return vcpu;
}

void vcpu_destroy(struct vcpu *vcpu)
{
	struct td *td = vcpu->td;
	struct vcpu **at;

	pthread_mutex_lock(&td->seam->tds_lock);
	for (at = &td->vcpus; *at != vcpu; at = &(*at)->next)
		;
	*at = vcpu->next;
	pthread_mutex_unlock(&td->seam->tds_lock);

	guest_vcpu_free(vcpu->guest);
	if (atomic_load(&vcpu->state) != VCPU_UNINIT)
		atomic_store(&td->vcpu[vcpu->index], NULL);
	free(vcpu);
}
