// SPDX-License-Identifier: GPL-2.0-only
/* The decoder for instructions that stop a guest, on bytes and on random ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "guest_insn.h"

struct insn_row {
	const char *code;
	unsigned int len;
	/* What it is in 64-bit mode and outside. */
	enum guest_insn_kind kind64, kind32;
	unsigned int cr, gpr;
	bool io_immediate;
};

#define CODE(bytes)	.code = bytes, .len = sizeof(bytes) - 1
#define BOTH(kind)	.kind64 = kind, .kind32 = kind
#define ONLY64(kind)	.kind64 = kind, .kind32 = GI_OTHER

static const struct insn_row rows[] = {
	{ CODE("\x66\x0F\x01\xCC"), BOTH(GI_TDCALL) },
	{ CODE("\x0F\x01\xC1"), BOTH(GI_VMCALL) },
	{ CODE("\x0F\xA2"), BOTH(GI_CPUID) },
	{ CODE("\x0F\x32"), BOTH(GI_RDMSR) },
	{ CODE("\x0F\x30"), BOTH(GI_WRMSR) },
	{ CODE("\xF4"), BOTH(GI_HLT) },
	{ CODE("\x0F\x08"), BOTH(GI_INVD) },
	{ CODE("\x0F\x09"), BOTH(GI_WBINVD) },
	{ CODE("\xF3\x0F\x09"), BOTH(GI_WBINVD) },
	{ CODE("\x0F\x31"), BOTH(GI_RDTSC) },
	{ CODE("\x0F\x01\xF9"), BOTH(GI_RDTSCP) },
	{ CODE("\x0F\x33"), BOTH(GI_RDPMC) },
	{ CODE("\x0F\x06"), BOTH(GI_CLTS) },
	{ CODE("\xEE"), BOTH(GI_IO) },
	{ CODE("\x66\xED"), BOTH(GI_IO) },
	{ CODE("\xE5\x71"), BOTH(GI_IO), .io_immediate = true },
	{ CODE("\xE6\x80"), BOTH(GI_IO), .io_immediate = true },
	{ CODE("\xF3\x6E"), BOTH(GI_IO) },
	{ CODE("\xF2\x67\x66\x6D"), BOTH(GI_IO) },
	{ CODE("\x0F\x22\xC0"), BOTH(GI_MOV_TO_CR), .cr = 0, .gpr = 0 },
	{ CODE("\x0F\x22\xE3"), BOTH(GI_MOV_TO_CR), .cr = 4, .gpr = 3 },
	/* ModRM.mod is ignored. */
	{ CODE("\x0F\x22\x1F"), BOTH(GI_MOV_TO_CR), .cr = 3, .gpr = 7 },
	{ CODE("\xF0\x0F\x22\xC1"), BOTH(GI_MOV_TO_CR), .cr = 8, .gpr = 1 },
	{ CODE("\x44\x0F\x22\xC0"), ONLY64(GI_MOV_TO_CR), .cr = 8, .gpr = 0 },
	{ CODE("\x41\x0F\x22\xE7"), ONLY64(GI_MOV_TO_CR), .cr = 4, .gpr = 15 },
	{ CODE("\x0F\x01\xF2"), BOTH(GI_LMSW), .gpr = 2 },
	{ CODE("\x41\x0F\x01\xF2"), ONLY64(GI_LMSW), .gpr = 10 },
	/* A REX prefix counts only right before the opcode. */
	{ CODE("\x41\x66\x0F\x22\xE0"), ONLY64(GI_MOV_TO_CR), .cr = 4, .gpr = 0 },
	{ CODE("\x2E\x36\x3E\x26\x64\x65\xF4"), BOTH(GI_HLT) },
};

static void known(void **state)
{
	struct guest_insn insn;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct insn_row *row = &rows[i];
		uint8_t code[GUEST_INSN_MAX];

		memset(code, 0x90, sizeof(code));
		memcpy(code, row->code, row->len);
		for (int mode64 = 0; mode64 < 2; mode64++) {
			enum guest_insn_kind kind = mode64 ? row->kind64 : row->kind32;

			guest_insn_decode(code, sizeof(code), mode64, &insn);
			assert_int_equal(insn.kind, kind);
			assert_int_equal(insn.len, kind == GI_OTHER ? 0 : row->len);
			if (kind == GI_OTHER)
				continue;
			assert_int_equal(insn.cr, row->cr);
			assert_int_equal(insn.gpr, row->gpr);
			assert_int_equal(insn.io_immediate, row->io_immediate);
		}
	}
}

/* Cut off anywhere, it is no instruction. */
static void cut_off(void **state)
{
	struct guest_insn insn;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t len = 0; len < rows[i].len; len++) {
			/* On the heap: one byte too far is found. */
			uint8_t *code = malloc(len ? len : 1);

			assert_non_null(code);
			memcpy(code, rows[i].code, len);
			guest_insn_decode(code, len, true, &insn);
			assert_int_equal(insn.kind, GI_OTHER);
			assert_int_equal(insn.len, 0);
			free(code);
		}
	}
}

static void others(void **state)
{
	static const struct {
		const char *code;
		unsigned int len;
	} other[] = {
		{ CODE("\x90") }, { CODE("\x0F\x0B") },
		/* TDCALL without its prefix, and with another one. */
		{ CODE("\x0F\x01\xCC") }, { CODE("\xF3\x66\x0F\x01\xCC") },
		/* SEAMCALL, MOV from CR, LMSW from memory, SMSW */
		{ CODE("\x66\x0F\x01\xCF") }, { CODE("\x0F\x20\xC0") }, { CODE("\x0F\x01\x30") },
		{ CODE("\x0F\x01\xE0") },
		/* 15 bytes of prefixes leave no room. */
		{ CODE("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\xF4") },
	};
	struct guest_insn insn;

	(void)state;
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		guest_insn_decode((const uint8_t *)other[i].code, other[i].len, true, &insn);
		assert_int_equal(insn.kind, GI_OTHER);
		assert_int_equal(insn.len, 0);
	}
}

/* Whatever the bytes, nothing is read behind them and no length is beyond them. */
static void random_bytes(void **state)
{
	struct guest_insn insn;
	unsigned int seed = 1;

	(void)state;
	for (unsigned int i = 0; i < 1000000; i++) {
		uint8_t code[GUEST_INSN_MAX];
		size_t len = (size_t)rand_r(&seed) % (GUEST_INSN_MAX + 1);

		for (size_t n = 0; n < len; n++)
			code[n] = (uint8_t)(rand_r(&seed) & 1 ? 0x0F : rand_r(&seed) >> 3);
		guest_insn_decode(code, len, i & 1, &insn);
		assert_true(insn.len <= len);
		assert_int_equal(insn.kind == GI_OTHER, !insn.len);
		assert_true(insn.gpr < 16 && insn.cr < 16);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(others),
		cmocka_unit_test(random_bytes),
	};

	return cmocka_run_group_tests_name("guest_insn", tests, NULL, NULL);
}
