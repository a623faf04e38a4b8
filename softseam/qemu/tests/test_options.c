// SPDX-License-Identifier: GPL-2.0-only
/* Arguments of the plugin; the model's own have their tests with the model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"
#include "tsc.h"

static bool parse(struct options *opt, const char *arg, unsigned int nr_cpus, char *err)
{
	char copy[128];
	char *argv[] = { copy };

	strncpy(copy, arg, sizeof(copy) - 1);
	copy[sizeof(copy) - 1] = 0;
	return options_parse(opt, 1, argv, nr_cpus, err, 256);
}

static void test_defaults(void **state)
{
	struct options opt;
	char err[256];

	(void)state;
	assert_true(options_parse(&opt, 0, NULL, 4, err, sizeof(err)));
	assert_null(opt.trace);
	assert_int_equal(opt.cpu_signature, 0x000a06d1);
	assert_false(opt.seam.erratum);
	assert_int_equal(opt.seam.nr_cpus, 4);
	assert_int_equal(opt.seam.package[3], 0);
	/* What TDs can have, too, and not far from what is counted here. */
	assert_true(opt.seam.tsc_khz);
	assert_int_equal(opt.seam.tsc_khz % 25000, 0);
}

static void test_tsc(void **state)
{
	char *argv[] = { "tsc_khz=2100000" };
	struct options opt;
	char err[256];

	(void)state;
	assert_int_equal(tsc_nominal_khz(2596145), 2600000);
	assert_int_equal(tsc_nominal_khz(2600000), 2600000);
	assert_int_equal(tsc_nominal_khz(2587499), 2575000);
	assert_int_equal(tsc_nominal_khz(2587500), 2600000);
	assert_true(options_parse(&opt, 1, argv, 1, err, sizeof(err)));
	assert_int_equal(opt.seam.tsc_khz, 2100000);
}

static void test_values(void **state)
{
	char *argv[] = { "trace=a,b", "cpu=spr", "stats=s", "keyids=3+4", "packages=2",
			 "trace_json=j", "symbols=m", "ram=/dev/shm/x" };
	struct options opt;
	char err[256];

	(void)state;
	assert_true(options_parse(&opt, 8, argv, 6, err, sizeof(err)));
	assert_string_equal(opt.trace, "a,b");
	assert_string_equal(opt.trace_json, "j");
	assert_string_equal(opt.stats, "s");
	assert_string_equal(opt.symbols, "m");
	assert_string_equal(opt.ram, "/dev/shm/x");
	assert_int_equal(opt.cpu_signature, 0x000806f8);
	assert_true(opt.seam.erratum);
	assert_int_equal(opt.seam.nr_tdx_keyids, 4);
	assert_int_equal(opt.seam.package[2], 0);
	assert_int_equal(opt.seam.package[3], 1);
}

static void test_errors(void **state)
{
	static const struct {
		const char *arg;
		unsigned int nr_cpus;
		const char *says;
	} cases[] = {
		{ "colour=red", 1, "unknown argument colour=red" },
		{ "trace", 1, "malformed argument trace" },
		{ "=x", 1, "malformed argument =x" },
		{ "trace=", 1, "trace= needs a file name" },
		{ "cpu=486", 1, "use gnr, emr, spr or qemu" },
		{ "keyids=many", 1, "keyids=many" },
		{ "tsc_khz=2596145", 1, "multiple of 25" },
		{ "packages=2", 3, "does not divide the 3 CPUs" },
		{ "packages=1", 257, "the limit is 256 CPUs" },
	};
	struct options opt;
	char err[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		err[0] = 0;
		assert_false(parse(&opt, cases[i].arg, cases[i].nr_cpus, err));
		assert_non_null(strstr(err, cases[i].says));
		assert_null(strchr(err, '\n'));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_tsc),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
