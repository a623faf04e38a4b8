// SPDX-License-Identifier: GPL-2.0-only
/* Control registers and XCR0 of a guest: virtual, #GP or #VE. */
#include <stdlib.h>
#include <string.h>

#include "guest_host.h"
#include "virtual_cpuid.h"

enum verdict { OK, GP, VE };

static void assert_verdict(struct host *h, enum verdict v, uint32_t reason,
			   uint64_t qualification, uint32_t len)
{
	if (v == OK)
		assert_executed(h, len);
	else if (v == GP)
		assert_exception(h, VECTOR_GP);
	else
		assert_ve(h, reason, qualification, len);
}

static uint32_t *shown(struct host *h, uint32_t leaf, uint32_t subleaf)
{
	return (uint32_t *)(uintptr_t)virtual_cpuid_find(host_td(h)->cpuid, leaf, subleaf);
}

#define CR_RBX(cr)	{ 0x0F, 0x22, (uint8_t)(0xC3 | (cr) << 3) }

static void write_cr(struct host *h, unsigned int cr, uint64_t value, enum verdict v)
{
	uint8_t code[3] = CR_RBX(cr & 7), cr8[4] = { 0x44, 0x0F, 0x22, 0xC3 };
	bool extended = cr == 8;

	guest_vcpu(h)->ve.valid = false;
	guest_cpu(h)->gpr = (struct seam_regs){ .rbx = value };
	assert_int_equal(guest_stop_at(h, GUEST_STOP_CR, (const char *)(extended ? cr8 : code),
				       extended ? sizeof(cr8) : sizeof(code)),
			 SEAM_END_RUN_GUEST);
	/* Which register, and from which. */
	assert_verdict(h, v, VMX_CR_ACCESS, cr | 3 << 8, extended ? 4 : 3);
}

#define CR0_NOW		0x80000021ULL
#define CR4_NOW		0x60ULL

static void cr0(void **state)
{
	static const struct {
		uint64_t value;
		enum verdict v;
	} rows[] = {
		{ CR0_NOW, OK }, { CR0_NOW | 0x1000E, OK }, { CR0_NOW | 1 << 18, OK },
		/* Reserved bits are ignored, upper ones are not. */
		{ CR0_NOW | 0x1F0, OK },
		{ CR0_NOW | 1ULL << 32, GP },
		{ CR0_NOW & ~1ULL, GP },
		{ CR0_NOW | 1 << 29, GP },
		{ CR0_NOW | 3ULL << 29, VE }, { CR0_NOW | 1 << 30, VE },
		{ CR0_NOW & ~0x20ULL, VE },
		/* Paging off in 64-bit code; with PE, it is the host's first. */
		{ 0x21, GP }, { 0x20, VE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host *h = host_new(NULL);
		uint64_t before;

		guest_run_64bit(h);
		before = guest_cpu(h)->cr0;
		write_cr(h, 0, rows[i].value, rows[i].v);
		assert_int_equal(guest_cpu(h)->cr0, rows[i].v == OK ?
				 (rows[i].value & 0xE005002F) | 0x10 : before);
		host_free(h);
	}
}

/* As guests start: long mode comes with paging. */
static void cr0_paging(void **state)
{
	struct host *h = *state;
	struct guest_cpu *r;

	guest_run_64bit(h);
	r = guest_cpu(h);
	r->cr0 = 0x21;
	r->efer &= ~EFER_LONG_ACTIVE;
	r->seg[SEG_CS].ar &= ~SEG_AR_L;
	r->cr4 &= ~CR4_PAE;
	write_cr(h, 0, CR0_NOW, GP);
	r->cr4 |= CR4_PAE;
	r->seg[SEG_CS].ar |= SEG_AR_L;
	write_cr(h, 0, CR0_NOW, GP);
	r->seg[SEG_CS].ar &= ~SEG_AR_L;
	/* Outside 64-bit mode registers have 32 bits. */
	write_cr(h, 0, 1ULL << 32 | CR0_NOW, OK);
	assert_true(r->efer & EFER_LONG_ACTIVE);
	write_cr(h, 0, 0x21, OK);
	assert_false(r->efer & EFER_LONG_ACTIVE);
	assert_int_equal(r->cr0, 0x31);
}

static void cr4(void **state)
{
	static const struct {
		uint64_t value;
		enum verdict v;
	} rows[] = {
		{ CR4_NOW, OK }, { CR4_NOW | 0x7FF, OK },
		/* The CPU of tests has SMEP, SMAP, FSGSBASE and XSAVE. */
		{ CR4_NOW | 1 << 20 | 1 << 21 | 1 << 16 | 1 << 18, OK },
		{ CR4_NOW & ~0x40ULL, VE }, { CR4_NOW | 1 << 13, VE }, { CR4_NOW | 1 << 14, VE },
		/* In long mode these stay. */
		{ CR4_NOW & ~0x20ULL, GP }, { CR4_NOW | 1 << 12, GP },
		/* PKE, CET, PKS, UINTR: not in XFAM and ATTRIBUTES. */
		{ CR4_NOW | 1 << 22, GP }, { CR4_NOW | 1 << 23, GP }, { CR4_NOW | 1 << 24, GP },
		{ CR4_NOW | 1 << 25, GP },
		{ CR4_NOW | 1 << 15, GP }, { CR4_NOW | 1 << 19, GP }, { CR4_NOW | 1ULL << 63, GP },
	};
	struct host *h = *state;

	guest_run_64bit(h);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		guest_cpu(h)->cr4 = CR4_NOW;
		write_cr(h, 4, rows[i].value, rows[i].v);
		assert_int_equal(guest_cpu(h)->cr4, rows[i].v == OK ? rows[i].value : CR4_NOW);
	}
}

/* What XFAM and ATTRIBUTES give, where CPUID shows it. */
static void cr4_features(void **state)
{
	struct host *h = *state;
	struct guest_cpu *r;

	guest_run_64bit(h);
	r = guest_cpu(h);
	shown(h, 7, 0)[ECX] |= 1U << 3 | 1U << 7 | 1U << 31;
	shown(h, 7, 0)[EDX] |= 1U << 5;
	write_cr(h, 4, CR4_NOW | 1 << 22, GP);
	write_cr(h, 4, CR4_NOW | 1 << 24, GP);
	/* CET is two components, of which one does not do. */
	host_td(h)->params.xfam |= 1 << 11;
	write_cr(h, 4, CR4_NOW | 1 << 23, GP);
	write_cr(h, 4, CR4_NOW | 1 << 25, GP);
	host_td(h)->params.xfam |= 1 << 9 | 3 << 11 | 1 << 14;
	host_td(h)->params.attributes |= TD_ATTR_PKS;
	write_cr(h, 4, CR4_NOW | 1 << 22 | 1 << 24 | 1 << 25, OK);
	/* CET needs CR0.WP, and keeps it. */
	write_cr(h, 4, CR4_NOW | 1 << 23, GP);
	r->cr0 |= CR0_WP;
	write_cr(h, 4, CR4_NOW | 1 << 23, OK);
	write_cr(h, 0, CR0_NOW, GP);
	write_cr(h, 0, CR0_NOW | CR0_WP, OK);
}

/* Only long mode has PCIDs, and CR3 must not have one when they come. */
static void cr4_pcide(void **state)
{
	struct host *h = *state;
	struct guest_cpu *r;

	guest_run_64bit(h);
	r = guest_cpu(h);
	r->cr3 |= 5;
	write_cr(h, 4, CR4_NOW | CR4_PCIDE, GP);
	r->cr3 &= ~0xFFFULL;
	r->efer &= ~EFER_LONG_ACTIVE;
	write_cr(h, 4, CR4_NOW | CR4_PCIDE, GP);
	r->efer |= EFER_LONG_ACTIVE;
	write_cr(h, 4, CR4_NOW | CR4_PCIDE, OK);
	/* Later it may, and what else changes asks no more. */
	r->cr3 |= 5;
	write_cr(h, 4, CR4_NOW | CR4_PCIDE | 1 << 7, OK);
	/* Paging stays on as long as there are PCIDs. */
	r->seg[SEG_CS].ar &= ~SEG_AR_L;
	write_cr(h, 0, CR0_NOW & ~CR0_PG, GP);
	write_cr(h, 4, CR4_NOW, OK);
	write_cr(h, 0, CR0_NOW & ~CR0_PG, OK);
}

static void other_crs(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	write_cr(h, 8, 5, OK);
	assert_int_equal(guest_vcpu(h)->apic.tpr, 0x50);
	assert_int_equal(guest_cpu(h)->cr8, 5);
	write_cr(h, 8, 0x10, GP);
	write_cr(h, 3, 1ULL << 60, GP);
}

/* LMSW sets and clears MP, EM and TS, and nothing else. */
static void lmsw(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	guest_cpu(h)->gpr.rbx = 0xFFFE;
	STOP_AT(h, GUEST_STOP_CR, "\x0F\x01\xF3");
	assert_executed(h, 3);
	assert_int_equal(guest_cpu(h)->cr0 & 0xFFFFFFEF, CR0_NOW | 0xE);
	guest_cpu(h)->gpr.rbx = 0;
	STOP_AT(h, GUEST_STOP_CR, "\x0F\x01\xF3");
	assert_int_equal(guest_cpu(h)->cr0 & 0xFFFFFFEF, CR0_NOW);
}

/* A MOV to CR that the CPU could not go on after is handled like any other. */
static void cr_in_bad_state(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	guest_cpu(h)->gpr.rbx = CR4_NOW | 1 << 13;
	assert_int_equal(STOP_AT(h, GUEST_STOP_BAD_STATE, "\x0F\x22\xE3"), SEAM_END_RUN_GUEST);
	assert_ve(h, VMX_CR_ACCESS, 4 | 3 << 8, 3);
}

static void xcr0(void **state)
{
	static const struct {
		uint64_t xfam, value;
		bool ok;
	} rows[] = {
		{ 3, 1, true }, { 3, 3, true }, { 3, 2, false }, { 3, 0, false }, { 3, 7, false },
		{ 0x602E7, 7, true }, { 0x602E7, 5, false }, { 0x602E7, 0xE7, true },
		{ 0x602E7, 0xE3, false }, { 0x602E7, 0x67, false }, { 0x602E7, 0x203, true },
		{ 0x602E7, 0x60003, true }, { 0x602E7, 0x20003, false },
		/* In XFAM, but not XCR0's. */
		{ 0x1803, 0x1803, false },
		{ 0xE7, 1ULL << 63 | 7, false },
	};
	struct host *h = *state;

	guest_run_64bit(h);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		host_td(h)->params.xfam = rows[i].xfam;
		assert_int_equal(seam_guest_xsetbv(h->seam, 0, 0, rows[i].value), rows[i].ok);
		assert_false(seam_guest_xsetbv(h->seam, 0, 1, rows[i].value));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cr0),
		host_test(cr0_paging),
		host_test(cr4),
		host_test(cr4_features),
		host_test(cr4_pcide),
		host_test(other_crs),
		host_test(lmsw),
		host_test(cr_in_bad_state),
		host_test(xcr0),
	};

	return cmocka_run_group_tests_name("guest_cr", tests, NULL, NULL);
}
