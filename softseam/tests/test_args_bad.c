// SPDX-License-Identifier: GPL-2.0-only
/* Arguments that are refused, each with one clear line. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "host.h"

struct bad {
	const char *key, *value;
	/* What the line must say. */
	const char *says;
};

static const struct bad bad_args[] = {
	{ "erratum", "", "unknown value" },
	{ "erratum", "yes", "unknown value" },
	{ "ext_pool_pages", "x", "not a number" },
	{ "ext_pool_pages", "1048577", "out of range" },
	{ "ext_required", "1", "unknown value" },
	{ "interrupt_every", "-1", "not a number" },
	{ "interrupt_every", "0x100000000", "out of range" },
	{ "iommu", "", "no address at" },
	{ "iommu", "0xfed90001", "not a multiple of 4K" },
	{ "iommu", "0xfed90000,0", "no ':' at" },
	{ "iommu", "0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0", "more than 16 IOMMUs" },
	{ "iommu_mt_pages", "511", "out of range" },
	{ "spdm_mt_pages", "0", "out of range" },
	{ "spdm_mt_pages", "513", "out of range" },
	{ "ide_mt_pages", "0", "out of range" },
	{ "spdm_list", "list", "unknown value" },
	{ "connect_out", "strict", "unknown value" },
	{ "features0", "", "not a number" },
	{ "features0", "x", "not a number" },
	{ "features0", "0x", "not a number" },
	{ "features0", "-1", "not a number" },
	{ "features0", " 1", "not a number" },
	{ "features0", "1 ", "not a number" },
	{ "features0", "0x10000000000000000", "not a number" },
	{ "version", "", "not three numbers" },
	{ "version", "1.5", "not three numbers" },
	{ "version", "1..5", "not three numbers" },
	{ "version", "1.5.16.2", "follows the third number" },
	{ "version", "1.5.65536", "above 65535" },
	{ "module", "", "unknown value" },
	{ "module", "yes", "unknown value" },
	{ "cmr", "", "no base address" },
	{ "cmr", "1M", "no '+'" },
	{ "cmr", "1M+", "no size" },
	{ "cmr", "1M+1G:", "no base address" },
	{ "cmr", "1M+1G,2G+1G", "no ':'" },
	{ "cmr", "1M-1G", "no '+'" },
	{ "cmr", "1M+1X", "no ':'" },
	{ "cmr", "0xffffffffffffffff+2", "beyond 64 bits" },
	{ "cmr", "99999999999999999G+1", "no base address" },
	{ "cmr", "1M+18446744073709551616", "no size" },
	{ "packages", "0", "out of range" },
	{ "packages", "9", "out of range" },
	{ "packages", "two", "not a number" },
	{ "package_map", "", "no package number for CPU 0" },
	{ "package_map", "0:8", "no package number for CPU 1" },
	{ "package_map", "0:", "no package number for CPU 1" },
	{ "package_map", "0;1", "no ':'" },
	{ "tsc_khz", "2596100", "not a multiple of 25 MHz" },
	{ "tsc_khz", "75000", "out of range" },
	{ "keyids", "", "not two numbers" },
	{ "keyids", "31", "not two numbers" },
	{ "keyids", "31+", "not two numbers" },
	{ "keyids", "31+32+1", "not two numbers" },
	{ "keyids", "32767+1", "more than 32767 KeyIDs" },
	{ "keyids", "40000+0", "more than 32767 KeyIDs" },
	{ "hpa_bits", "31", "out of range" },
	{ "hpa_bits", "53", "out of range" },
	{ "maxpa", "53", "out of range" },
	{ "maxpa", "", "not a number" },
	{ "tdmr_init_step", "4095", "not a multiple of 4K" },
	{ "tdmr_init_step", "all", "not a size" },
	{ "tdmr_init_step", "64M ", "not a size" },
	{ "seed", "x", "not a number" },
	{ "inject", "", "needs a leaf" },
	{ "inject", "SYS.INIT", "needs a leaf" },
	{ "inject", "SYS.INIT:1", "needs a leaf" },
	{ "inject", "SYS.INIT:1:SYS_BUSY:1:1", "more than four parts" },
	{ "inject", "SYS.NOTHING:1:SYS_BUSY", "names no SEAMCALL leaf" },
	{ "inject", "TDH.:1:SYS_BUSY", "names no SEAMCALL leaf" },
	{ "inject", "65536:1:SYS_BUSY", "names no SEAMCALL leaf" },
	{ "inject", "33x:1:SYS_BUSY", "names no SEAMCALL leaf" },
	{ "inject", "SYS.INIT:0:SYS_BUSY", "no valid call number" },
	{ "inject", "SYS.INIT:x:SYS_BUSY", "no valid call number" },
	{ "inject", "SYS.INIT:1x:SYS_BUSY", "no valid call number" },
	{ "inject", "SYS.INIT:4294967296:SYS_BUSY", "no valid call number" },
	{ "inject", "SYS.INIT:~0:SYS_BUSY", "no valid call number" },
	{ "inject", "SYS.INIT:~101:SYS_BUSY", "no valid call number" },
	{ "inject", "SYS.INIT:~:SYS_BUSY", "no valid call number" },
	{ "inject", "SYS.INIT:1:BUSY_BEE", "names no status" },
	{ "inject", "SYS.INIT:1:SYS_BUSY|", "names no status" },
	{ "inject", "SYS.INIT:1:SYS_BUSY|RSP", "names no status" },
	{ "inject", "SYS.INIT:1:SYS_BUSY|4294967296", "names no status" },
	{ "inject", "SYS.INIT:1:SYS_BUSY|5x", "names no status" },
	{ "inject", "SYS.INIT:1:0x", "names no status" },
	{ "inject", "SYS.INIT:1:0x1g", "names no status" },
	{ "inject", "SYS.INIT:1:GP|RCX", "names no status" },
	{ "inject", "SYS.INIT:1:", "names no status" },
	{ "inject", "SYS.INIT:1:SYS_BUSY:0", "no valid count" },
	{ "inject", "SYS.INIT:1:SYS_BUSY:-1", "no valid count" },
	{ "inject", "SYS.INIT:1:SYS_BUSY:1x", "no valid count" },
	{ "inject", "SYS.INIT:1:SYS_BUSY:4294967296", "no valid count" },
	{ "inject", "SYS.INIT:1:SYS_BUSY/", "needs a leaf" },
	{ "inject", "SYS.INIT:1:SYS_BUSY//SYS.RD:1:SYS_BUSY", "needs a leaf" },
	{ "inject", "SYS.INIT:1:000000000000000000000000000000000000000000000000000000000000000"
	  "00000000000000000000000000000000000000000000000000000000000000000000000000000",
	  "is too long" },
	{ "module", "two\nlines\tand\x1b[31m", "two?lines?and?[31m" },
};

static void bad_arg(void **state)
{
	const struct bad *bad = *state;
	struct seam_config before, cfg;
	char err[512] = "";

	seam_config_init(&before);
	cfg = before;
	assert_int_equal(seam_config_set(&cfg, bad->key, bad->value, err, sizeof(err)), -EINVAL);
	if (!strstr(err, bad->says))
		fail_msg("\"%s\" does not say \"%s\"", err, bad->says);
	assert_memory_equal(err, bad->key, strlen(bad->key));
	assert_non_null(strstr(err, "; accepted: "));
	for (const char *p = err; *p; p++)
		assert_false(iscntrl((unsigned char)*p));

	/* What was parsed before the mistake must not take effect. */
	assert_int_equal(cfg.nr_injections, 0);
	assert_int_equal(cfg.nr_cmrs, 0);
	assert_int_equal(cfg.nr_packages, before.nr_packages);
	assert_int_equal(cfg.nr_mktme_keyids, before.nr_mktme_keyids);
	assert_int_equal(cfg.features0, before.features0);
	assert_int_equal(cfg.major | cfg.update << 8, before.major | before.update << 8);
}

int main(void)
{
	static char names[ARRAY_SIZE(bad_args)][64];
	struct CMUnitTest tests[ARRAY_SIZE(bad_args)] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(bad_args); i++) {
		snprintf(names[i], sizeof(names[i]), "bad %zu %s=%.40s", i, bad_args[i].key,
			 strchr(bad_args[i].value, '\n') ? "(lines)" : bad_args[i].value);
		tests[i].name = names[i];
		tests[i].test_func = bad_arg;
		tests[i].initial_state = (void *)(uintptr_t)&bad_args[i];
	}
	return _cmocka_run_group_tests("bad_args", tests, ARRAY_SIZE(tests), NULL, NULL);
}
