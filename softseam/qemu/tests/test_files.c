// SPDX-License-Identifier: GPL-2.0-only
/* The files that a run leaves: traces and counters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib.h>

#include "check_json.h"
#include "stats.h"
#include "trace.h"

static char dir[] = "/tmp/test_files.XXXXXX";
static char text[64], json[64], counters[64];
static char err[256];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_files.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(text, sizeof(text), "%s/t.txt", dir);
	snprintf(json, sizeof(json), "%s/t.json", dir);
	snprintf(counters, sizeof(counters), "%s/s.json", dir);
	return 0;
}

/* Fails if a test left anything else behind. */
static int teardown(void **state)
{
	(void)state;
	unlink(text);
	unlink(json);
	unlink(counters);
	return rmdir(dir);
}

static char *contents(const char *path)
{
	char *data;

	assert_true(g_file_get_contents(path, &data, NULL, NULL));
	return data;
}

static void assert_contains(const char *path, const char *part)
{
	char *data = contents(path);

	if (!strstr(data, part))
		fail_msg("%s lacks %s:\n%s", path, part, data);
	g_free(data);
}

static void assert_json(const char *path)
{
	char *data = contents(path);
	size_t where;

	if (!json_is_valid(data, &where))
		fail_msg("%s is no JSON from here on: %s", path, data + where);
	g_free(data);
}

static unsigned int count(const char *path, const char *part)
{
	char *data = contents(path);
	const char *at = data;
	unsigned int n = 0;

	while ((at = strstr(at, part))) {
		at += strlen(part);
		n++;
	}
	g_free(data);
	return n;
}

/* The checker of what follows knows what is none. */
static void test_json_checker(void **state)
{
	static const char *const good[] = {
		"[]", " [ ] ", "{\"a\": [1, -2.5e+3, 0], \"b\": \"\\u00e4\\n\"}", "null", "0.5",
	};
	static const char *const bad[] = {
		"", "[", "[1,]", "{\"a\":}", "{a:1}", "\"\n\"", "\"\\x\"", "\"\\u12\"", "01",
		"1.", "tru", "[1] 2", "[1 2]", "{\"a\":1,}", "-", "\"",
	};
	size_t where;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
		assert_true(json_is_valid(good[i], &where));
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_false(json_is_valid(bad[i], &where));
}

static void trace_one(struct trace *t, enum seam_end how, const char *caller)
{
	const struct seam_regs in = { .rax = 34, .rdx = 0x123 };
	const struct seam_regs out = { .rax = 0, .rdx = 0x124, .r8 = 5 };
	const struct seam_event e = {
		.cpu = 3, .start = 1500000, .end = 1502250, .in = &in, .out = &out,
		.how = how,
	};

	trace_seamcall(t, &e, caller);
}

static void test_trace(void **state)
{
	struct trace *t = trace_open(text, json, err, sizeof(err));

	(void)state;
	assert_non_null(t);
	trace_one(t, SEAM_END_DONE, "read_sys_metadata_field");
	trace_one(t, SEAM_END_VMFAILINVALID, NULL);
	trace_close(t);
	/* A CPU that comes late finds nothing to write to. */
	trace_one(t, SEAM_END_DONE, NULL);

	assert_contains(text, " by read_sys_metadata_field\n");
	assert_contains(text, "VMfailInvalid");
	assert_contains(json, "[\n{\"name\":\"TDH.SYS.RD\",\"cat\":\"seamcall\",\"ph\":\"X\","
			"\"pid\":0,\"tid\":3,\"ts\":1500.000,\"dur\":2.250,");
	assert_contains(json, "\"status\":\"TDX_SUCCESS\",\"in\":{\"rax\":\"0x22\",\"field\":\"0x123\"},"
			"\"out\":{\"rax\":\"0x0\",\"next\":\"0x124\",\"value\":\"0x5\"}");
	assert_json(json);
	assert_contains(json, "\"caller\":\"read_sys_metadata_field\",\"injected\":false}},\n{");
	assert_contains(json, "}}\n]\n");
	trace_discard(t);
}

static const struct seam_violation violation = {
	.cpu = 1, .rule = "no-wbinvd", .pa = 0x1000, .text = "the \"text\"\\\n",
};

/* What is there without trace_close() is what a crash leaves. */
static void test_trace_is_written_soon(void **state)
{
	struct trace *t = trace_open(text, NULL, err, sizeof(err));
	unsigned int patience = 6000;

	(void)state;
	assert_non_null(t);
	trace_one(t, SEAM_END_DONE, NULL);
	while (!count(text, "TDH.SYS.RD") && patience--)
		g_usleep(10000);
	assert_contains(text, "TDH.SYS.RD");
	trace_discard(t);
	assert_int_not_equal(access(text, F_OK), 0);
}

static void test_trace_is_written_when_asked(void **state)
{
	struct trace *t = trace_open(text, NULL, err, sizeof(err));

	(void)state;
	assert_non_null(t);
	trace_flush(t);
	trace_one(t, SEAM_END_DONE, NULL);
	trace_flush(t);
	assert_contains(text, "TDH.SYS.RD");
	trace_one(t, SEAM_END_GP, NULL);
	trace_violation(t, &violation, 2000000000);
	assert_contains(text, "#GP");
	assert_contains(text, "no-wbinvd");
	trace_close(t);
	/* Nobody writes these any more, and nobody waits for them. */
	trace_violation(t, &violation, 2000000000);
	trace_flush(t);
	assert_int_equal(count(text, "no-wbinvd"), 1);
	trace_discard(t);
}

#define CPUS		4
#define CALLS_OF_CPU	20000

static void *make_calls(void *opaque)
{
	for (unsigned int i = 0; i < CALLS_OF_CPU; i++)
		trace_one(opaque, SEAM_END_DONE, NULL);
	return NULL;
}

/* More than the queues hold, from several CPUs, while one finds violations. */
static void test_trace_of_many_calls(void **state)
{
	struct trace *t = trace_open(text, json, err, sizeof(err));
	GThread *cpu[CPUS];

	(void)state;
	assert_non_null(t);
	for (unsigned int i = 0; i < CPUS; i++)
		cpu[i] = g_thread_new("cpu", make_calls, t);
	for (unsigned int i = 0; i < 100; i++)
		trace_violation(t, &violation, i);
	assert_int_equal(count(text, "no-wbinvd"), 100);
	for (unsigned int i = 0; i < CPUS; i++)
		g_thread_join(cpu[i]);
	trace_close(t);
	assert_int_equal(count(text, "TDH.SYS.RD"), CPUS * CALLS_OF_CPU);
	assert_json(json);
	assert_int_equal(count(json, "\"ph\":\"X\""), CPUS * CALLS_OF_CPU);
	trace_discard(t);
}

static void test_trace_violation(void **state)
{
	struct trace *t = trace_open(text, json, err, sizeof(err));

	(void)state;
	assert_non_null(t);
	trace_violation(t, &violation, 2000000000);
	trace_close(t);
	assert_contains(text, "[    2.000000000] cpu1 violation no-wbinvd: the \"text\"");
	assert_contains(json, "\"text\":\"the \\\"text\\\"\\\\\\u000a\"");
	assert_json(json);
	trace_discard(t);
}

/* All leaves, known or not, however they end: an event each. */
static void test_trace_of_all_leaves(void **state)
{
	static const enum seam_end ends[] = {
		SEAM_END_DONE, SEAM_END_VMFAILINVALID, SEAM_END_GP, SEAM_END_UD,
	};
	struct trace *t = trace_open(text, json, err, sizeof(err));
	unsigned int nr = 0;
	char name[64];

	(void)state;
	assert_non_null(t);
	for (uint64_t leaf = 0; leaf < 200; leaf++) {
		for (size_t i = 0; i < G_N_ELEMENTS(ends); i++, nr++) {
			const struct seam_regs in = { .rax = leaf, .rcx = ~0ull };
			const struct seam_regs out = { .rax = UINT64_C(0xC000010000000008) };
			const struct seam_event e = { .start = nr, .end = nr + 1, .in = &in,
						      .out = &out, .how = ends[i] };

			trace_seamcall(t, &e, leaf & 1 ? "a \"name\"" : NULL);
		}
	}
	trace_close(t);
	assert_json(json);
	assert_int_equal(count(json, "\"ph\":\"X\""), nr);
	assert_int_equal(count(json, "\"dur\":0.001"), nr);
	assert_int_equal(count(json, "\"status\":\"TDX_OPERAND_INVALID|R8\""), nr / 4);
	assert_int_equal(count(json, "\"status\":\"#GP\""), nr / 4);
	assert_int_equal(count(text, "\n"), nr);
	for (unsigned int leaf = 0; leaf < 200; leaf++) {
		if (!seam_leaf_name(leaf))
			continue;
		snprintf(name, sizeof(name), "{\"name\":\"%s\"", seam_leaf_name(leaf));
		assert_int_equal(count(json, name), 4);
	}
	trace_discard(t);
}

/* Why a vCPU left its TD, and what for. */
static void test_trace_of_exits(void **state)
{
	struct trace *t = trace_open(text, json, err, sizeof(err));
	const struct seam_regs in = { .rcx = 0x5000 };
	const struct seam_regs out[] = {
		{ .rax = 48, .rcx = 2, .r8 = 0x7000 },
		{ .rax = 77, .r11 = 30, .r12 = 1, .r14 = 0x3f8 },
		{ .rax = UINT64_C(0x4000000100000002) },
	};

	(void)state;
	assert_non_null(t);
	for (size_t i = 0; i < G_N_ELEMENTS(out); i++) {
		const struct seam_event e = { .in = &in, .out = &out[i] };

		trace_seamcall(t, &e, NULL);
	}
	trace_close(t);
	assert_json(json);
	assert_contains(json, "\"exit\":\"EPT_VIOLATION\",\"in\":{\"rax\":\"0x0\",\"tdvpr\":\"0x5000\"},"
			"\"out\":{\"rax\":\"0x30\",\"qualification\":\"0x2\"");
	assert_contains(json, "\"exit\":\"TDCALL\",\"vmcall\":\"IO\"");
	assert_contains(json, "\"r14\":\"0x3f8\"");
	assert_contains(json, "\"status\":\"TDX_NON_RECOVERABLE_VCPU|0x2\",\"exit\":\"TRIPLE_FAULT\"");
	assert_contains(text, " -> TDX_SUCCESS|0x4d exit=TDCALL vmcall=IO r12=0x1");
	trace_discard(t);
}

/* A file without an end, as a crash leaves it, lacks just that. */
static void test_trace_without_end(void **state)
{
	struct trace *t = trace_open(NULL, json, err, sizeof(err));
	char *data, *whole;
	size_t where;

	(void)state;
	assert_non_null(t);
	trace_one(t, SEAM_END_DONE, NULL);
	trace_flush(t);
	data = contents(json);
	whole = g_strconcat(data, "]", NULL);
	assert_false(json_is_valid(data, &where));
	assert_true(json_is_valid(whole, &where));
	g_free(whole);
	g_free(data);
	trace_discard(t);
}

static void test_trace_cannot_be_written(void **state)
{
	(void)state;
	assert_null(trace_open(text, "/nonexistent/t.json", err, sizeof(err)));
	assert_non_null(strstr(err, "cannot write /nonexistent/t.json: No such file"));
	assert_int_not_equal(access(text, F_OK), 0);
}

static void *no_ram(void *opaque, uint64_t pa, uint64_t len)
{
	(void)opaque;
	(void)pa;
	(void)len;
	return NULL;
}

static uint64_t no_time(void *opaque)
{
	(void)opaque;
	return 0;
}

static struct seam *make_seam(void)
{
	const struct seam_machine machine = { .ram = no_ram, .now = no_time };
	struct seam_config cfg;
	struct seam *seam;

	seam_config_init(&cfg);
	cfg.nr_cmrs = 1;
	cfg.cmr[0].size = 1 << 30;
	seam = seam_new(&cfg, &machine, err, sizeof(err));
	assert_non_null(seam);
	return seam;
}

static void test_stats(void **state)
{
	struct stats *s = stats_open(counters, err, sizeof(err));
	struct seam_violation named = violation;
	struct seam *seam = make_seam();

	(void)state;
	assert_non_null(s);
	assert_contains(counters, "{}\n");
	stats_write(s, seam);
	assert_contains(counters, "\"sys_state\": \"PENDING\"");
	assert_contains(counters, "\"violation_list\": []\n}\n");
	assert_json(counters);

	named.caller = "tdh_mng_create";
	stats_violation(s, &named);
	stats_violation(s, &violation);
	stats_write(s, seam);
	assert_contains(counters, "{\"rule\": \"no-wbinvd\", \"cpu\": 1, \"pa\": \"0x1000\", "
			"\"text\": \"the \\\"text\\\"\\\\\\u000a\", \"caller\": \"tdh_mng_create\"},\n");
	assert_contains(counters, "\"caller\": null}\n  ]\n}\n");
	assert_json(counters);

	stats_reset(s);
	stats_write(s, seam);
	assert_contains(counters, "\"violation_list\": []\n}\n");
	stats_discard(s);
	assert_int_not_equal(access(counters, F_OK), 0);
	seam_free(seam);
}

static void test_stats_list_is_limited(void **state)
{
	struct stats *s = stats_open(counters, err, sizeof(err));
	struct seam *seam = make_seam();
	unsigned int i, listed = 0;
	const char *at;
	char *data;

	(void)state;
	for (i = 0; i < 1000; i++)
		stats_violation(s, &violation);
	stats_write(s, seam);
	data = contents(counters);
	for (at = data; (at = strstr(at, "\"rule\"")); at++)
		listed++;
	assert_int_equal(listed, 100);
	g_free(data);
	stats_discard(s);
	seam_free(seam);
}

static void test_stats_cannot_be_written(void **state)
{
	(void)state;
	assert_null(stats_open("/nonexistent/s.json", err, sizeof(err)));
	assert_non_null(strstr(err, "No such file"));
	assert_null(stats_open("/dev/null", err, sizeof(err)));
	assert_non_null(strstr(err, "not a regular file"));
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_checker),
		TEST(test_trace),
		TEST(test_trace_is_written_soon),
		TEST(test_trace_is_written_when_asked),
		TEST(test_trace_of_many_calls),
		TEST(test_trace_violation),
		TEST(test_trace_of_all_leaves),
		TEST(test_trace_of_exits),
		TEST(test_trace_without_end),
		TEST(test_trace_cannot_be_written),
		TEST(test_stats),
		TEST(test_stats_list_is_limited),
		TEST(test_stats_cannot_be_written),
	};

	return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
