// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests for the choice between dynamic and static PAMT.  Included by
 * pamt_mode.c, all of which is gone after boot.
 */
#include <kunit/test.h>

/* The module that is known to have Dynamic PAMT */
static __init struct tdx_sys_info *known_module(void)
{
	/* Too large for the stack. */
	static struct tdx_sys_info sysinfo __initdata;

	sysinfo.features.tdx_features0 = TDX_FEATURES0_DYNAMIC_PAMT;
	sysinfo.tdmr.pamt_page_bitmap_entry_bits = 1;
	sysinfo.tdmr.pamt_4k_entry_size = 16;
	return &sysinfo;
}

static __init void module_that_is_known(struct kunit *test)
{
	struct tdx_sys_info *sysinfo = known_module();

	KUNIT_EXPECT_TRUE(test, tdx_pamt_choose(sysinfo));
}

static __init void module_without_the_feature(struct kunit *test)
{
	struct tdx_sys_info *sysinfo = known_module();

	sysinfo->features.tdx_features0 = ~TDX_FEATURES0_DYNAMIC_PAMT;
	KUNIT_EXPECT_FALSE(test, tdx_pamt_choose(sysinfo));
}

static __init void sizes_of_a_bitmap_entry(struct kunit *test)
{
	static const u8 bits[] __initconst = { 0, 1, 2, 7, 8, 9, 16, 255 };
	struct tdx_sys_info *sysinfo = known_module();

	for (int i = 0; i < ARRAY_SIZE(bits); i++) {
		sysinfo->tdmr.pamt_page_bitmap_entry_bits = bits[i];
		KUNIT_EXPECT_EQ_MSG(test, tdx_pamt_choose(sysinfo),
				    bits[i] >= 1 && bits[i] <= 8, "%d bits", bits[i]);
	}
}

/* 512 entries of 16 bytes are two pages. */
static __init void sizes_of_an_entry(struct kunit *test)
{
	static const u16 sizes[] __initconst = { 0, 8, 15, 16, 17, 32, 4096, 65535 };
	struct tdx_sys_info *sysinfo = known_module();

	for (int i = 0; i < ARRAY_SIZE(sizes); i++) {
		sysinfo->tdmr.pamt_4k_entry_size = sizes[i];
		KUNIT_EXPECT_EQ_MSG(test, tdx_pamt_choose(sysinfo), sizes[i] == 16,
				    "%d bytes", sizes[i]);
	}
}

static __init void words_on_the_command_line(struct kunit *test)
{
	static const struct {
		char	*word;
		bool	dynamic;
	} words[] = {
		{ "auto", true }, { "static", false }, { "", true }, { "dynamic", true },
		{ "statically", true }, { "Static", true },
	};
	struct tdx_sys_info *sysinfo = known_module();

	for (int i = 0; i < ARRAY_SIZE(words); i++) {
		force_static = false;
		KUNIT_EXPECT_EQ(test, parse_tdx_pamt(words[i].word), 1);
		KUNIT_EXPECT_EQ_MSG(test, tdx_pamt_choose(sysinfo), words[i].dynamic,
				    "%s", words[i].word);
	}
}

static __init void last_word_counts(struct kunit *test)
{
	struct tdx_sys_info *sysinfo = known_module();

	parse_tdx_pamt("static");
	parse_tdx_pamt("auto");
	KUNIT_EXPECT_TRUE(test, tdx_pamt_choose(sysinfo));
	parse_tdx_pamt("static");
	parse_tdx_pamt("something");
	KUNIT_EXPECT_FALSE(test, tdx_pamt_choose(sysinfo));
}

/* The module of this machine was chosen for long before. */
static __init int mode_test_init(struct kunit *test)
{
	force_static = false;
	return 0;
}

static struct kunit_case mode_test_cases[] __refdata = {
	KUNIT_CASE(module_that_is_known),
	KUNIT_CASE(module_without_the_feature),
	KUNIT_CASE(sizes_of_a_bitmap_entry),
	KUNIT_CASE(sizes_of_an_entry),
	KUNIT_CASE(words_on_the_command_line),
	KUNIT_CASE(last_word_counts),
	{}
};

static struct kunit_suite mode_test_suite __refdata = {
	.name = "tdx-pamt-mode",
	.init = mode_test_init,
	.test_cases = mode_test_cases,
};

kunit_test_init_section_suites(&mode_test_suite);
