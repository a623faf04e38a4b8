// SPDX-License-Identifier: GPL-2.0-only
/* The fields of a vCPU. */
#include "field_id.h"
#include "guest_vcpu.h"
#include "leaves.h"
#include "operand.h"
#include "td.h"
#include "vp_fields.h"

/* VMCS fields by their encoding. */
#define POSTED_VECTOR		0x0002
#define PID_ADDRESS		0x2016
#define SHARED_EPTP		0x203C
#define PIN_CONTROLS		0x4000

#define MAX_VECTOR		255
#define PID_ALIGN		64

struct field {
	uint64_t id;
	/* Bits that the host may write. */
	uint64_t writable;
	uint64_t (*read)(struct vcpu *vcpu);
	/* @value is the whole new value.  Returns a completion status. */
	uint64_t (*write)(struct vcpu *vcpu, uint64_t value);
};

static uint64_t read_posted_vector(struct vcpu *vcpu)
{
	return atomic_load(&vcpu->vmcs.posted_vector);
}

static uint64_t write_posted_vector(struct vcpu *vcpu, uint64_t value)
{
	if (value > MAX_VECTOR)
		return TDX_METADATA_FIELD_VALUE_NOT_VALID;
	atomic_store(&vcpu->vmcs.posted_vector, value);
	atomic_store(&vcpu->vmcs.has_posted_vector, true);
	return TDX_SUCCESS;
}

static uint64_t read_pid_address(struct vcpu *vcpu)
{
	return atomic_load(&vcpu->vmcs.pid_address);
}

static uint64_t write_pid_address(struct vcpu *vcpu, uint64_t value)
{
	if (operand_shared(vcpu->td->seam, value, PID_ALIGN, 0))
		return TDX_METADATA_FIELD_VALUE_NOT_VALID;
	atomic_store(&vcpu->vmcs.pid_address, value);
	atomic_store(&vcpu->vmcs.has_pid_address, true);
	return TDX_SUCCESS;
}

static uint64_t read_shared_eptp(struct vcpu *vcpu)
{
	return atomic_load(&vcpu->vmcs.shared_eptp);
}

static uint64_t write_shared_eptp(struct vcpu *vcpu, uint64_t value)
{
	if (operand_shared(vcpu->td->seam, value, 4096, 0))
		return TDX_METADATA_FIELD_VALUE_NOT_VALID;
	atomic_store(&vcpu->vmcs.shared_eptp, value);
	return TDX_SUCCESS;
}

static uint64_t read_pin_controls(struct vcpu *vcpu)
{
	return atomic_load(&vcpu->vmcs.pin_controls);
}

/* Posted interrupts need to know where and how they are posted. */
static uint64_t write_pin_controls(struct vcpu *vcpu, uint64_t value)
{
	if (value & PIN_PROCESS_POSTED_INTERRUPTS) {
		if (!atomic_load(&vcpu->vmcs.has_posted_vector))
			return TDX_TD_VMCS_FIELD_NOT_INITIALIZED | POSTED_VECTOR;
		if (!atomic_load(&vcpu->vmcs.has_pid_address))
			return TDX_TD_VMCS_FIELD_NOT_INITIALIZED | PID_ADDRESS;
	}
	atomic_store(&vcpu->vmcs.pin_controls, value);
	return TDX_SUCCESS;
}

static uint64_t read_pend_nmi(struct vcpu *vcpu)
{
	return atomic_load(&vcpu->pend_nmi);
}

static uint64_t write_pend_nmi(struct vcpu *vcpu, uint64_t value)
{
	atomic_store(&vcpu->pend_nmi, value != 0);
	return TDX_SUCCESS;
}

static uint64_t read_state_details(struct vcpu *vcpu)
{
	return guest_interrupt_pending(vcpu);
}

static const struct field fields[] = {
	{ 0x0020000100000000 | POSTED_VECTOR, 0xFFFF, read_posted_vector, write_posted_vector },
	{ 0x0020000300000000 | PID_ADDRESS, ~0ULL << 6, read_pid_address, write_pid_address },
	{ 0x0020000300000000 | SHARED_EPTP, 0x000FFFFFFFFFF000, read_shared_eptp,
	  write_shared_eptp },
	{ 0x0020000200000000 | PIN_CONTROLS, PIN_PROCESS_POSTED_INTERRUPTS, read_pin_controls,
	  write_pin_controls },
	{ 0x9120000300000100, 0, read_state_details, NULL },
	{ 0xA02000000000000B, 1, read_pend_nmi, write_pend_nmi },
};

/* Returns ARRAY_SIZE(fields) if there is no such field. */
static size_t find(uint64_t id)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!(id & FIELD_LAST) && field_same(id, fields[i].id))
			break;
	}
	return i;
}

uint64_t vp_field_first(void)
{
	return fields[0].id;
}

uint64_t vp_field_read(struct vcpu *vcpu, uint64_t id, uint64_t *value, uint64_t *next)
{
	size_t i = find(id);

	if (i == ARRAY_SIZE(fields))
		return TDX_METADATA_FIELD_ID_INCORRECT;
	*value = fields[i].read(vcpu);
	*next = i + 1 < ARRAY_SIZE(fields) ? fields[i + 1].id : FIELD_NULL;
	return TDX_SUCCESS;
}

uint64_t vp_field_write(struct vcpu *vcpu, uint64_t id, uint64_t value, uint64_t mask,
			uint64_t *old)
{
	size_t i = find(id);
	uint64_t before;
	uint64_t status;

	if (i == ARRAY_SIZE(fields))
		return TDX_METADATA_FIELD_ID_INCORRECT;
	mask &= fields[i].writable;
	if (!mask)
		return TDX_METADATA_FIELD_NOT_WRITABLE;

	before = fields[i].read(vcpu);
	status = fields[i].write(vcpu, (before & ~mask) | (value & mask));
	if (!status)
		*old = before;
	return status;
}
