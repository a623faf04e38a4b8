/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared memory beside RAM, on a device that the CPUs may or may not see. */
#ifndef SOFTSEAM_FAKE_WINDOW_H
#define SOFTSEAM_FAKE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ram.h"

#define FAKE_WINDOW_RAM		(UINT64_C(16) << 20)
#define FAKE_WINDOW_PA		UINT64_C(0x380000000)
#define FAKE_ECAM		UINT64_C(0xb0000000)
#define FAKE_ECAM_OLD		UINT64_C(0xe0000000)

struct fake_window {
	/* Zero for a machine without the device. */
	uint64_t bytes;
	uint8_t *mem;
	/* Where configuration space is, what the machine is, where the device is. */
	uint64_t ecam;
	uint32_t machine;
	unsigned int slot;
	uint32_t device;
	uint32_t bar[2];
	/* Where the CPUs see the memory. */
	uint64_t seen_at;
	unsigned int nr_config_reads;
};

extern struct fake_window fake_window;

/* A device with @bytes at FAKE_WINDOW_PA, in slot 3 of a q35 machine. */
const struct ram *fake_window_start(uint64_t bytes);
void fake_window_stop(void);

#endif
