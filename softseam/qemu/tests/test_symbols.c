// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbols.h"

static const char map[] =
	"00000000018f9120 A phys_startup_64\n"
	"ffffffff81000000 T _stext\n"
	"ffffffff81000000 T _text\n"
	"ffffffff81000040 T entry_SYSCALL_64\n"
	"ffffffff81000200 t tdh_sys_config\n"
	"ffffffff81000100 T __seamcall\n"
	"ffffffff81000300 D some_data\n"
	"ffffffff81001000 T _etext\n"
	"ffffffff81800000 T _sinittext\n"
	"ffffffff81800010 t init_tdmr\n"
	"ffffffff81800100 T _einittext\n";

static struct symbols *load(const char *text, char *err, size_t errlen)
{
	char path[] = "/tmp/symbols_test.XXXXXX";
	int fd = mkstemp(path);
	struct symbols *s;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	s = symbols_load(path, err, errlen);
	unlink(path);
	return s;
}

static void test_lookup(void **state)
{
	char err[256];
	struct symbols *s = load(map, err, sizeof(err));

	(void)state;
	assert_non_null(s);
	assert_string_equal(symbols_lookup(s, 0xffffffff81000100), "__seamcall");
	assert_string_equal(symbols_lookup(s, 0xffffffff810001ff), "__seamcall");
	assert_string_equal(symbols_lookup(s, 0xffffffff81000fff), "tdh_sys_config");
	assert_string_equal(symbols_lookup(s, 0xffffffff81800020), "init_tdmr");
	/* Before, between and behind the code. */
	assert_null(symbols_lookup(s, 0xffffffff80ffffff));
	assert_null(symbols_lookup(s, 0xffffffff81001000));
	assert_null(symbols_lookup(s, 0xffffffff81800100));
	assert_null(symbols_lookup(s, 0));
	symbols_free(s);
}

static void test_moved_kernel(void **state)
{
	char err[256];
	struct symbols *s = load(map, err, sizeof(err));

	(void)state;
	assert_non_null(s);
	symbols_set_syscall_entry(s, 0xffffffff9a200040);
	assert_string_equal(symbols_lookup(s, 0xffffffff9a200108), "__seamcall");
	assert_null(symbols_lookup(s, 0xffffffff81000100));
	symbols_free(s);
}

static void test_not_a_map(void **state)
{
	char err[256];

	(void)state;
	assert_null(load("int main(void)\n", err, sizeof(err)));
	assert_non_null(strstr(err, "not a kernel's System.map"));
	assert_null(symbols_load("/nonexistent/System.map", err, sizeof(err)));
	assert_non_null(strstr(err, "No such file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_moved_kernel),
		cmocka_unit_test(test_not_a_map),
	};

	return cmocka_run_group_tests_name("symbols", tests, NULL, NULL);
}
