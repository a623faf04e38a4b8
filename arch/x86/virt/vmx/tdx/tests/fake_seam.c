// SPDX-License-Identifier: GPL-2.0
/* A scriptable stand-in for the TDX module, for tests. */
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <kunit/test-bug.h>

#include "../resume.h"
#include "fake_seam.h"

static u64 fake_seamcall(u64 fn, struct tdx_module_args *args)
{
	struct fake_seam *seam = kunit_get_current_test()->priv;
	unsigned int nr = seam->nr_calls++;

	if (nr < FAKE_SEAM_LOG) {
		seam->fn[nr] = fn;
		seam->in[nr] = *args;
	}

	if (seam->nr_calls == seam->fail_at) {
		fake_seam_poison(args);
		return seam->fail_with;
	}

	return seam->leaf(seam, fn, args);
}

/**
 * fake_seam_install() - Give the calls of this test to a fake module
 * @test: The test.
 * @leaf: What the module does.
 *
 * Takes the place of an earlier fake, if any, and of @test->priv.
 *
 * Return: The fake, without a script.  It goes away with the test.
 */
struct fake_seam *fake_seam_install(struct kunit *test, fake_leaf_t leaf)
{
	struct fake_seam *seam = kunit_kzalloc(test, sizeof(*seam), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, seam);

	seam->leaf = leaf;
	test->priv = seam;
	kunit_activate_static_stub(test, tdx_seamcall_once, fake_seamcall);
	return seam;
}

/**
 * fake_seam_interrupts() - Does an interrupt come in now?
 * @seam: The fake.
 *
 * For leaves that can be interrupted, to be called wherever they poll.
 *
 * Return: true if the leaf has to end with TDX_INTERRUPTED_RESUMABLE.
 */
bool fake_seam_interrupts(struct fake_seam *seam)
{
	bool now;

	seam->nr_points++;
	now = seam->interrupt_all || seam->nr_points == seam->interrupt_at;
	seam->nr_interrupted += now;
	return now;
}

/**
 * fake_seam_poison() - Leave nothing of use in the registers
 * @args: The registers.
 */
void fake_seam_poison(struct tdx_module_args *args)
{
	*args = (struct tdx_module_args) {
		.rcx = FAKE_SEAM_POISON, .rdx = FAKE_SEAM_POISON,
		.r8 = FAKE_SEAM_POISON, .r9 = FAKE_SEAM_POISON,
		.r10 = FAKE_SEAM_POISON, .r11 = FAKE_SEAM_POISON,
		.r12 = FAKE_SEAM_POISON, .r13 = FAKE_SEAM_POISON,
		.r14 = FAKE_SEAM_POISON, .r15 = FAKE_SEAM_POISON,
		.rbx = FAKE_SEAM_POISON, .rdi = FAKE_SEAM_POISON,
		.rsi = FAKE_SEAM_POISON,
		.version = 0xff,
	};
}
