// SPDX-License-Identifier: GPL-2.0-only
/* Memory for the contents of private pages: how much, and where CPUs see it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <glib.h>
#include <cmocka.h>

#include "fake_window.h"
#include "window.h"

#define NR_CPUS		2
#define COMMON		(4096 + IOPM_BYTES + MSRPM_BYTES)
#define ENOUGH		(FAKE_WINDOW_RAM + COMMON + NR_CPUS * sizeof(struct window_lp))

static struct window *open_window(uint64_t bytes, char err[WINDOW_REASON])
{
	const struct ram *ram = fake_window_start(bytes);

	err[0] = 0;
	return window_open(ram, NR_CPUS, err, WINDOW_REASON);
}

static void close_window(struct window *w)
{
	g_free(w);
	fake_window_stop();
}

static void layout(void **state)
{
	char err[WINDOW_REASON];
	struct window *w = open_window(ENOUGH, err);
	uint8_t *base = fake_window.mem;
	uint32_t mxcsr;

	(void)state;
	assert_non_null(w);
	/* A place for each page of RAM, in the order of RAM. */
	assert_ptr_equal(window_private(w, 0x5000), base + 0x5000);
	assert_ptr_equal(window_private(w, (UINT64_C(4) << 30) + 0x1000),
			 base + FAKE_WINDOW_RAM / 2 + 0x1000);
	/* Behind it, what CPUs need; the last byte is the last of it. */
	assert_ptr_equal(window_lp(w, 0), base + FAKE_WINDOW_RAM + COMMON);
	assert_ptr_equal(window_lp(w, NR_CPUS), base + ENOUGH);
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
		memcpy(&mxcsr, window_lp(w, cpu)->xsave_init + 24, sizeof(mxcsr));
		assert_int_equal(mxcsr, 0x1f80);
	}
	close_window(w);
}

static void addresses(void **state)
{
	char err[WINDOW_REASON];
	struct window *w = open_window(ENOUGH, err);
	uint64_t common = FAKE_WINDOW_PA + FAKE_WINDOW_RAM;

	(void)state;
	assert_true(window_locate(w, err, sizeof(err)));
	assert_int_equal(window_private_pa(w, 0x5000), FAKE_WINDOW_PA + 0x5000);
	assert_int_equal(window_pa(w, window_lp(w, 1)->tlb), common + COMMON +
			 sizeof(struct window_lp) + offsetof(struct window_lp, tlb));
	assert_int_equal(window_code_pa(w), common);
	assert_int_equal(window_iopm_pa(w), common + 4096);
	assert_int_equal(window_msrpm_pa(w), common + 4096 + IOPM_BYTES);
	/* The code is there, and so are the bits that make guests stop. */
	assert_memory_equal(fake_window.mem + FAKE_WINDOW_RAM, world_code,
			    (size_t)(world_code_end - world_code));
	assert_int_equal(fake_window.mem[FAKE_WINDOW_RAM + 4096], 0xff);
	close_window(w);
}

static void too_small(void **state)
{
	char err[WINDOW_REASON];

	(void)state;
	assert_null(open_window(ENOUGH - 1, err));
	assert_non_null(strstr(err, "has 32 MiB and needs 33"));
	fake_window_stop();
}

static void none(void **state)
{
	char err[WINDOW_REASON];

	(void)state;
	assert_null(open_window(0, err));
	/* The line says what to add to QEMU's command line. */
	assert_non_null(strstr(err, "-object memory-backend-memfd,id=private"));
	assert_non_null(strstr(err, "-device ivshmem-plain,memdev=private"));
	fake_window_stop();
}

/* Firmware chose the address; it is looked up once. */
static void located_once(void **state)
{
	char err[WINDOW_REASON];
	struct window *w = open_window(ENOUGH, err);
	unsigned int reads;

	(void)state;
	assert_true(window_locate(w, err, sizeof(err)));
	reads = fake_window.nr_config_reads;
	assert_true(reads > 0);
	assert_true(window_locate(w, err, sizeof(err)));
	assert_int_equal(fake_window.nr_config_reads, reads);

	/* Another start of firmware, another address. */
	window_forget(w);
	fake_window.seen_at = 0x90000000;
	fake_window.bar[0] = 0x90000000;
	fake_window.bar[1] = 0x12345678;
	assert_true(window_locate(w, err, sizeof(err)));
	assert_int_equal(window_private_pa(w, 0x1000), 0x90001000);
	close_window(w);
}

static void other_configuration_space(void **state)
{
	char err[WINDOW_REASON];
	struct window *w = open_window(ENOUGH, err);

	(void)state;
	fake_window.ecam = FAKE_ECAM_OLD;
	assert_true(window_locate(w, err, sizeof(err)));
	close_window(w);
}

static void not_seen(void **state)
{
	char err[WINDOW_REASON];

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct window *w = open_window(ENOUGH, err);

		if (i == 0)
			fake_window.machine = 0x12378086;
		else if (i == 1)
			fake_window.device = 0x10001af4;
		else if (i == 2)
			/* The device is there, and its memory is somewhere else. */
			fake_window.seen_at += 4096;
		else
			/* Not switched on by firmware. */
			fake_window.bar[0] = fake_window.bar[1] = 0;
		assert_false(window_locate(w, err, sizeof(err)));
		assert_non_null(strstr(err, "on the root bus of a q35 machine"));
		close_window(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout),
		cmocka_unit_test(addresses),
		cmocka_unit_test(too_small),
		cmocka_unit_test(none),
		cmocka_unit_test(located_once),
		cmocka_unit_test(other_configuration_space),
		cmocka_unit_test(not_seen),
	};

	return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
