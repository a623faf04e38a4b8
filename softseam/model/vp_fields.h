/* SPDX-License-Identifier: GPL-2.0-only */
/* Metadata fields of a vCPU: what TDH.VP.RD and TDH.VP.WR are about. */
#ifndef SOFTSEAM_VP_FIELDS_H
#define SOFTSEAM_VP_FIELDS_H

#include <stdint.h>

struct vcpu;

/* Each returns a completion status. */
uint64_t vp_field_read(struct vcpu *vcpu, uint64_t id, uint64_t *value, uint64_t *next);
/* Write the bits in @mask that the host may write; *@old is the value before. */
uint64_t vp_field_write(struct vcpu *vcpu, uint64_t id, uint64_t value, uint64_t mask,
			uint64_t *old);
uint64_t vp_field_first(void);

#endif
