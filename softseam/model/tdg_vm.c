// SPDX-License-Identifier: GPL-2.0-only
/* TDG.VM: a TD about itself, in metadata fields. */
#include "field_id.h"
#include "tdcall.h"

#define FIELD_ATTRIBUTES		0x1110000300000000ULL
#define FIELD_XFAM			0x1110000300000001ULL
#define FIELD_CONFIG_FLAGS		0x1110000300000016ULL
#define FIELD_TD_CTLS			0x1110000300000017ULL
#define FIELD_TSC_FREQUENCY		0x1110000100000009ULL
#define FIELD_NUM_VCPUS			0x9010000200000001ULL
#define FIELD_NOTIFY_ENABLES		0x9100000000000010ULL
#define FIELD_TOPOLOGY_ENUM_CONFIGURED	0x9100000000000019ULL

/* Zero-step notification, the only one there is. */
#define NOTIFY_KNOWN	1ULL

static uint64_t read_attributes(const struct td *td)
{
	return td->params.attributes;
}

static uint64_t read_xfam(const struct td *td)
{
	return td->params.xfam;
}

static uint64_t read_tsc_frequency(const struct td *td)
{
	return td->params.tsc_frequency;
}

static uint64_t read_config_flags(const struct td *td)
{
	return td->params.config_flags;
}

static uint64_t read_td_ctls(const struct td *td)
{
	return atomic_load(&td->td_ctls);
}

static uint64_t read_num_vcpus(const struct td *td)
{
	return atomic_load(&td->nr_vcpus);
}

static uint64_t read_notify_enables(const struct td *td)
{
	return atomic_load(&td->notify_enables);
}

/* Each vCPU was given an x2APIC id. */
static uint64_t read_topology_configured(const struct td *td)
{
	for (uint32_t i = 0; i < atomic_load(&td->nr_vcpus); i++) {
		const struct vcpu *vcpu = atomic_load(&td->vcpu[i]);

		if (!vcpu || !vcpu->has_x2apic_id)
			return 0;
	}
	return 1;
}

static uint64_t write_td_ctls(struct td *td, uint64_t value)
{
	uint64_t changed = value ^ atomic_load(&td->td_ctls);

	if (changed & ~(TD_CTLS_PENDING_VE_DISABLE | TD_CTLS_ENUM_TOPOLOGY))
		return TDX_METADATA_FIELD_VALUE_NOT_VALID;
	if (changed & TD_CTLS_PENDING_VE_DISABLE &&
	    !(td->params.config_flags & TD_CONFIG_FLEXIBLE_PENDING_VE))
		return TDX_METADATA_FIELD_VALUE_NOT_VALID;
	if (changed & value & TD_CTLS_ENUM_TOPOLOGY && !read_topology_configured(td))
		return TDX_METADATA_FIELD_VALUE_NOT_VALID;
	atomic_store(&td->td_ctls, value);
	return TDX_SUCCESS;
}

static uint64_t write_notify_enables(struct td *td, uint64_t value)
{
	if (value & ~NOTIFY_KNOWN)
		return TDX_METADATA_FIELD_VALUE_NOT_VALID;
	atomic_store(&td->notify_enables, value);
	return TDX_SUCCESS;
}

/* By id, in the order in which "next" lists them. */
static const struct field {
	uint64_t id;
	uint64_t (*read)(const struct td *td);
	/* NULL: read-only. */
	uint64_t (*write)(struct td *td, uint64_t value);
} fields[] = {
	{ FIELD_TSC_FREQUENCY, read_tsc_frequency, NULL },
	{ FIELD_ATTRIBUTES, read_attributes, NULL },
	{ FIELD_XFAM, read_xfam, NULL },
	{ FIELD_CONFIG_FLAGS, read_config_flags, NULL },
	{ FIELD_TD_CTLS, read_td_ctls, write_td_ctls },
	{ FIELD_NUM_VCPUS, read_num_vcpus, NULL },
	{ FIELD_NOTIFY_ENABLES, read_notify_enables, write_notify_enables },
	{ FIELD_TOPOLOGY_ENUM_CONFIGURED, read_topology_configured, NULL },
};

static const struct field *find_field(uint64_t id)
{
	if (id & FIELD_LAST)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (field_same(fields[i].id, id))
			return &fields[i];
	}
	return NULL;
}

/*
 * In:  RCX	0
 *	RDX	field; version 1: all ones for the first
 * Out: RDX	version 1: the next field, all ones behind the last
 *	R8	value
 */
uint64_t tdg_vm_rd(struct guest_ctx *x)
{
	struct seam_regs *r = &x->r->gpr;
	bool lists = r->rax >> 16 & 0xFF;
	uint64_t id = r->rdx;
	const struct field *field;

	r->r8 = 0;
	if (r->rcx)
		return TDX_OPERAND_INVALID | OPERAND_RCX;
	if (lists && id == FIELD_NULL) {
		r->rdx = fields[0].id;
		return TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT;
	}

	if (lists)
		r->rdx = FIELD_NULL;
	field = find_field(id);
	if (!field)
		return TDX_METADATA_FIELD_ID_INCORRECT;
	r->r8 = field->read(x->td);
	if (lists && field + 1 < fields + ARRAY_SIZE(fields))
		r->rdx = field[1].id;
	return TDX_SUCCESS;
}

/*
 * In:  RCX	0
 *	RDX	field
 *	R8	value
 *	R9	bits to write
 * Out: R8	value before
 */
uint64_t tdg_vm_wr(struct guest_ctx *x)
{
	struct seam_regs *r = &x->r->gpr;
	uint64_t value = r->r8, before;
	const struct field *field;
	uint64_t status;

	r->r8 = 0;
	if (r->rcx)
		return TDX_OPERAND_INVALID | OPERAND_RCX;
	field = find_field(r->rdx);
	if (!field)
		return TDX_METADATA_FIELD_ID_INCORRECT;
	if (!field->write)
		return TDX_METADATA_FIELD_NOT_WRITABLE;

	before = field->read(x->td);
	status = field->write(x->td, (value & r->r9) | (before & ~r->r9));
	if (!status)
		r->r8 = before;
	return status;
}
