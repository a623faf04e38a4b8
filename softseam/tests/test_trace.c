// SPDX-License-Identifier: GPL-2.0-only
/* Trace lines of all leaves, and of vCPUs that leave their TD. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "guest_host.h"
#include "shared_ept.h"


/* One that differs in each register. */
static struct seam_regs numbered(uint64_t rax, uint64_t base)
{
	return (struct seam_regs){
		.rax = rax, .rcx = base + 1, .rdx = base + 2, .rbx = base + 3, .rbp = base + 5,
		.rsi = base + 6, .rdi = base + 7, .r8 = base + 8, .r9 = base + 9,
		.r10 = base + 10, .r11 = base + 11, .r12 = base + 12, .r13 = base + 13,
		.r14 = base + 14, .r15 = base + 15,
	};
}

static void assert_has(const char *line, const char *part)
{
	if (!strstr(line, part))
		fail_msg("'%s' is not in: %s", part, line);
}

static void assert_has_operands(const char *line, const struct seam_event *e, bool output,
				const struct leaf_reg *reg)
{
	char part[64];
	const char *meaning;
	uint64_t value;
	unsigned int i;

	for (i = 0; seam_event_operand(e, output, i, &meaning, &value); i++) {
		assert_string_equal(meaning, reg[i].name);
		assert_int_equal(value, leaf_reg_value(output ? e->out : e->in, &reg[i]));
		snprintf(part, sizeof(part), " %s=0x%" PRIx64, meaning, value);
		assert_has(line, part);
	}
	assert_true(i == LEAF_MAX_REGS || !reg[i].name);
}

/* Each leaf of the module says its name and what its operands mean. */
static void all_leaves(void **state)
{
	unsigned int nr = 0;

	(void)state;
	for (uint64_t number = 0; number < SEAM_MAX_LEAF; number++) {
		struct seam_regs in = numbered(number, 0xABC00);
		struct seam_regs out = numbered(TDX_SUCCESS, 0xDEF00);
		struct seam_event e = { .cpu = 7, .start = 1002000003004, .end = 1002000003995,
					.in = &in, .out = &out };
		const struct leaf *leaf = leaf_get(number);
		char line[512], part[64];

		if (!leaf || !leaf->run)
			continue;
		assert_true((size_t)seam_format_event(line, sizeof(line), &e) < sizeof(line));
		assert_null(strchr(line, '\n'));
		snprintf(part, sizeof(part), "[ 1002.000003004] cpu7 %s", leaf->name);
		assert_memory_equal(line, part, strlen(part));
		assert_has(line, " -> TDX_SUCCESS");
		assert_has(line, " 991ns");
		assert_has_operands(line, &e, false, leaf->in);
		if (!(leaf->flags & LEAF_GUEST)) {
			assert_has_operands(line, &e, true, leaf->out);
			assert_null(seam_event_exit(&e));
		}
		nr++;
	}
	assert_int_equal(nr, 45);
}

/* A register with a role has a name that no other register of the leaf has. */
static void names_are_unique(void **state)
{
	(void)state;
	for (uint64_t number = 0; number < SEAM_MAX_LEAF; number++) {
		const struct leaf *leaf = leaf_get(number);

		for (unsigned int i = 0; leaf && i < LEAF_MAX_REGS && leaf->in[i].name; i++) {
			for (unsigned int j = 0; j < i; j++) {
				assert_string_not_equal(leaf->in[i].name, leaf->in[j].name);
				assert_int_not_equal(leaf->in[i].offset, leaf->in[j].offset);
			}
		}
	}
}

static struct host *started(void)
{
	struct host *h = host_new(NULL);

	guest_run_64bit(h);
	return h;
}

/* What the last SEAMCALL looks like, without times. */
static void assert_last_line(struct host *h, const char *want)
{
	char line[512], end[64];
	const char *from;

	seam_format_event(line, sizeof(line), &h->event);
	from = strstr(line, "cpu0 TDH.VP.ENTER tdvpr=0x10000a000 -> ");
	assert_non_null(from);
	snprintf(end, sizeof(end), " %" PRIu64 "ns", h->event.end - h->event.start);
	from += strlen("cpu0 TDH.VP.ENTER tdvpr=0x10000a000 -> ");
	assert_int_equal(strlen(from), strlen(want) + strlen(end));
	assert_memory_equal(from, want, strlen(want));
	assert_string_equal(from + strlen(want), end);
}

static void exits(void **state)
{
	static const struct {
		struct guest_exit exit;
		const char *text, *name;
	} rows[] = {
		{ { .why = GUEST_STOP_HOST_EVENT }, "TDX_SUCCESS|0x6 exit=OTHER_SMI",
		  "OTHER_SMI" },
		{ { .why = GUEST_STOP_INIT }, "TDX_SUCCESS|0x3 exit=INIT", "INIT" },
		{ { .why = GUEST_STOP_TRIPLE_FAULT },
		  "TDX_NON_RECOVERABLE_VCPU|0x2 exit=TRIPLE_FAULT", "TRIPLE_FAULT" },
		{ { .why = GUEST_STOP_BAD_STATE },
		  "TDX_NON_RECOVERABLE_TD|0x80000021 exit=ENTRY_FAILED", "ENTRY_FAILED" },
		{ { .why = GUEST_STOP_MEMORY, .gpa = GPA_FREE + 5, .write = true },
		  "TDX_SUCCESS|0x30 exit=EPT_VIOLATION qualification=0x2 extended=0x0 gpa=0x102000"
		  " interruption=0x0", "EPT_VIOLATION" },
		{ { .why = GUEST_STOP_MEMORY, .gpa = GPA_SHARED, .read = true },
		  "TDX_SUCCESS|0x31 exit=EPT_MISCONFIG qualification=0x0 extended=0x0"
		  " gpa=0x800000000000 interruption=0x0", "EPT_MISCONFIG" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host *h = started();

		atomic_store(&host_vcpu(h)->vmcs.shared_eptp, 3 * GB);
		assert_int_equal(guest_stop(h, rows[i].exit), SEAM_END_DONE);
		assert_last_line(h, rows[i].text);
		assert_string_equal(seam_event_exit(&h->event), rows[i].name);
		assert_null(seam_event_vmcall(&h->event));
		host_free(h);
	}
}

static void vmcalls(void **state)
{
	static const struct {
		uint64_t r10, r11;
		const char *text, *name;
	} rows[] = {
		{ 0, 10, "vmcall=CPUID", "CPUID" }, { 0, 12, "vmcall=HLT", "HLT" },
		{ 0, 30, "vmcall=IO", "IO" }, { 0, 31, "vmcall=RDMSR", "RDMSR" },
		{ 0, 32, "vmcall=WRMSR", "WRMSR" }, { 0, 48, "vmcall=MMIO", "MMIO" },
		{ 0, 0x10000, "vmcall=GetTdVmCallInfo", "GetTdVmCallInfo" },
		{ 0, 0x10001, "vmcall=MapGPA", "MapGPA" },
		{ 0, 0x10002, "vmcall=GetQuote", "GetQuote" },
		{ 0, 0x10003, "vmcall=ReportFatalError", "ReportFatalError" },
		{ 0, 0x10004, "vmcall=SetupEventNotifyInterrupt", "SetupEventNotifyInterrupt" },
		/* A hypercall of KVM's, and a number that nobody knows. */
		{ 5, 12, "r10=0x5 r11=0xc", NULL }, { 0, 99, "r10=0x0 r11=0x63", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host *h = started();
		char want[256];

		guest_cpu(h)->gpr = (struct seam_regs){ .rcx = 0xFC00, .r10 = rows[i].r10,
							.r11 = rows[i].r11, .r12 = 1, .r13 = 2,
							.r14 = 0x3F8, .r15 = 0x41 };
		assert_int_equal(STOP_AT(h, GUEST_STOP_UNDEFINED, INSN_TDCALL), SEAM_END_DONE);
		snprintf(want, sizeof(want), "TDX_SUCCESS|0x4d exit=TDCALL %s r12=0x1 r13=0x2"
			 " r14=0x3f8 r15=0x41", rows[i].text);
		assert_last_line(h, want);
		assert_string_equal(seam_event_exit(&h->event), "TDCALL");
		if (rows[i].name)
			assert_string_equal(seam_event_vmcall(&h->event), rows[i].name);
		else
			assert_null(seam_event_vmcall(&h->event));
		host_free(h);
	}
}

/* An entry that is refused is no exit, and one for an unknown reason has a number. */
static void no_exit(void **state)
{
	struct seam_regs in = { .rax = TDH_VP_ENTER, .rcx = 0x5000 }, out = in;
	struct seam_event e = { .in = &in, .out = &out };
	const char *meaning;
	uint64_t value;
	char line[512];

	(void)state;
	out.rax = TDX_VCPU_ASSOCIATED;
	seam_format_event(line, sizeof(line), &e);
	assert_string_equal(line, "[    0.000000000] cpu0 TDH.VP.ENTER tdvpr=0x5000"
			    " -> TDX_VCPU_ASSOCIATED 0ns");
	assert_null(seam_event_exit(&e));
	assert_false(seam_event_operand(&e, true, 0, &meaning, &value));
	assert_false(seam_event_operand(&e, false, LEAF_MAX_REGS, &meaning, &value));

	out.rax = 1;
	seam_format_event(line, sizeof(line), &e);
	assert_string_equal(line, "[    0.000000000] cpu0 TDH.VP.ENTER tdvpr=0x5000"
			    " -> TDX_SUCCESS|0x1 exit=1 0ns");
	assert_null(seam_event_exit(&e));

	/* A call that is not over yet has neither status nor outputs. */
	e.how = SEAM_END_RUN_GUEST;
	seam_format_event(line, sizeof(line), &e);
	assert_string_equal(line, "[    0.000000000] cpu0 TDH.VP.ENTER tdvpr=0x5000 0ns");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_leaves),
		cmocka_unit_test(names_are_unique),
		cmocka_unit_test(exits),
		cmocka_unit_test(vmcalls),
		cmocka_unit_test(no_exit),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
