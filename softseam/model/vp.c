// SPDX-License-Identifier: GPL-2.0-only
/* TDH.VP: a vCPU's life, but for VP.ENTER. */
#include "field_id.h"
#include "guest_vcpu.h"
#include "leaves.h"
#include "own.h"
#include "platform.h"
#include "td.h"
#include "vp_fields.h"

static uint64_t create(struct seam *s, struct call *c, struct td_ref *ref)
{
	struct pamt_walk page;
	struct vcpu *vcpu;
	uint64_t status = td_check(ref, OP_BIT(OP_INIT));

	if (!status)
		status = own_check_free(s, c, c->in.rcx, PS_4K, OPERAND_RCX, &page);
	if (status)
		return status;

	vcpu = vcpu_create(ref->td, c->in.rcx);
	if (vcpu)
		own_take(s, c, &page, c->in.rcx, PT_TDVPR, ref->td,
			 (struct page_info){ .object = vcpu });
	else
		status = TDX_OPERAND_BUSY | OPERAND_RCX;
	pamt_unwalk(&page);
	return status;
}

/*
 * A page becomes a TDVPR.
 *
 * In: RCX	page
 *     RDX	TDR
 */
uint64_t tdh_vp_create(struct seam *s, struct call *c)
{
	struct td_ref ref;
	uint64_t status;

	status = td_get(s, c, c->in.rdx, OPERAND_RDX, LOCK_SHARED, &ref);
	if (status)
		return status;
	status = create(s, c, &ref);
	td_put(&ref);
	return status;
}

static uint64_t check_uninit(const struct vcpu *vcpu)
{
	enum vcpu_state state = atomic_load(&vcpu->state);

	return state == VCPU_UNINIT ? TDX_SUCCESS : TDX_VCPU_STATE_INCORRECT | state;
}

static uint64_t add_tdcx(struct seam *s, struct call *c, struct vcpu_ref *ref)
{
	struct vcpu *vcpu = ref->vcpu;
	struct pamt_walk page;
	uint64_t status = td_check(&ref->td, OP_BIT(OP_INIT));

	if (!status)
		status = check_uninit(vcpu);
	if (status)
		return status;
	if (vcpu->nr_tdcx == TDVPS_CHILD_PAGES)
		return TDX_TDCX_NUM_INCORRECT;
	status = own_check_free(s, c, c->in.rcx, PS_4K, OPERAND_RCX, &page);
	if (status)
		return status;

	own_take(s, c, &page, c->in.rcx, PT_TDCX, vcpu->td, (struct page_info){ 0 });
	vcpu->nr_tdcx++;
	pamt_unwalk(&page);
	return TDX_SUCCESS;
}

/*
 * A page becomes a part of the TDVPS.
 *
 * In: RCX	page
 *     RDX	TDVPR
 */
uint64_t tdh_vp_addcx(struct seam *s, struct call *c)
{
	struct vcpu_ref ref;
	uint64_t status;

	status = vcpu_get(s, c, c->in.rdx, OPERAND_RDX, LOCK_EXCLUSIVE, LOCK_SHARED, &ref);
	if (status)
		return status;
	status = add_tdcx(s, c, &ref);
	vcpu_put(&ref);
	return status;
}

/* x2APIC ids are compared among vCPUs that were given one. */
static uint64_t check_x2apic_id(const struct td *td, uint64_t id, uint32_t nr_vcpus)
{
	if (id > UINT32_MAX)
		return TDX_OPERAND_INVALID | OPERAND_R8;
	for (uint32_t i = 0; i < nr_vcpus; i++) {
		const struct vcpu *other = atomic_load(&td->vcpu[i]);

		if (other->has_x2apic_id && other->x2apic_id == id)
			return TDX_X2APIC_ID_NOT_UNIQUE | id;
	}
	return TDX_SUCCESS;
}

/* Two vCPUs may be here at the same time in version 0: each takes its index. */
static bool take_index(struct td *td, uint32_t *index)
{
	*index = atomic_load(&td->nr_vcpus);
	do {
		if (*index >= td->params.max_vcpus)
			return false;
	} while (!atomic_compare_exchange_weak(&td->nr_vcpus, index, *index + 1));
	return true;
}

static void make_ready(struct seam *s, struct call *c, struct vcpu *vcpu)
{
	vcpu->has_x2apic_id = call_version(c) > 0;
	vcpu->x2apic_id = vcpu->has_x2apic_id ? (uint32_t)c->in.r8 : vcpu->index;
	vcpu->initial_rcx = c->in.rdx;
	vcpu->last_tsc = platform_tsc(s, c->cpu);
	atomic_store(&vcpu->vmcs.pin_controls, PIN_CONTROLS_INITIAL);
	atomic_store(&vcpu->td->vcpu[vcpu->index], vcpu);
	atomic_store(&vcpu->state, VCPU_READY);
	vcpu_associate(vcpu, c->cpu);
}

static uint64_t init(struct seam *s, struct call *c, struct vcpu_ref *ref)
{
	struct vcpu *vcpu = ref->vcpu;
	struct td *td = vcpu->td;
	uint64_t status = td_check(&ref->td, OP_BIT(OP_INIT));

	if (!status)
		status = vcpu_check_pages(vcpu);
	if (!status)
		status = check_uninit(vcpu);
	if (status)
		return status;

	if (atomic_load(&td->nr_vcpus) >= td->params.max_vcpus)
		return TDX_MAX_VCPUS_EXCEEDED;
	if (call_version(c) > 0)
		status = check_x2apic_id(td, c->in.r8, atomic_load(&td->nr_vcpus));
	if (status)
		return status;
	if (!take_index(td, &vcpu->index))
		return TDX_MAX_VCPUS_EXCEEDED;
	make_ready(s, c, vcpu);
	return TDX_SUCCESS;
}

/*
 * UNINIT -> READY, with the state on this LP.
 *
 * In: RCX	TDVPR
 *     RDX	what the vCPU finds in RCX and R8
 *     R8	version 1: x2APIC id
 */
uint64_t tdh_vp_init(struct seam *s, struct call *c)
{
	enum lock_mode td_mode = call_version(c) > 0 ? LOCK_EXCLUSIVE : LOCK_SHARED;
	struct vcpu_ref ref;
	uint64_t status;

	status = platform_check_tsc_adjust(s, c->cpu);
	if (!status)
		status = vcpu_get(s, c, c->in.rcx, OPERAND_RCX, LOCK_EXCLUSIVE, td_mode, &ref);
	if (status)
		return status;
	status = init(s, c, &ref);
	vcpu_put(&ref);
	return status;
}

/* The state of a vCPU is only where it was last used; elsewhere it is not found. */
static void check_right_cpu(struct seam *s, struct call *c, const struct vcpu *vcpu)
{
	int lp = atomic_load(&vcpu->lp);

	if (lp != VCPU_NO_LP)
		violation(s, c->cpu, RULE_WRONG_CPU, vcpu->tdvpr,
			  "%s on CPU %u, but the state of vCPU %u of TDR 0x%llx is on CPU %d",
			  c->leaf->name, c->cpu, vcpu->index,
			  (unsigned long long)vcpu->td->tdr, lp);
}

static uint64_t flush(struct seam *s, struct call *c, struct vcpu_ref *ref)
{
	struct vcpu *vcpu = ref->vcpu;
	uint64_t status;

	if (atomic_load(&vcpu->td->lifecycle) != TD_KEYS_CONFIGURED)
		return TDX_TD_KEYS_NOT_CONFIGURED;
	status = vcpu_check_pages(vcpu);
	if (status)
		return status;
	if (!vcpu_dissociate(vcpu, c->cpu)) {
		check_right_cpu(s, c, vcpu);
		return TDX_VCPU_NOT_ASSOCIATED;
	}
	/* It starts afresh, here or on another LP. */
	vcpu->epoch = 0;
	if (vcpu->guest)
		guest_drop_translations(vcpu);
	return TDX_SUCCESS;
}

/*
 * The state of the vCPU leaves this LP.
 *
 * In: RCX	TDVPR
 */
uint64_t tdh_vp_flush(struct seam *s, struct call *c)
{
	struct vcpu_ref ref;
	uint64_t status;

	status = vcpu_get(s, c, c->in.rcx, OPERAND_RCX, LOCK_EXCLUSIVE, LOCK_SHARED, &ref);
	if (status)
		return status;
	status = flush(s, c, &ref);
	vcpu_put(&ref);
	return status;
}

/* A disabled vCPU can only be read. */
static uint64_t open_fields(struct call *c, struct vcpu_ref *ref, bool write)
{
	enum vcpu_state state = atomic_load(&ref->vcpu->state);
	uint64_t status = td_check(&ref->td, OP_ANY_INIT);

	if (!status)
		status = vcpu_check_pages(ref->vcpu);
	if (status)
		return status;
	if (state == VCPU_UNINIT || (write && state == VCPU_DISABLED))
		return TDX_VCPU_STATE_INCORRECT | state;
	return vcpu_associate(ref->vcpu, c->cpu);
}

static uint64_t read_field(struct call *c, struct vcpu_ref *ref, uint64_t *next)
{
	uint64_t status = open_fields(c, ref, false);

	if (status)
		return status;
	if (call_version(c) && c->in.rdx == FIELD_NULL) {
		*next = vp_field_first();
		return TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT;
	}
	return vp_field_read(ref->vcpu, c->in.rdx, &c->out.r8, next);
}

/*
 * In:  RCX	TDVPR
 *	RDX	field id; version 1: all ones for the first
 * Out: RDX	version 1: id of the next field, all ones behind the last
 *	R8	value
 */
uint64_t tdh_vp_rd(struct seam *s, struct call *c)
{
	uint64_t next = FIELD_NULL;
	struct vcpu_ref ref;
	uint64_t status;

	status = vcpu_get(s, c, c->in.rcx, OPERAND_RCX, LOCK_SHARED, LOCK_SHARED, &ref);
	if (!status) {
		status = read_field(c, &ref, &next);
		vcpu_put(&ref);
	}
	c->out.rdx = call_version(c) ? next : c->in.rdx;
	return status;
}

static uint64_t write_field(struct call *c, struct vcpu_ref *ref)
{
	uint64_t status = open_fields(c, ref, true);

	if (status)
		return status;
	return vp_field_write(ref->vcpu, c->in.rdx, c->in.r8, c->in.r9, &c->out.r8);
}

/*
 * In:  RCX	TDVPR
 *	RDX	field id
 *	R8	value
 *	R9	which bits to write
 * Out: R8	value before
 */
uint64_t tdh_vp_wr(struct seam *s, struct call *c)
{
	struct vcpu_ref ref;
	uint64_t status;

	status = vcpu_get(s, c, c->in.rcx, OPERAND_RCX, LOCK_SHARED, LOCK_SHARED, &ref);
	if (status)
		return status;
	status = write_field(c, &ref);
	vcpu_put(&ref);
	return status;
}
