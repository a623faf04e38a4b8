// SPDX-License-Identifier: GPL-2.0-only
/* Arguments: what is accepted, and one clear line for all else. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

static int run_bad_args(void)
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

static struct seam_config cfg;
static char err[512];

static int init(void **state)
{
	(void)state;
	seam_config_init(&cfg);
	cfg.nr_cpus = 4;
	cfg.nr_cmrs = 1;
	cfg.cmr[0] = (struct seam_range){ 0, GB };
	err[0] = '\0';
	return 0;
}

static void set(const char *key, const char *value)
{
	if (seam_config_set(&cfg, key, value, err, sizeof(err)))
		fail_msg("%s", err);
}

static void defaults(void **state)
{
	(void)state;
	seam_config_init(&cfg);
	assert_true(cfg.module_loaded);
	assert_int_equal(cfg.features0, 0x140000);
	assert_int_equal(cfg.major * 10000 + cfg.minor * 100 + cfg.update, 10516);
	assert_int_equal(cfg.hpa_bits, 46);
	assert_int_equal(cfg.nr_mktme_keyids, 31);
	assert_int_equal(cfg.nr_tdx_keyids, 32);
	assert_int_equal(cfg.nr_packages, 1);
	assert_int_equal(cfg.nr_cmrs, 0);
	assert_int_equal(cfg.nr_injections, 0);
}

static void features(void **state)
{
	(void)state;
	set("erratum", "on");
	assert_true(cfg.erratum);
	set("erratum", "off");
	assert_false(cfg.erratum);
	set("ext_pool_pages", "0x100000");
	assert_int_equal(cfg.ext_pool_pages, 1 << 20);
	set("ext_required", "off");
	assert_false(cfg.ext_required);
	set("interrupt_every", "3");
	assert_int_equal(cfg.interrupt_every, 3);
	set("spdm_list", "info");
	assert_true(cfg.spdm_list_info);
	set("spdm_list", "array");
	assert_false(cfg.spdm_list_info);
	set("connect_out", "off");
	assert_false(cfg.connect_out);
	set("iommu", "0xfed90000:4G");
	assert_int_equal(cfg.nr_iommus, 2);
	assert_int_equal(cfg.iommu[1], 1ULL << 32);
	set("iommu_mt_pages", "510");
	set("spdm_mt_pages", "512");
	set("ide_mt_pages", "1");
	assert_int_equal(cfg.iommu_mt_pages + cfg.spdm_mt_pages + cfg.ide_mt_pages, 1023);
}

static void unknown_key(void **state)
{
	(void)state;
	assert_int_equal(seam_config_set(&cfg, "cmrs", "1", err, sizeof(err)), -ENOENT);
	assert_int_equal(seam_config_set(&cfg, "", "", err, sizeof(err)), -ENOENT);
}

static void numbers(void **state)
{
	(void)state;
	set("features0", "0xFFFFFFFFFFFFFFFF");
	assert_int_equal(cfg.features0, UINT64_MAX);
	set("features0", "18446744073709551615");
	assert_int_equal(cfg.features0, UINT64_MAX);
	set("version", "65535.0.3");
	assert_int_equal(cfg.major, 65535);
	assert_int_equal(cfg.update, 3);
	set("module", "none");
	assert_false(cfg.module_loaded);
	set("module", "loaded");
	assert_true(cfg.module_loaded);
	set("hpa_bits", "46");
	set("maxpa", "52");
	assert_int_equal(cfg.hpa_bits * 100 + cfg.maxpa, 4652);
	set("keyids", "32767+0");
	set("keyids", "0+63");
	assert_int_equal(cfg.nr_mktme_keyids * 100 + cfg.nr_tdx_keyids, 63);
	set("tdmr_init_step", "64M");
	assert_int_equal(cfg.tdmr_init_step, 64 * MB);
	set("tdmr_init_step", "0");
	assert_int_equal(cfg.tdmr_init_step, 0);
	set("seed", "0x99");
	assert_int_equal(cfg.seed, 0x99);
}

static void cmrs(void **state)
{
	(void)state;
	set("cmr", "0x100000+1023m:4G+0x40000000:1T+4K");
	assert_int_equal(cfg.nr_cmrs, 3);
	assert_int_equal(cfg.cmr[0].base, MB);
	assert_int_equal(cfg.cmr[0].size, 1023 * MB);
	assert_int_equal(cfg.cmr[1].base, 4 * GB);
	assert_int_equal(cfg.cmr[1].size, GB);
	assert_int_equal(cfg.cmr[2].base, 1024 * GB);
	assert_int_equal(cfg.cmr[2].size, 4096);
	set("cmr", "0+1G:1G+0");
	assert_int_equal(cfg.nr_cmrs, 2);
	set("cmr", "0+17179869183G");
	assert_int_equal(cfg.cmr[0].size, 17179869183 * GB);
	/* A second list replaces the first. */
	set("cmr", "0+1G");
	assert_int_equal(cfg.nr_cmrs, 1);
}

static void cmr_limit(void **state)
{
	char list[33 * 8] = "";

	(void)state;
	for (unsigned int i = 0; i < 32; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%uG+1M",
			 i ? ":" : "", i);
	set("cmr", list);
	assert_int_equal(cfg.nr_cmrs, 32);
	strcat(list, ":64G+1M");
	assert_int_equal(seam_config_set(&cfg, "cmr", list, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "more than 32 ranges"));
}

static void injections(void **state)
{
	(void)state;
	set("inject", "TDH.SYS.CONFIG:2:TDX_OPERAND_BUSY|RCX:5/sys.rd:*:sys_busy");
	set("inject", "0x21:~25:0xC000010000000002:7");
	set("inject", "24:9:GP/24:1:ud:*/24:1:VMFAIL/24:1:OPERAND_INVALID|0x2F");
	assert_int_equal(cfg.nr_injections, 7);
	set("inject", "65535:4294967295:SYS_BUSY|0xffffffff:4294967295");
	assert_int_equal(cfg.injection[7].leaf, UINT16_MAX);
	assert_status(cfg.injection[7].status, TDX_SYS_BUSY | UINT32_MAX);
	assert_int_equal(cfg.injection[7].nth, UINT32_MAX);
	assert_int_equal(cfg.injection[7].count, UINT32_MAX);

	assert_int_equal(cfg.injection[0].leaf, TDH_SYS_CONFIG);
	assert_int_equal(cfg.injection[0].nth, 2);
	assert_int_equal(cfg.injection[0].count, 5);
	assert_status(cfg.injection[0].status, TDX_OPERAND_BUSY | OPERAND_RCX);
	assert_int_equal(cfg.injection[1].leaf, TDH_SYS_RD);
	assert_int_equal(cfg.injection[1].nth, 0);
	assert_int_equal(cfg.injection[1].count, 0);
	assert_int_equal(cfg.injection[2].leaf, TDH_SYS_INIT);
	assert_int_equal(cfg.injection[2].percent, 25);
	assert_int_equal(cfg.injection[2].count, 7);
	assert_status(cfg.injection[2].status, TDX_OPERAND_INVALID | OPERAND_RDX);
	assert_int_equal(cfg.injection[3].how, SEAM_END_GP);
	assert_int_equal(cfg.injection[3].count, 1);
	assert_int_equal(cfg.injection[4].how, SEAM_END_UD);
	assert_int_equal(cfg.injection[4].count, 0);
	assert_int_equal(cfg.injection[5].how, SEAM_END_VMFAILINVALID);
	assert_status(cfg.injection[6].status, TDX_OPERAND_INVALID | 0x2F);
}

static void injection_limit(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < SEAM_MAX_INJECTIONS; i++)
		set("inject", "SYS.INIT:1:SYS_BUSY");
	assert_int_equal(seam_config_set(&cfg, "inject", "SYS.INIT:1:SYS_BUSY", err, sizeof(err)),
			 -EINVAL);
	assert_non_null(strstr(err, "more than 32 injections"));
	assert_int_equal(cfg.nr_injections, SEAM_MAX_INJECTIONS);
}

static void long_package_map(void **state)
{
	char map[2 * SEAM_MAX_CPUS + 3];

	(void)state;
	for (unsigned int i = 0; i <= SEAM_MAX_CPUS; i++)
		memcpy(map + 2 * i, "1:", 2);
	map[2 * SEAM_MAX_CPUS + 1] = '\0';
	assert_int_equal(seam_config_set(&cfg, "package_map", map, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "more than 256 CPUs"));
}

/* A buffer for the message may be short, or not there. */
static void short_buffer(void **state)
{
	char tiny[8];

	(void)state;
	assert_int_equal(seam_config_set(&cfg, "cmr", "x", tiny, sizeof(tiny)), -EINVAL);
	assert_int_equal(strlen(tiny), sizeof(tiny) - 1);
	assert_int_equal(seam_config_set(&cfg, "cmr", "x", NULL, 0), -EINVAL);
}

static void assert_packages(unsigned int cpus, const char *packages, const char *want)
{
	char got[16] = "";

	cfg.nr_cpus = cpus;
	set("packages", packages);
	assert_true(config_complete(&cfg, err, sizeof(err)));
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		got[cpu] = (char)('0' + cfg.package[cpu]);
	assert_string_equal(got, want);
}

static void packages_split(void **state)
{
	(void)state;
	assert_packages(4, "1", "0000");
	assert_packages(4, "2", "0011");
	assert_packages(4, "4", "0123");
	assert_packages(5, "2", "00011");
	assert_packages(7, "3", "0001122");
	assert_packages(8, "8", "01234567");
}

static void package_map(void **state)
{
	(void)state;
	set("package_map", "0:1:0:1");
	assert_int_equal(cfg.nr_packages, 2);
	assert_true(config_complete(&cfg, err, sizeof(err)));
	assert_int_equal(cfg.package[1], 1);
	assert_int_equal(cfg.package[2], 0);
	/* The later argument wins. */
	set("packages", "2");
	assert_true(config_complete(&cfg, err, sizeof(err)));
	assert_int_equal(cfg.package[1], 0);
	assert_int_equal(cfg.package[2], 1);
}

static void largest_platform(void **state)
{
	(void)state;
	cfg.nr_cpus = SEAM_MAX_CPUS;
	set("hpa_bits", "52");
	set("keyids", "0+0");
	assert_true(config_complete(&cfg, err, sizeof(err)));
	assert_int_equal(cfg.maxpa, 52);
}

static void maxpa_follows(void **state)
{
	(void)state;
	assert_true(config_complete(&cfg, err, sizeof(err)));
	assert_int_equal(cfg.maxpa, 52);
	seam_config_init(&cfg);
	cfg.nr_cmrs = 1;
	set("hpa_bits", "40");
	set("keyids", "31+33");
	assert_true(config_complete(&cfg, err, sizeof(err)));
	assert_int_equal(cfg.maxpa, 47);
	seam_config_init(&cfg);
	cfg.nr_cmrs = 1;
	set("maxpa", "52");
	set("hpa_bits", "32");
	assert_true(config_complete(&cfg, err, sizeof(err)));
	assert_int_equal(cfg.maxpa, 52);
}

static void assert_refused(const char *says)
{
	struct seam_machine machine = { 0 };

	assert_null(seam_new(&cfg, &machine, err, sizeof(err)));
	if (!strstr(err, says))
		fail_msg("\"%s\" does not say \"%s\"", err, says);
	assert_null(strchr(err, '\n'));
}

static void refused_no_cmr(void **state)
{
	(void)state;
	cfg.nr_cmrs = 0;
	assert_refused("no convertible memory");
}

static void refused_maxpa_small(void **state)
{
	(void)state;
	set("maxpa", "51");
	assert_refused("needs 52");
}

static void refused_maxpa_large(void **state)
{
	(void)state;
	set("hpa_bits", "48");
	assert_refused("52 is the most");
}

static void refused_hpa_bits(void **state)
{
	(void)state;
	cfg.hpa_bits = 20;
	assert_refused("hpa_bits=20");
}

static void refused_no_cpus(void **state)
{
	(void)state;
	cfg.nr_cpus = 0;
	assert_refused("0 CPUs");
}

static void refused_too_many_cpus(void **state)
{
	(void)state;
	cfg.nr_cpus = 257;
	assert_refused("257 CPUs");
}

static void refused_empty_package(void **state)
{
	(void)state;
	set("packages", "5");
	assert_refused("packages=5 does not fit 4 CPUs");
	set("package_map", "0:0:2:2");
	assert_refused("packages=3 does not fit 4 CPUs");
	cfg.package[0] = 7;
	assert_refused("packages=3 does not fit 4 CPUs");
	cfg.nr_packages = 0;
	assert_refused("packages=0");
	cfg.nr_packages = 9;
	assert_refused("packages=9");
}

/* Each allocation fails once: no module, a message, nothing left behind. */
static void refused_no_memory(void **state)
{
	struct seam_machine machine = { 0 };
	struct seam *seam = NULL;
	unsigned int nth = 0;

	(void)state;
	while (!seam && nth < 20) {
		err[0] = '\0';
		host_fail_alloc(++nth);
		seam = seam_new(&cfg, &machine, err, sizeof(err));
		host_fail_alloc(0);
		if (nth == 1)
			assert_string_equal(err, "out of memory for the TDX module's state");
		else if (!seam)
			assert_string_equal(err, "no address space for the page metadata of 1 GB: "
						 "use a smaller cmr=");
	}
	/*
	 * The state itself, that of LPs, one table of entries a level, what each
	 * region uses, the bitmap, one table each of pages and of their lines, and
	 * the contents of private pages; then none fails.
	 */
	assert_int_equal(nth, 2 + NR_PAGE_SIZES + 2 + 1 + 1 + 1 + 1);
	seam_free(seam);
}

static void free_nothing(void **state)
{
	(void)state;
	seam_free(NULL);
}

#define args_test(f)	cmocka_unit_test_setup(f, init)

int main(void)
{
	const struct CMUnitTest tests[] = {
		args_test(defaults),
		args_test(features),
		args_test(unknown_key),
		args_test(numbers),
		args_test(cmrs),
		args_test(cmr_limit),
		args_test(injections),
		args_test(injection_limit),
		args_test(long_package_map),
		args_test(short_buffer),
		args_test(packages_split),
		args_test(package_map),
		args_test(largest_platform),
		args_test(maxpa_follows),
		args_test(refused_no_cmr),
		args_test(refused_maxpa_small),
		args_test(refused_maxpa_large),
		args_test(refused_hpa_bits),
		args_test(refused_no_cpus),
		args_test(refused_too_many_cpus),
		args_test(refused_empty_package),
		args_test(refused_no_memory),
		args_test(free_nothing),
	};

	return run_bad_args() + cmocka_run_group_tests_name("args", tests, NULL, NULL);
}
