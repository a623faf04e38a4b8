// SPDX-License-Identifier: GPL-2.0-only
/* Where instructions access memory: by hand-made encodings, and by random ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "guest_access.h"
#include "insn_bytes.h"
#include "range.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Values of the registers, all different, so that a sum tells what is in it. */
#define V(n)		(0x1000000000000ULL * ((n) + 1) + 0x01010000ULL * ((n) + 1))
#define RIP		0x7F0000001000ULL
#define FS_BASE		0x00F500000000ULL
#define GS_BASE		0x00F600000000ULL
#define SS_BASE		0x300000ULL
#define DS_BASE		0x100000ULL
#define ES_BASE		0x200000ULL

enum { A, C, D, B, SP, BP, SI, DI };
enum mode { LONG, BITS32, BITS16 };

#define READ		1
#define WRITE		2
#define BOTH		3
#define REACH		GUEST_STACK_REACH

static void set_registers(struct guest_cpu *r, enum mode mode)
{
	memset(r, 0, sizeof(*r));
	r->gpr = (struct seam_regs){
		.rax = V(A), .rcx = V(C), .rdx = V(D), .rbx = V(B), .rbp = V(BP),
		.rsi = V(SI), .rdi = V(DI), .r8 = V(8), .r9 = V(9), .r10 = V(10),
		.r11 = V(11), .r12 = V(12), .r13 = V(13), .r14 = V(14), .r15 = V(15),
	};
	r->rsp = V(SP);
	r->rip = RIP;
	r->seg[SEG_FS].base = FS_BASE;
	r->seg[SEG_GS].base = GS_BASE;
	r->seg[SEG_SS].base = SS_BASE;
	r->seg[SEG_DS].base = DS_BASE;
	r->seg[SEG_ES].base = ES_BASE;
	if (mode == LONG) {
		r->efer = EFER_LONG_ACTIVE;
		r->seg[SEG_CS].ar = SEG_AR_L;
	}
	if (mode == BITS32) {
		r->seg[SEG_CS].ar = SEG_AR_DB;
		r->seg[SEG_SS].ar = SEG_AR_DB;
	}
}

struct row {
	const char *name;
	const char *code;
	unsigned int len;
	enum mode mode;
	struct {
		uint64_t first;
		unsigned int how;
	} want[2];
};

#define CODE(bytes)	.code = bytes, .len = sizeof(bytes) - 1
#define LOW(n)		((uint32_t)V(n))
#define WORD(n)		((uint16_t)V(n))

static const struct row rows[] = {
	{ "mov eax, [rcx]", CODE("\x8B\x01"), LONG, { { V(C), BOTH } } },
	{ "mov eax, [rcx+0x12]", CODE("\x8B\x41\x12"), LONG, { { V(C) + 0x12, BOTH } } },
	{ "mov eax, [rcx-8]", CODE("\x8B\x41\xF8"), LONG, { { V(C) - 8, BOTH } } },
	{ "mov eax, [rcx+disp32]", CODE("\x8B\x81\x78\x56\x34\x12"), LONG,
	  { { V(C) + 0x12345678, BOTH } } },
	{ "mov eax, [rcx-disp32]", CODE("\x8B\x81\x00\x00\x00\x80"), LONG,
	  { { V(C) - 0x80000000, BOTH } } },
	{ "mov [r9], eax", CODE("\x41\x89\x01"), LONG, { { V(9), BOTH } } },
	{ "mov rax, [r13+0]", CODE("\x49\x8B\x45\x00"), LONG, { { V(13), BOTH } } },
	{ "mov rax, [r12]", CODE("\x49\x8B\x04\x24"), LONG, { { V(12), BOTH } } },
	{ "mov eax, [rsp]", CODE("\x8B\x04\x24"), LONG, { { V(SP), BOTH } } },
	{ "mov eax, [rax+rbx*4]", CODE("\x8B\x04\x98"), LONG, { { V(A) + V(B) * 4, BOTH } } },
	{ "mov eax, [r8+r12*8+1]", CODE("\x43\x8B\x44\xE0\x01"), LONG,
	  { { V(8) + V(12) * 8 + 1, BOTH } } },
	{ "mov eax, [rsi*2+disp32]", CODE("\x8B\x04\x75\x10\x00\x00\x00"), LONG,
	  { { V(SI) * 2 + 0x10, BOTH } } },
	{ "mov eax, [disp32]", CODE("\x8B\x04\x25\x00\xF0\xFF\xFF"), LONG,
	  { { ~0xFFFULL, BOTH } } },
	{ "mov eax, [rip+0x100]", CODE("\x8B\x05\x00\x01\x00\x00"), LONG,
	  { { RIP + 6 + 0x100, BOTH } } },
	{ "mov dword [rip+0x100], imm32", CODE("\xC7\x05\x00\x01\x00\x00\1\2\3\4"), LONG,
	  { { RIP + 10 + 0x100, BOTH } } },
	{ "mov word [rip+0x100], imm16", CODE("\x66\xC7\x05\x00\x01\x00\x00\1\2"), LONG,
	  { { RIP + 9 + 0x100, BOTH } } },
	{ "mov qword [rip+0x100], imm32", CODE("\x48\xC7\x05\x00\x01\x00\x00\1\2\3\4"), LONG,
	  { { RIP + 11 + 0x100, BOTH } } },
	{ "mov byte [rip-1], imm8", CODE("\xC6\x05\xFF\xFF\xFF\xFF\1"), LONG,
	  { { RIP + 7 - 1, BOTH } } },
	{ "test dword [rip], imm32", CODE("\xF7\x05\0\0\0\0\1\2\3\4"), LONG,
	  { { RIP + 10, BOTH } } },
	{ "not dword [rip]", CODE("\xF7\x15\0\0\0\0"), LONG, { { RIP + 6, BOTH } } },
	{ "test byte [rip], imm8", CODE("\xF6\x05\0\0\0\0\1"), LONG, { { RIP + 7, BOTH } } },
	{ "mov eax, [eip]", CODE("\x67\x8B\x05\0\0\0\0"), LONG,
	  { { (uint32_t)RIP + 7, BOTH } } },
	{ "shld [rip], eax, 3", CODE("\x0F\xA4\x05\0\0\0\0\3"), LONG, { { RIP + 8, BOTH } } },
	{ "pinsrb xmm0, [rip], 1", CODE("\x66\x0F\x3A\x20\x05\0\0\0\0\1"), LONG,
	  { { RIP + 10, BOTH } } },
	{ "movbe eax, [rip]", CODE("\x0F\x38\xF0\x05\0\0\0\0"), LONG, { { RIP + 8, BOTH } } },
	{ "mov eax, fs:[rcx]", CODE("\x64\x8B\x01"), LONG, { { FS_BASE + V(C), BOTH } } },
	{ "mov eax, gs:[disp32]", CODE("\x65\x8B\x04\x25\x30\0\0\0"), LONG,
	  { { GS_BASE + 0x30, BOTH } } },
	{ "a null prefix leaves gs", CODE("\x65\x3E\x8B\x01"), LONG,
	  { { GS_BASE + V(C), BOTH } } },
	{ "mov eax, ss:[rcx]", CODE("\x36\x8B\x01"), LONG, { { V(C), BOTH } } },
	{ "mov eax, [ecx]", CODE("\x67\x8B\x01"), LONG, { { LOW(C), BOTH } } },
	{ "mov al, [moffs64]", CODE("\xA0\x00\x10\x20\x30\x40\x50\x60\x70"), LONG,
	  { { 0x7060504030201000, READ } } },
	{ "mov gs:[moffs32], eax", CODE("\x65\x67\xA3\x00\x10\x20\xF0"), LONG,
	  { { GS_BASE + 0xF0201000, WRITE } } },
	{ "rep movsb", CODE("\xF3\xA4"), LONG, { { V(SI), READ }, { V(DI), WRITE } } },
	{ "movsd from gs", CODE("\x65\xA5"), LONG,
	  { { GS_BASE + V(SI), READ }, { V(DI), WRITE } } },
	{ "cmpsb", CODE("\xA6"), LONG, { { V(SI), READ }, { V(DI), READ } } },
	{ "stosq", CODE("\x48\xAB"), LONG, { { V(DI), WRITE } } },
	{ "lodsb", CODE("\xAC"), LONG, { { V(SI), READ } } },
	{ "scasb", CODE("\xAE"), LONG, { { V(DI), READ } } },
	{ "insb", CODE("\x6C"), LONG, { { V(DI), WRITE } } },
	{ "outsd", CODE("\x6F"), LONG, { { V(SI), READ } } },
	{ "movsb, addresses of 32 bits", CODE("\x67\xA4"), LONG,
	  { { LOW(SI), READ }, { LOW(DI), WRITE } } },
	{ "push rax", CODE("\x50"), LONG, { { V(SP) - REACH, WRITE } } },
	{ "pop rax", CODE("\x58"), LONG, { { V(SP) - REACH, READ } } },
	{ "push [rcx]", CODE("\xFF\x31"), LONG, { { V(C), READ }, { V(SP) - REACH, WRITE } } },
	{ "inc [rcx]", CODE("\xFF\x01"), LONG, { { V(C), BOTH }, { V(SP) - REACH, WRITE } } },
	{ "call [gs:rcx]", CODE("\x65\xFF\x11"), LONG,
	  { { GS_BASE + V(C), READ }, { V(SP) - REACH, WRITE } } },
	{ "pop [rcx]", CODE("\x8F\x01"), LONG, { { V(C), WRITE }, { V(SP) - REACH, READ } } },
	{ "call", CODE("\xE8\0\0\0\0"), LONG, { { V(SP) - REACH, WRITE } } },
	{ "ret", CODE("\xC3"), LONG, { { V(SP) - REACH, READ } } },
	{ "iretq", CODE("\x48\xCF"), LONG, { { V(SP) - REACH, READ } } },
	{ "pushf", CODE("\x9C"), LONG, { { V(SP) - REACH, WRITE } } },
	{ "enter", CODE("\xC8\x10\0\0"), LONG, { { V(BP) - 256, BOTH }, { V(SP) - 256, BOTH } } },
	{ "leave", CODE("\xC9"), LONG, { { V(BP) - 256, BOTH }, { V(SP) - 256, BOTH } } },
	{ "push fs", CODE("\x0F\xA0"), LONG, { { V(SP) - REACH, WRITE } } },
	{ "xlat", CODE("\xD7"), LONG, { { V(B), READ } } },
	{ "fnsave [rcx]", CODE("\xDD\x31"), LONG, { { V(C), BOTH } } },
	{ "fxsave [rcx]", CODE("\x0F\xAE\x01"), LONG, { { V(C), BOTH } } },
	{ "cmpxchg16b [rcx]", CODE("\x48\x0F\xC7\x09"), LONG, { { V(C), BOTH } } },
	{ "bts [rcx], rdx", CODE("\x48\x0F\xAB\x11"), LONG,
	  { { V(C) + (V(D) >> 6) * 8, BOTH } } },
	{ "bt [rcx], edx", CODE("\x0F\xA3\x11"), LONG,
	  { { V(C) + (LOW(D) >> 5) * 4, BOTH } } },
	{ "bt [rcx], 5", CODE("\x0F\xBA\x21\5"), LONG, { { V(C), BOTH } } },
	{ "maskmovdqu", CODE("\x66\x0F\xF7\xC1"), LONG, { { V(DI), WRITE } } },
	{ "vmovdqu ymm0, [rcx]", CODE("\xC5\xFE\x6F\x01"), LONG, { { V(C), BOTH } } },
	{ "vmovdqu xmm8, [r9+rax]", CODE("\xC4\x41\x7A\x6F\x04\x01"), LONG,
	  { { V(9) + V(A), BOTH } } },
	{ "vmovdqu xmm0, [rcx+r9]", CODE("\xC4\xA1\x7A\x6F\x04\x09"), LONG,
	  { { V(C) + V(9), BOTH } } },
	{ "vpinsrb xmm0, xmm0, [rip], 1", CODE("\xC4\xE3\x79\x20\x05\0\0\0\0\1"), LONG,
	  { { RIP + 10, BOTH } } },
	{ "vpbroadcastd ymm0, [rcx]", CODE("\xC4\xE2\x7D\x58\x01"), LONG, { { V(C), BOTH } } },
	/* Nothing in memory. */
	{ "mov eax, ecx", CODE("\x8B\xC1"), LONG, { { 0 } } },
	{ "lea rax, [rcx]", CODE("\x48\x8D\x01"), LONG, { { 0 } } },
	{ "nop", CODE("\x90"), LONG, { { 0 } } },
	{ "mov cr4, rax", CODE("\x0F\x22\xE0"), LONG, { { 0 } } },
	{ "EVEX", CODE("\x62\xF1\x7C\x48\x10\x01"), LONG, { { 0 } } },
	{ "VEX of an unknown map", CODE("\xC4\xE7\x7D\x58\x01"), LONG, { { 0 } } },
	/* Outside 64-bit mode segments have bases, and addresses 32 bits. */
	{ "mov eax, [ecx]", CODE("\x8B\x01"), BITS32, { { DS_BASE + LOW(C), BOTH } } },
	{ "mov eax, [ebp+4]", CODE("\x8B\x45\x04"), BITS32, { { SS_BASE + LOW(BP) + 4, BOTH } } },
	{ "mov eax, [esp]", CODE("\x8B\x04\x24"), BITS32, { { SS_BASE + LOW(SP), BOTH } } },
	{ "mov eax, es:[ebp]", CODE("\x26\x8B\x45\x00"), BITS32,
	  { { ES_BASE + LOW(BP), BOTH } } },
	{ "mov eax, ds:[ebp]", CODE("\x3E\x8B\x45\x00"), BITS32,
	  { { DS_BASE + LOW(BP), BOTH } } },
	{ "mov eax, [disp32]", CODE("\x8B\x05\x78\x56\x34\x12"), BITS32,
	  { { DS_BASE + 0x12345678, BOTH } } },
	{ "wraps at 4G", CODE("\x8B\x05\x00\x00\xF0\xFF"), BITS32, { { 0, BOTH } } },
	{ "fs:", CODE("\x64\x8B\x01"), BITS32, { { (uint32_t)FS_BASE + LOW(C), BOTH } } },
	{ "mov al, [moffs32]", CODE("\xA0\x78\x56\x34\x12"), BITS32,
	  { { DS_BASE + 0x12345678, READ } } },
	{ "movsb", CODE("\xA4"), BITS32,
	  { { DS_BASE + LOW(SI), READ }, { ES_BASE + LOW(DI), WRITE } } },
	{ "push eax", CODE("\x50"), BITS32, { { SS_BASE + LOW(SP) - REACH, WRITE } } },
	{ "push es", CODE("\x06"), BITS32, { { SS_BASE + LOW(SP) - REACH, WRITE } } },
	{ "les eax, [ecx]", CODE("\xC4\x01"), BITS32, { { DS_BASE + LOW(C), BOTH } } },
	{ "vmovdqu ymm0, [ecx]", CODE("\xC5\xFE\x6F\x01"), BITS32,
	  { { DS_BASE + LOW(C), BOTH } } },
	{ "bound eax, [ecx]", CODE("\x62\x01"), BITS32, { { DS_BASE + LOW(C), BOTH } } },
	{ "mov ax, [bx+si]", CODE("\x8B\x00"), BITS16,
	  { { DS_BASE + (uint16_t)(WORD(B) + WORD(SI)), BOTH } } },
	{ "mov ax, [bp+di+2]", CODE("\x8B\x43\x02"), BITS16,
	  { { SS_BASE + (uint16_t)(WORD(BP) + WORD(DI) + 2), BOTH } } },
	{ "mov ax, [di]", CODE("\x8B\x05"), BITS16, { { DS_BASE + WORD(DI), BOTH } } },
	{ "mov ax, [bp+0]", CODE("\x8B\x46\x00"), BITS16, { { SS_BASE + WORD(BP), BOTH } } },
	{ "mov ax, [bx+disp16]", CODE("\x8B\x87\x34\x12"), BITS16,
	  { { DS_BASE + (uint16_t)(WORD(B) + 0x1234), BOTH } } },
	{ "mov ax, [disp16]", CODE("\x8B\x06\x34\x12"), BITS16, { { DS_BASE + 0x1234, BOTH } } },
	{ "mov ax, [ecx]", CODE("\x67\x8B\x01"), BITS16, { { DS_BASE + LOW(C), BOTH } } },
	{ "push ax", CODE("\x50"), BITS16,
	  { { SS_BASE + (uint16_t)(WORD(SP) - REACH), WRITE } } },
	{ "mov ax, [bx+si] of 32-bit code", CODE("\x67\x8B\x00"), BITS32,
	  { { DS_BASE + (uint16_t)(WORD(B) + WORD(SI)), BOTH } } },
};

static unsigned int how_of(const struct guest_access *a)
{
	return (a->read ? READ : 0) | (a->write ? WRITE : 0);
}

static void encodings(void **state)
{
	struct guest_access got[GUEST_ACCESSES_MAX];
	struct guest_cpu r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		unsigned int nr, want = 0;

		set_registers(&r, row->mode);
		nr = guest_accesses(&r, (const uint8_t *)row->code, row->len, got);
		while (want < 2 && row->want[want].how)
			want++;
		if (nr != want)
			fail_msg("%s: %u accesses, not %u", row->name, nr, want);
		for (unsigned int n = 0; n < nr; n++) {
			if (got[n].first != row->want[n].first ||
			    how_of(&got[n]) != row->want[n].how)
				fail_msg("%s: %llx %u", row->name,
					 (unsigned long long)got[n].first, how_of(&got[n]));
			assert_true(got[n].bytes >= 64);
		}
	}
}

/* Cut off anywhere, none of them has an address, and nothing is read behind it. */
static void cut_off(void **state)
{
	struct guest_access got[GUEST_ACCESSES_MAX];
	struct guest_cpu r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		set_registers(&r, rows[i].mode);
		for (size_t len = 0; len < rows[i].len; len++) {
			uint8_t *code = malloc(len ? len : 1);

			assert_non_null(code);
			memcpy(code, rows[i].code, len);
			guest_accesses(&r, code, len, got);
			free(code);
		}
	}
	set_registers(&r, LONG);
	/* Without its SIB byte, its displacement, its opcode. */
	assert_int_equal(guest_accesses(&r, (const uint8_t *)"\x8B\x04", 2, got), 0);
	assert_int_equal(guest_accesses(&r, (const uint8_t *)"\x8B\x41", 2, got), 0);
	assert_int_equal(guest_accesses(&r, (const uint8_t *)"\xA0\0\0", 3, got), 0);
	assert_int_equal(guest_accesses(&r, (const uint8_t *)"\x8B", 1, got), 0);
	assert_int_equal(guest_accesses(&r, (const uint8_t *)"\x0F\x38", 2, got), 0);
	assert_int_equal(guest_accesses(&r, (const uint8_t *)"\xC4\xE2\x7D", 3, got), 0);
	assert_int_equal(guest_accesses(&r, (const uint8_t *)"\x66", 1, got), 0);
}

/* The longest operands: an x87 environment, and an area of XSAVE. */
static void long_operands(void **state)
{
	struct guest_access got[GUEST_ACCESSES_MAX];
	struct guest_cpu r;

	(void)state;
	set_registers(&r, LONG);
	guest_accesses(&r, (const uint8_t *)"\xDD\x31", 2, got);
	assert_uint_in_range(got[0].bytes, 108, 512);
	guest_accesses(&r, (const uint8_t *)"\x0F\xAE\x01", 3, got);
	assert_uint_in_range(got[0].bytes, GUEST_XSAVE_BYTES, 2 * GUEST_XSAVE_BYTES);
	guest_accesses(&r, (const uint8_t *)"\x0F\xC7\x21", 3, got);
	assert_uint_in_range(got[0].bytes, GUEST_XSAVE_BYTES, 2 * GUEST_XSAVE_BYTES);
}

/* A bit number may be negative. */
static void bit_strings(void **state)
{
	struct guest_access got[GUEST_ACCESSES_MAX];
	struct guest_cpu r;

	(void)state;
	set_registers(&r, LONG);
	r.gpr.rdx = (uint64_t)-1;
	assert_int_equal(guest_accesses(&r, (const uint8_t *)"\x48\x0F\xA3\x11", 4, got), 1);
	assert_int_equal(got[0].first, V(C) - 8);
	assert_int_equal(guest_accesses(&r, (const uint8_t *)"\x0F\xBB\x11", 3, got), 1);
	assert_int_equal(got[0].first, V(C) - 4);
	r.gpr.rdx = 0xFFFF8000;
	assert_int_equal(guest_accesses(&r, (const uint8_t *)"\x66\x0F\xB3\x11", 4, got), 1);
	assert_int_equal(got[0].first, V(C) - 4096);
	/* XLAT adds AL alone. */
	r.gpr.rax = 0x1FF;
	assert_int_equal(guest_accesses(&r, (const uint8_t *)"\xD7", 1, got), 1);
	assert_int_equal(got[0].first, V(B) + 0xFF);
}

/* One address an element, from a vector register that may be in its initial state. */
static void gathers(void **state)
{
	static const int32_t dwords[8] = { 0, -1, 2, 0x1000, -0x2000, 5, 6, 7 };
	static const int64_t qwords[4] = { 0x100000000, -3, 0, 9 };
	struct guest_access got[GUEST_ACCESSES_MAX];
	struct guest_cpu r;
	uint64_t xstate_bv = 6;

	(void)state;
	set_registers(&r, LONG);
	/* vpgatherdd ymm0, [rcx+ymm9*4], ymm1 */
	memcpy(r.xsave + XSAVE_XMM + 9 * 16, dwords, 16);
	memcpy(r.xsave + 576 + 9 * 16, &dwords[4], 16);
	memcpy(r.xsave + XSAVE_HEADER, &xstate_bv, 8);
	assert_int_equal(guest_accesses(&r, (const uint8_t *)"\xC4\xA2\x75\x90\x04\x89", 6, got),
			 8);
	for (unsigned int i = 0; i < 8; i++) {
		assert_int_equal(got[i].first, V(C) + (uint64_t)(int64_t)dwords[i] * 4);
		assert_int_equal(how_of(&got[i]), READ);
	}
	/* vpgatherqq ymm0, [rcx+ymm9+0x10], ymm1 */
	memcpy(r.xsave + XSAVE_XMM + 9 * 16, qwords, 16);
	memcpy(r.xsave + 576 + 9 * 16, &qwords[2], 16);
	assert_int_equal(guest_accesses(&r, (const uint8_t *)"\xC4\xA2\xF5\x91\x44\x09\x10", 7,
					got), 4);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(got[i].first, V(C) + 0x10 + (uint64_t)qwords[i]);
	xstate_bv = 0;
	memcpy(r.xsave + XSAVE_HEADER, &xstate_bv, 8);
	guest_accesses(&r, (const uint8_t *)"\xC4\xA2\x75\x90\x04\x89", 6, got);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(got[i].first, V(C));
}

/* An instruction of 64-bit mode with a random address, and what that address is. */
struct made {
	uint8_t code[INSN_BYTES_MAX];
	unsigned int len;
	uint64_t linear;
};

static unsigned int seed = 1;

static unsigned int below(unsigned int n)
{
	return (unsigned int)rand_r(&seed) % n;
}

static void put(struct made *m, unsigned int byte)
{
	m->code[m->len++] = (uint8_t)byte;
}

static void put_disp(struct made *m, unsigned int bytes, int32_t disp)
{
	for (unsigned int i = 0; i < bytes; i++)
		put(m, (uint32_t)disp >> 8 * i & 0xFF);
}

static uint64_t random64(void)
{
	return (uint64_t)rand_r(&seed) << 33 ^ (uint64_t)rand_r(&seed) << 11 ^
	       (uint64_t)rand_r(&seed);
}

static const struct {
	uint8_t opcode[3];
	unsigned int len, imm;
} ops[] = {
	{ { 0x8B }, 1, 0 }, { { 0x88 }, 1, 0 }, { { 0x01 }, 1, 0 }, { { 0x80 }, 1, 1 },
	{ { 0x81 }, 1, 4 }, { { 0x83 }, 1, 1 }, { { 0xC6 }, 1, 1 }, { { 0xC7 }, 1, 4 },
	{ { 0x69 }, 1, 4 }, { { 0x6B }, 1, 1 }, { { 0x0F, 0xB6 }, 2, 0 },
	{ { 0x0F, 0xC1 }, 2, 0 }, { { 0x0F, 0x28 }, 2, 0 }, { { 0x0F, 0xBA }, 2, 1 },
	{ { 0x0F, 0x38, 0x00 }, 3, 0 }, { { 0x0F, 0x3A, 0x0F }, 3, 1 }, { { 0x87 }, 1, 0 },
};

/* ModRM, SIB and displacement, by the tables of the manual read forwards. */
static uint64_t put_address(struct made *m, const struct guest_cpu *r, unsigned int rex,
			    uint64_t (*reg)(const struct guest_cpu *r, unsigned int n),
			    unsigned int imm)
{
	unsigned int mod = below(3), rm = below(8), sib = below(256);
	unsigned int bytes = mod == 0 ? 0 : mod == 1 ? 1 : 4;
	unsigned int base = rm == 4 ? sib & 7 : rm;
	bool no_base = !mod && base == 5;
	unsigned int index = (sib >> 3 & 7) | (rex & 2 ? 8 : 0);
	int32_t disp = (int32_t)random64();
	uint64_t sum = 0;

	put(m, mod << 6 | below(8) << 3 | rm);
	if (rm == 4)
		put(m, sib);
	if (rm == 4 && index != 4)
		sum += reg(r, index) << (sib >> 6);
	if (no_base)
		bytes = 4;
	else
		sum += reg(r, base | (rex & 1 ? 8 : 0));
	put_disp(m, bytes, disp);
	if (bytes)
		sum += (uint64_t)(int64_t)(bytes == 1 ? (int8_t)disp : disp);
	if (no_base && rm != 4)
		sum += r->rip + m->len + imm;
	return sum;
}

static uint64_t reg_value(const struct guest_cpu *r, unsigned int n)
{
	const struct seam_regs *g = &r->gpr;
	uint64_t v[16] = { g->rax, g->rcx, g->rdx, g->rbx, r->rsp, g->rbp, g->rsi, g->rdi,
			   g->r8, g->r9, g->r10, g->r11, g->r12, g->r13, g->r14, g->r15 };

	return v[n];
}

static void make(struct made *m, const struct guest_cpu *r)
{
	unsigned int op = below(ARRAY_SIZE(ops)), rex = below(2) ? 0x40 | below(16) : 0;
	unsigned int seg = below(4);
	bool narrow = !below(4);
	uint64_t sum;

	memset(m, 0, sizeof(*m));
	if (narrow)
		put(m, 0x67);
	if (seg >= 2)
		put(m, 0x62 + seg);
	if (rex)
		put(m, rex);
	for (unsigned int i = 0; i < ops[op].len; i++)
		put(m, ops[op].opcode[i]);
	sum = put_address(m, r, rex, reg_value, ops[op].imm);
	m->len += ops[op].imm;
	if (narrow)
		sum = (uint32_t)sum;
	m->linear = sum + (seg == 2 ? FS_BASE : seg == 3 ? GS_BASE : 0);
}

static void random_encodings(void **state)
{
	struct guest_access got[GUEST_ACCESSES_MAX];
	struct guest_cpu r;
	struct made m;

	(void)state;
	set_registers(&r, LONG);
	for (unsigned int i = 0; i < 300000; i++) {
		uint64_t *gpr = (uint64_t *)&r.gpr;

		gpr[below(15)] = random64();
		r.rsp = random64();
		make(&m, &r);
		assert_int_equal(guest_accesses(&r, m.code, m.len, got), 1);
		assert_int_equal(got[0].first, m.linear);
	}
}

/* Whatever the bytes and the mode, no more accesses than there is room for. */
static void random_bytes(void **state)
{
	struct guest_access got[GUEST_ACCESSES_MAX];
	struct guest_cpu r;

	(void)state;
	for (unsigned int i = 0; i < 1000000; i++) {
		uint8_t code[INSN_BYTES_MAX];
		size_t len = below(INSN_BYTES_MAX + 1);

		set_registers(&r, (enum mode)(i % 3));
		for (size_t n = 0; n < len; n++)
			code[n] = (uint8_t)(below(4) ? below(256) : 0x0F);
		assert_true(guest_accesses(&r, code, len, got) <= GUEST_ACCESSES_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodings),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(long_operands),
		cmocka_unit_test(bit_strings),
		cmocka_unit_test(gathers),
		cmocka_unit_test(random_encodings),
		cmocka_unit_test(random_bytes),
	};

	return cmocka_run_group_tests_name("guest_access", tests, NULL, NULL);
}
