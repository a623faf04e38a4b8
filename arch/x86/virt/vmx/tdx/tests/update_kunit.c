// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests for what a runtime update of the TDX module has to repeat, and for
 * when it must not start.  Included by tdx.c, whose state they set and restore.
 */
#include <kunit/test.h>
#include <kunit/test-bug.h>
#include <linux/irqflags.h>

#include "fake_seam.h"

#define ALL_FEATURES	(TDX_FEATURES0_EXT | TDX_ADDON_FEATURES)

/* The calls in their order; metadata is read by TDH.SYS.RD. */
#define MAX_CALLS	16

static struct {
	u64			fn[MAX_CALLS];
	struct tdx_module_args	args[MAX_CALLS];
	unsigned int		nr_calls;
	/* Leaf that fails */
	u64			fails;
} update __initdata;

/* What the tests change, as the machine had it. */
static struct {
	struct tdx_module_state	state;
	struct tdx_sys_info	sysinfo;
	bool			dynamic_pamt;
} saved __initdata;

static __init bool log_call(u64 fn, const struct tdx_module_args *args)
{
	if (update.nr_calls < MAX_CALLS) {
		update.fn[update.nr_calls] = fn;
		update.args[update.nr_calls] = *args;
	}
	update.nr_calls++;

	return fn != update.fails;
}

static __init int fake_sys(u64 fn, struct tdx_module_args *args)
{
	return log_call(fn, args) ? 0 : -EIO;
}

static __init int fake_rd(u64 field_id, u64 *data)
{
	const struct tdx_module_args args = { .rdx = field_id };

	*data = 42;
	return log_call(TDH_SYS_RD, &args) ? 0 : -EIO;
}

static __init int fake_ext_update(void)
{
	const struct tdx_module_args none = {};

	return log_call(TDH_EXT_INIT, &none) ? 0 : -EIO;
}

static __init int update_test_init(struct kunit *test)
{
	saved.state = tdx_module_state;
	saved.sysinfo = tdx_sysinfo;
	saved.dynamic_pamt = tdx_dynamic_pamt;
	tdx_dynamic_pamt = false;
	memset(&update, 0, sizeof(update));
	kunit_activate_static_stub(test, seamcall_sys, fake_sys);
	kunit_activate_static_stub(test, tdx_ext_update, fake_ext_update);
	kunit_activate_static_stub(test, read_sys_metadata_field, fake_rd);
	return 0;
}

static __init void update_test_exit(struct kunit *test)
{
	tdx_module_state = saved.state;
	tdx_sysinfo = saved.sysinfo;
	tdx_dynamic_pamt = saved.dynamic_pamt;
}

/* As in stop_machine(). */
static __init int with_irqs_off(int (*step)(void))
{
	unsigned long flags;
	int ret;

	local_irq_save(flags);
	ret = step();
	local_irq_restore(flags);

	return ret;
}

static __init int run_update(u64 features)
{
	tdx_sysinfo.features.tdx_features0 = features;
	tdx_module_state.initialized = false;

	return with_irqs_off(tdx_module_run_update);
}

/* Configure and update a module that offers @features. */
static __init void expect_choice(struct kunit *test, u64 features, u64 bitmap, u8 version)
{
	u64 dynamic_pamt = tdx_dynamic_pamt ? TDX_SYS_CONFIG_DYNAMIC_PAMT : 0;
	struct tdmr_info_list no_tdmrs = {};

	memset(&update, 0, sizeof(update));
	tdx_sysinfo.features.tdx_features0 = features;
	KUNIT_EXPECT_EQ(test, config_tdx_module(&no_tdmrs, 33), 0);
	KUNIT_EXPECT_EQ(test, run_update(features), 0);

	KUNIT_EXPECT_EQ(test, update.fn[0], TDH_SYS_CONFIG);
	KUNIT_EXPECT_EQ(test, update.fn[1], TDH_SYS_UPDATE);
	for (int i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, update.args[i].r9, bitmap);
		KUNIT_EXPECT_EQ(test, update.args[i].version, version);
	}
	/* R8 has the KeyID and more in TDH.SYS.CONFIG and is reserved in TDH.SYS.UPDATE. */
	KUNIT_EXPECT_EQ(test, update.args[0].r8, 33 | dynamic_pamt);
	KUNIT_EXPECT_EQ(test, update.args[1].r8, 0);
}

static __init void update_chooses_what_config_chose(struct kunit *test)
{
	expect_choice(test, ~0ULL, TDX_ADDON_FEATURES, !!TDX_ADDON_FEATURES);
	expect_choice(test, ALL_FEATURES, TDX_ADDON_FEATURES, !!TDX_ADDON_FEATURES);
	expect_choice(test, ~TDX_FEATURES0_EXT, 0, 0);
	expect_choice(test, TDX_FEATURES0_EXT, 0, 0);
	expect_choice(test, 0, 0, 0);
}

/* TDH.SYS.CONFIG turns Dynamic PAMT on; an update leaves it as it is. */
static __init void only_config_chooses_dynamic_pamt(struct kunit *test)
{
	tdx_dynamic_pamt = true;
	expect_choice(test, 0, 0, 0);
}

static __init void update_reads_no_features(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, run_update(ALL_FEATURES), 0);
	KUNIT_EXPECT_TRUE(test, tdx_module_state.initialized);
	KUNIT_EXPECT_EQ(test, tdx_sysinfo.features.tdx_features0, ALL_FEATURES);
	KUNIT_EXPECT_EQ(test, tdx_sysinfo.version.minor_version, 42);
}

/* The module is not asked for anything before its extensions run. */
static __init void update_starts_extensions_first(struct kunit *test)
{
	static const u64 expected[] __initconst = {
		TDH_SYS_UPDATE, TDH_EXT_INIT, TDH_SYS_RD, TDH_SYS_RD, TDH_SYS_RD,
	};

	KUNIT_EXPECT_EQ(test, run_update(ALL_FEATURES), 0);
	KUNIT_ASSERT_EQ(test, update.nr_calls, ARRAY_SIZE(expected));
	KUNIT_EXPECT_MEMEQ(test, update.fn, expected, sizeof(expected));
}

/* Nothing follows a step that failed, and there is no TDX from then on. */
static __init void update_ends_with_a_failure(struct kunit *test)
{
	static const u64 steps[] __initconst = { TDH_SYS_UPDATE, TDH_EXT_INIT };

	for (int i = 0; i < ARRAY_SIZE(steps); i++) {
		memset(&update, 0, sizeof(update));
		update.fails = steps[i];
		KUNIT_EXPECT_EQ(test, run_update(ALL_FEATURES), -EIO);
		KUNIT_EXPECT_EQ(test, update.nr_calls, i + 1);
		KUNIT_EXPECT_FALSE(test, tdx_module_state.initialized);
	}
}

/* Shut down the module; it must refuse, since all is lost if it does not. */
static __init int shut_down(void)
{
	update.fails = TDH_SYS_SHUTDOWN;
	return with_irqs_off(tdx_module_shutdown);
}

static __init u64 interrupted_by_update(struct fake_seam *seam, u64 fn,
					struct tdx_module_args *args)
{
	struct kunit *test = kunit_get_current_test();

	if (seam->nr_calls == 1)
		return TDX_INTERRUPTED_RESUMABLE;

	KUNIT_EXPECT_EQ(test, shut_down(), -EBUSY);
	KUNIT_EXPECT_EQ(test, update.nr_calls, 0);
	return TDX_SUCCESS;
}

/* An update between the two attempts of a call does not get as far as the module. */
static __init void no_update_while_a_call_is_interrupted(struct kunit *test)
{
	struct fake_seam *seam = fake_seam_install(test, interrupted_by_update);

	KUNIT_EXPECT_EQ(test, tdh_ext_init(), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, seam->nr_calls, 2);

	KUNIT_EXPECT_EQ(test, shut_down(), -EIO);
	KUNIT_EXPECT_EQ(test, update.nr_calls, 2);
	KUNIT_EXPECT_EQ(test, update.fn[1], TDH_SYS_SHUTDOWN);
}

static struct kunit_case update_test_cases[] __refdata = {
	KUNIT_CASE(update_chooses_what_config_chose),
	KUNIT_CASE(only_config_chooses_dynamic_pamt),
	KUNIT_CASE(update_reads_no_features),
	KUNIT_CASE(update_starts_extensions_first),
	KUNIT_CASE(update_ends_with_a_failure),
	KUNIT_CASE(no_update_while_a_call_is_interrupted),
	{}
};

static struct kunit_suite update_test_suite __refdata = {
	.name = "tdx-update",
	.init = update_test_init,
	.exit = update_test_exit,
	.test_cases = update_test_cases,
};

kunit_test_init_section_suites(&update_test_suite);
