// SPDX-License-Identifier: GPL-2.0-only
/* Control of softseam by programs on the host, through CPUID. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "control.h"
#include "fake_qemu.h"

#define TEXT_AT		0x4000
#define LEAF_SYS_INIT	33

static uint64_t now(void *opaque)
{
	(void)opaque;
	return 0;
}

static void *ram(void *opaque, uint64_t pa, uint64_t len)
{
	(void)opaque;
	return pa + len <= FAKE_RAM_SIZE ? fake.memory + pa : NULL;
}

static struct platform *platform_of(struct vcpu *v)
{
	(void)v;
	return fake_site(INSN_CPUID).platform;
}

static int setup(void **state)
{
	const struct seam_machine machine = { .ram = ram, .now = now };
	struct seam_config cfg;
	char err[128];

	*state = fake_start();
	seam_config_init(&cfg);
	cfg.nr_cpus = 1;
	cfg.nr_cmrs = 1;
	cfg.cmr[0] = (struct seam_range){ 0, 1u << 30 };
	platform_of(*state)->seam = seam_new(&cfg, &machine, err, sizeof(err));
	platform_of(*state)->opt.control = true;
	return !platform_of(*state)->seam;
}

static int teardown(void **state)
{
	seam_free(platform_of(*state)->seam);
	fake_stop(*state);
	return 0;
}

/* RAX of CPUID with @function and @rbx, where QEMU's own answer is 77h. */
static uint64_t control(struct vcpu *v, uint64_t function, uint64_t rbx)
{
	struct site site = fake_site(INSN_CPUID);

	fake.reg[REG_RAX] = CONTROL_LEAF;
	fake.reg[REG_RCX] = function;
	fake.reg[REG_RBX] = rbx;
	cpuid_before(v, &site);
	fake.reg[REG_RAX] = 0x77;
	cpuid_after(v, &site, site.pc + site.insn.len);
	return fake.reg[REG_RAX];
}

static uint64_t inject(struct vcpu *v, const char *text)
{
	memset(fake.memory + TEXT_AT, 0, 256);
	strcpy((char *)fake.memory + TEXT_AT, text);
	return control(v, 1, TEXT_AT);
}

static uint64_t sys_init(struct vcpu *v)
{
	struct seam_regs regs = { .rax = LEAF_SYS_INIT, .rcx = 1 };

	seam_call(platform_of(v)->seam, 0, &regs);
	return regs.rax;
}

#define SYS_BUSY	UINT64_C(0x8000020200000000)
#define INVALID_RCX	UINT64_C(0xC000010000000001)

static void test_only_when_asked_for(void **state)
{
	assert_true(control(*state, 0, 0) == 1);
	platform_of(*state)->opt.control = false;
	assert_true(control(*state, 0, 0) == 0x77);
	assert_true(inject(*state, "SYS.INIT:1:SYS_BUSY") == 0x77);
	assert_true(sys_init(*state) == INVALID_RCX);
}

static void test_injection_comes_and_goes(void **state)
{
	assert_true(sys_init(*state) == INVALID_RCX);
	assert_true(inject(*state, "SYS.INIT:2:SYS_BUSY:2") == 0);
	assert_true(sys_init(*state) == INVALID_RCX);
	assert_true(sys_init(*state) == SYS_BUSY);
	assert_true(sys_init(*state) == SYS_BUSY);
	assert_true(sys_init(*state) == INVALID_RCX);
	assert_true(control(*state, 2, 0) == 2);
	assert_true(control(*state, 3, 0x100 + LEAF_SYS_INIT) == 5);
}

static void test_injection_without_end(void **state)
{
	assert_true(inject(*state, "SYS.INIT:1:SYS_BUSY:*") == 0);
	for (int i = 0; i < 5; i++)
		assert_true(sys_init(*state) == SYS_BUSY);
	assert_true(control(*state, 2, 0) == 5);
	assert_true(sys_init(*state) == INVALID_RCX);
	/* The next one counts from where it begins. */
	assert_true(inject(*state, "SYS.INIT:1:SYS_BUSY") == 0);
	assert_true(sys_init(*state) == SYS_BUSY);
	assert_true(sys_init(*state) == INVALID_RCX);
	assert_true(control(*state, 2, 0) == 1);
}

static void test_bad_injections(void **state)
{
	char long_text[200];

	memset(long_text, 'a', sizeof(long_text));
	long_text[199] = '\0';
	assert_true(inject(*state, "SYS.INIT:1:SYS_BUSY") == 0);
	assert_true(inject(*state, "NO.SUCH:1:SYS_BUSY") == UINT64_MAX);
	assert_int_equal(fake.nr_reports, 1);
	assert_non_null(strstr(fake.last_report, "names no SEAMCALL leaf"));
	assert_true(inject(*state, long_text) == UINT64_MAX);
	assert_true(control(*state, 1, FAKE_MAPPED + 0x1000) == UINT64_MAX);
	assert_non_null(strstr(fake.last_report, "is not in memory that can be read"));
	/* What was set before is still there. */
	assert_true(sys_init(*state) == SYS_BUSY);
	assert_true(control(*state, 9, 0) == UINT64_MAX);
}

static void test_figures(void **state)
{
	for (uint64_t which = 0; which < 3; which++)
		assert_true(control(*state, 3, which) == 0);
	assert_true(control(*state, 3, 4) == 0);
	assert_true(control(*state, 3, 5) == UINT64_MAX);
	assert_true(control(*state, 3, 0x100 + SEAM_MAX_LEAF) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_only_when_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(test_injection_comes_and_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_injection_without_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_injections, setup, teardown),
		cmocka_unit_test_setup_teardown(test_figures, setup, teardown),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
