/* SPDX-License-Identifier: GPL-2.0-only */
/* What the fuzzers share: their input, and a machine with RAM from 0 on. */
#ifndef SOFTSEAM_TESTS_FUZZING_H
#define SOFTSEAM_TESTS_FUZZING_H

#include <stddef.h>
#include <stdint.h>

#include "leaves.h"
#include "range.h"

#define FUZZ_MEM_SIZE	(4ULL << 30)
/* Where the operands of SYS.CONFIG are. */
#define FUZZ_ARRAY	0x200000
#define FUZZ_INFO	0x201000

struct fuzz_input {
	const uint8_t *p, *end;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next bytes of the input, and zeroes after its end. */
uint8_t take8(struct fuzz_input *in);
uint64_t take64(struct fuzz_input *in);

uint8_t *fuzz_mem(uint64_t pa);
void put64(uint64_t pa, uint64_t value);

/* TDMR_INFO number @i of the array: 1 GiB at @base, with its PAMTs from @pamt on. */
void fuzz_put_tdmr(unsigned int i, uint64_t base, uint64_t pamt);

/* A machine with the memory of before, if there was one, whose time starts anew. */
struct seam_machine fuzz_machine(void *opaque);

/* All of that memory is one CMR. */
void fuzz_config(struct seam_config *cfg, unsigned int nr_cpus);

struct seam *fuzz_new(const struct seam_config *cfg, const struct seam_machine *machine);

#endif
