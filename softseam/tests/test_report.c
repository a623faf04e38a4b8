// SPDX-License-Identifier: GPL-2.0-only
/* What people and programs read: names, trace lines, counters as JSON. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

static void leaf_names(void **state)
{
	(void)state;
	assert_string_equal(seam_leaf_name(0), "TDH.VP.ENTER");
	assert_string_equal(seam_leaf_name(TDH_SYS_CONFIG), "TDH.SYS.CONFIG");
	assert_string_equal(seam_leaf_name(58), "TDH.PHYMEM.PAMT.ADD");
	assert_string_equal(seam_leaf_name(144), "TDH.SPDM.MNG");
	assert_null(seam_leaf_name(62));
	assert_null(seam_leaf_name(SEAM_MAX_LEAF));
	assert_null(seam_leaf_name(~0U));
}

static void leaf_names_are_unique(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < SEAM_MAX_LEAF; i++) {
		for (unsigned int j = 0; seam_leaf_name(i) && j < i; j++) {
			if (seam_leaf_name(j))
				assert_string_not_equal(seam_leaf_name(i), seam_leaf_name(j));
		}
	}
}

static void status_names(void **state)
{
	uint64_t status;

	(void)state;
	assert_string_equal(seam_status_name(TDX_OPERAND_BUSY | OPERAND_TDR), "TDX_OPERAND_BUSY");
	assert_string_equal(seam_status_name(0), "TDX_SUCCESS");
	assert_null(seam_status_name(0xDEAD000000000000));
	assert_true(seam_status_by_name("tdx_sys_busy", 12, &status));
	assert_status(status, TDX_SYS_BUSY);
	assert_true(seam_status_by_name("SYS_BUSYxyz", 8, &status));
	assert_false(seam_status_by_name("SYS_BUS", 7, &status));
	assert_false(seam_status_by_name("TDX_", 4, &status));
}

static void formatted_status(void **state)
{
	static const struct {
		uint64_t status;
		const char *text;
	} cases[] = {
		{ TDX_SUCCESS, "TDX_SUCCESS" },
		{ TDX_OPERAND_INVALID | OPERAND_RAX, "TDX_OPERAND_INVALID|RAX" },
		{ TDX_OPERAND_BUSY | OPERAND_SEPT_TREE, "TDX_OPERAND_BUSY|SEPT_TREE" },
		{ TDX_OPERAND_BUSY | 0x7777, "TDX_OPERAND_BUSY|0x7777" },
		{ TDX_SYS_BUSY, "TDX_SYS_BUSY" },
		{ TDX_SYS_BUSY | 5, "TDX_SYS_BUSY|0x5" },
		{ TDX_INCONSISTENT_MSR | 0x3B, "TDX_INCONSISTENT_MSR|MSR 0x3b" },
		{ TDX_INVALID_TDMR | 3, "TDX_INVALID_TDMR|TDMR 3 area 0" },
		{ TDX_INVALID_RESERVED_IN_TDMR | 0x203,
		  "TDX_INVALID_RESERVED_IN_TDMR|TDMR 3 area 2" },
		{ TDX_PAMT_OVERLAP | 0x10203, "TDX_PAMT_OVERLAP|TDMR 3 PAMT 1G, TDMR 1" },
		{ TDX_INVALID_PAMT | 0x300, "TDX_INVALID_PAMT|TDMR 0 PAMT ?, TDMR 0" },
		{ 0xDEAD000000000001, "0xdead000000000001" },
	};
	char text[96];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(seam_format_status(text, sizeof(text), cases[i].status),
				 strlen(cases[i].text));
		assert_string_equal(text, cases[i].text);
	}
}

static void assert_line(const struct seam_event *e, const char *want)
{
	char line[512];

	assert_int_equal(seam_format_event(line, sizeof(line), e), strlen(want));
	assert_string_equal(line, want);
}

static void trace_lines(void **state)
{
	struct seam_regs in = { .rax = TDH_SYS_CONFIG, .rcx = 0x1000, .rdx = 2, .r8 = 32 };
	struct seam_regs out = in;
	struct seam_event e = { .cpu = 3, .start = 12000000345, .end = 12000001345,
				.in = &in, .out = &out };

	(void)state;
	out.rax = TDX_OPERAND_INVALID | OPERAND_R8;
	assert_line(&e, "[   12.000000345] cpu3 TDH.SYS.CONFIG tdmrs=0x1000 nr_tdmrs=0x2 hkid=0x20 features=0x0"
		    " -> TDX_OPERAND_INVALID|R8 1000ns");
	e.injected = true;
	assert_line(&e, "[   12.000000345] cpu3 TDH.SYS.CONFIG tdmrs=0x1000 nr_tdmrs=0x2 hkid=0x20 features=0x0"
		    " -> TDX_OPERAND_INVALID|R8 1000ns injected");
	e.injected = false;

	in = (struct seam_regs){ .rax = TDH_PHYMEM_PAGE_RDMD, .rcx = 0x5000 };
	out = (struct seam_regs){ .rcx = 3, .rdx = 0x7000, .r9 = 9 };
	assert_line(&e, "[   12.000000345] cpu3 TDH.PHYMEM.PAGE.RDMD page=0x5000 -> TDX_SUCCESS"
		    " type=0x3 owner=0x7000 size=0x0 bepoch=0x9 1000ns");

	/* Registers that an early error left alone are no outputs. */
	out = in;
	out.rax = TDX_SYS_NOT_READY;
	assert_line(&e, "[   12.000000345] cpu3 TDH.PHYMEM.PAGE.RDMD page=0x5000"
		    " -> TDX_SYS_NOT_READY 1000ns");

	e.how = SEAM_END_VMFAILINVALID;
	assert_line(&e, "[   12.000000345] cpu3 TDH.PHYMEM.PAGE.RDMD page=0x5000"
		    " -> VMfailInvalid 1000ns");
	e.how = SEAM_END_GP;
	assert_line(&e, "[   12.000000345] cpu3 TDH.PHYMEM.PAGE.RDMD page=0x5000"
		    " -> #GP(0) 1000ns");
	e.how = SEAM_END_UD;
	assert_line(&e, "[   12.000000345] cpu3 TDH.PHYMEM.PAGE.RDMD page=0x5000"
		    " -> #UD 1000ns");
}

static void trace_other_leaves(void **state)
{
	struct seam_regs in = { .rax = 23 | 1 << 16, .rcx = 1, .rdx = 2, .r8 = 3, .r9 = 4 };
	struct seam_regs out = { .rax = TDX_OPERAND_INVALID };
	struct seam_event e = { .in = &in, .out = &out };

	(void)state;
	assert_line(&e, "[    0.000000000] cpu0 TDH.MEM.PAGE.PROMOTE/0x1 rcx=0x1 rdx=0x2 r8=0x3 r9=0x4"
		    " -> TDX_OPERAND_INVALID|RAX 0ns");
	in.rax = 4711;
	assert_line(&e, "[    0.000000000] cpu0 leaf 4711 rcx=0x1 rdx=0x2 r8=0x3 r9=0x4"
		    " -> TDX_OPERAND_INVALID|RAX 0ns");
}

/* As with snprintf(), a short buffer gets what fits. */
static void trace_short_buffer(void **state)
{
	struct seam_regs regs = { .rax = TDH_SYS_INIT };
	struct seam_event e = { .in = &regs, .out = &regs };
	char line[24];
	int full = seam_format_event(NULL, 0, &e);

	(void)state;
	assert_int_equal(seam_format_event(line, sizeof(line), &e), full);
	assert_string_equal(line, "[    0.000000000] cpu0 ");
}

static char *json_of(struct host *h)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(seam_write_json(h->seam, f), 0);
	fclose(f);
	return text;
}

static void json(void **state)
{
	struct host *h = *state;
	struct seam_regs bad = { .rax = TDH_SYS_CONFIG, .rcx = 3 * GB, .rdx = 1, .r8 = 32 };
	char *text;

	host_start(h);
	host_goto(h, STAGE_LPS);
	host_status(h, 0, bad);
	host_status(h, 0, (struct seam_regs){ .rax = 62 });
	text = json_of(h);
	assert_string_equal(text,
		"{\n"
		"  \"module_loaded\": true,\n"
		"  \"module_version\": \"1.5.16\",\n"
		"  \"features0\": \"0x140000\",\n"
		"  \"sys_state\": \"SYSINIT_DONE\",\n"
		"  \"cpus\": 4,\n"
		"  \"packages\": 2,\n"
		"  \"tdmrs\": 0,\n"
		"  \"pamt_kb\": 0,\n"
		"  \"keyids\": { \"total\": 32, \"in_use\": 0 },\n"
		"  \"tds\": 0,\n"
		"  \"pages_owned\": 0,\n"
		"  \"pamt_pairs\": 0,\n"
		"  \"ext_pool_pages\": 0,\n"
		"  \"connect\": { \"iommus\": 0, \"spdm_sessions\": 0, \"ide_streams\": 0 },\n"
		"  \"leaves\": {\n"
		"    \"TDH.SYS.INIT\": { \"calls\": 1, \"errors\": 0, \"injected\": 0, \"ns\": 1000 },\n"
		"    \"TDH.SYS.LP.INIT\": { \"calls\": 4, \"errors\": 0, \"injected\": 0, \"ns\": 4000 },\n"
		"    \"TDH.SYS.CONFIG\": { \"calls\": 1, \"errors\": 1, \"injected\": 0, \"ns\": 1000 }\n"
		"  },\n"
		"  \"unknown_leaf_calls\": 1,\n"
		"  \"violations\": 1,\n"
		"  \"violations_by_rule\": { \"not-ram\": 1, \"no-wbinvd\": 0,"
		" \"host-write\": 0, \"wrong-cpu\": 0, \"never-returned\": 0, \"no-clflush\": 0,"
		" \"no-reset\": 0 }\n"
		"}\n");
	free(text);
}

static void json_ready(void **state)
{
	struct host *h = *state;
	char *text;

	host_start(h);
	host_goto(h, STAGE_TDMRS);
	text = json_of(h);
	assert_non_null(strstr(text, "\"sys_state\": \"READY\""));
	assert_non_null(strstr(text, "\"tdmrs\": 3"));
	/* 5 GB: 4 MB and 8 KB a GB, and one page a TDMR. */
	assert_non_null(strstr(text, "\"pamt_kb\": 20532"));
	assert_non_null(strstr(text, "\"in_use\": 1"));
	free(text);
}

static void json_write_error(void **state)
{
	struct host *h = *state;
	FILE *f = fopen("/dev/full", "w");

	if (!f)
		skip();
	host_start(h);
	assert_int_equal(seam_write_json(h->seam, f), -EIO);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaf_names),
		cmocka_unit_test(leaf_names_are_unique),
		cmocka_unit_test(status_names),
		cmocka_unit_test(formatted_status),
		cmocka_unit_test(trace_lines),
		cmocka_unit_test(trace_other_leaves),
		cmocka_unit_test(trace_short_buffer),
		host_test(json),
		host_test(json_ready),
		host_test(json_write_error),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
