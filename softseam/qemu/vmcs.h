/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMCS regions.  Their layout is the CPU's own business; softseam keeps each
 * field at a fixed place in the 4 KiB that the host provides.
 */
#ifndef SOFTSEAM_VMCS_H
#define SOFTSEAM_VMCS_H

#include <stdbool.h>
#include <stdint.h>

#define VMCS_SIZE			4096
#define VMCS_VM_INSTRUCTION_ERROR	0x4400

/* @region is the host pointer to the region. */
uint32_t vmcs_revision(const void *region);
/* False: there is no such field. */
bool vmcs_read(const void *region, uint64_t field, uint64_t *value);
bool vmcs_write(void *region, uint64_t field, uint64_t value);

#endif
