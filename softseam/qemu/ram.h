/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest RAM as plain pointers.  QEMU must back it with shared memory; softseam
 * maps that a second time, all backends in one piece, in the order in which
 * the machine lays them out.
 */
#ifndef SOFTSEAM_RAM_H
#define SOFTSEAM_RAM_H

#include <stdbool.h>
#include <stdint.h>

#include "seam.h"

struct ram;

/*
 * Finds and maps guest RAM.  @path, if not NULL, names the backing file.  Must
 * run on a vCPU thread, before the guest uses its memory.  Exits if guest RAM
 * is not shared, or laid out in a way that softseam does not know.
 */
struct ram *ram_open(const char *path);

/* All of guest RAM, and where in it the byte at @pa is. */
uint64_t ram_bytes(const struct ram *ram);
uint64_t ram_offset(const struct ram *ram, uint64_t pa);

/* Shared memory of the machine that is not RAM; NULL if there is none. */
uint8_t *ram_spare(const struct ram *ram, uint64_t *size);
/* The same memory in QEMU's own mapping: what of it is at @host?  False: nothing is. */
bool ram_spare_offset(const struct ram *ram, const void *host, uint64_t *offset);

/*
 * Is @host the memory that the CPUs see at @pa?  Writes something improbable
 * through the pointer and reads it back through QEMU.
 */
bool ram_is_same_memory(uint8_t *host, uint64_t pa);

/* Host memory at [@pa, @pa + @len), or NULL if not all of it is RAM. */
void *ram_pointer(const struct ram *ram, uint64_t pa, uint64_t len);

/* Fills in what a PC's firmware reports as RAM; returns the number of ranges. */
unsigned int ram_ranges(const struct ram *ram, struct seam_range *range);

#endif
