/* SPDX-License-Identifier: GPL-2.0 */
/* A scriptable stand-in for the TDX module, for tests. */
#ifndef _X86_VIRT_TDX_FAKE_SEAM_H
#define _X86_VIRT_TDX_FAKE_SEAM_H

#include <linux/types.h>
#include <asm/tdx.h>

struct kunit;
struct fake_seam;

/* What the module does in a call; a suite brings one that knows its leaves. */
typedef u64 (*fake_leaf_t)(struct fake_seam *seam, u64 fn, struct tdx_module_args *args);

#define FAKE_SEAM_LOG	64

/**
 * struct fake_seam - The fake module of the test that runs
 * @leaf: Executes calls that the script lets through.
 * @fail_at: Number of the call, from 1, which fails; 0 for none.
 * @fail_with: Status of that call.
 * @interrupt_at: Number of the point, from 1, at which a call is interrupted;
 *		  0 for none.
 * @interrupt_all: Interrupt every call at every point.
 * @nr_calls: Calls made so far.
 * @nr_points: Points passed so far, see fake_seam_interrupts().
 * @nr_interrupted: Calls interrupted so far.
 * @fn: Leaf numbers of the first calls.
 * @in: Operands of the first calls, as the host passed them.
 */
struct fake_seam {
	fake_leaf_t		leaf;
	unsigned int		fail_at;
	u64			fail_with;
	unsigned int		interrupt_at;
	bool			interrupt_all;

	unsigned int		nr_calls;
	unsigned int		nr_points;
	unsigned int		nr_interrupted;
	u64			fn[FAKE_SEAM_LOG];
	struct tdx_module_args	in[FAKE_SEAM_LOG];
};

/* What the fake leaves in registers that are no output of a call. */
#define FAKE_SEAM_POISON	0x5ea15ea15ea15ea1ULL

struct fake_seam *fake_seam_install(struct kunit *test, fake_leaf_t leaf);
bool fake_seam_interrupts(struct fake_seam *seam);
void fake_seam_poison(struct tdx_module_args *args);

#endif /* _X86_VIRT_TDX_FAKE_SEAM_H */
