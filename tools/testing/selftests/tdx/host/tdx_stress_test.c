// SPDX-License-Identifier: GPL-2.0
/* TDs many times, many at once, moved, converted and killed. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "kselftest.h"
#include "lib/health.h"
#include "lib/kvm_tdx.h"
#include "stress/stress.h"

static const struct stress quick = {
	.cycles = 5,
	.tds = 3,
	.migrations = 20,
	.conversions = 20,
	.kills = 5,
	.max_mb = 32,
	.max_vcpus = 4,
	.vcpus = 4,
};

static const struct stress full = {
	.cycles = 200,
	.tds = 8,
	.migrations = 500,
	.conversions = 1000,
	.kills = 100,
	.max_mb = 512,
	.max_vcpus = 4,
	.vcpus = 4,
};

struct test {
	const char *name;
	int (*run)(struct stress *stress);
	/* The number in struct stress that leaves it out when 0. */
	size_t count;
};

static const struct test tests[] = {
	{ "vcpus", stress_vcpus, offsetof(struct stress, vcpus) },
	{ "sizes", stress_sizes, offsetof(struct stress, max_mb) },
	{ "cycles", stress_cycles, offsetof(struct stress, cycles) },
	{ "tds", stress_many, offsetof(struct stress, tds) },
	{ "migrations", stress_migrate, offsetof(struct stress, migrations) },
	{ "conversions", stress_convert, offsetof(struct stress, conversions) },
	{ "kills", stress_kill, offsetof(struct stress, kills) },
};

static const struct option options[] = {
	{ "full", no_argument, NULL, 'F' },
	{ "only", required_argument, NULL, 'o' },
	{ "seed", required_argument, NULL, 's' },
	{ "vcpus", required_argument, NULL, 'V' },
	{ "cycles", required_argument, NULL, 'c' },
	{ "tds", required_argument, NULL, 't' },
	{ "migrations", required_argument, NULL, 'm' },
	{ "conversions", required_argument, NULL, 'C' },
	{ "kills", required_argument, NULL, 'k' },
	{ "max-mb", required_argument, NULL, 'M' },
	{ "max-vcpus", required_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static void show_usage(void)
{
	fputs("usage: tdx_stress_test [--full] [--only TEST] [--seed N]\n"
	      "	[--vcpus N] [--max-mb N] [--cycles N] [--tds N] [--migrations N]\n"
	      "	[--conversions N] [--kills N] [--max-vcpus N]\n"
	      "A count of 0 leaves that test out.  --full sets all counts for a long run; give it\n"
	      "first.  --max-vcpus limits all tests.\n"
	      "TEST is vcpus, sizes, cycles, tds, migrations, conversions or kills.\n",
	      stderr);
	exit(KSFT_FAIL);
}

static u64 parse_number(const char *text)
{
	char *end;
	u64 value;

	errno = 0;
	value = strtoul(text, &end, 0);
	if (errno || end == text || *end) {
		fprintf(stderr, "tdx_stress_test: '%s' is not a number\n", text);
		show_usage();
	}
	return value;
}

static void keep_only(struct stress *stress, const char *name)
{
	struct stress kept = { .max_vcpus = stress->max_vcpus, .random = stress->random };

	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		if (strcmp(tests[i].name, name))
			continue;
		memcpy((char *)&kept + tests[i].count, (char *)stress + tests[i].count,
		       sizeof(unsigned int));
		*stress = kept;
		return;
	}
	fprintf(stderr, "tdx_stress_test: there is no test '%s'\n", name);
	show_usage();
}

static void parse(struct stress *stress, int argc, char **argv)
{
	const char *only = NULL;
	u64 seed = time(NULL);
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (opt) {
		case 'F':
			*stress = full;
			break;
		case 'o':
			only = optarg;
			break;
		case 's':
			seed = parse_number(optarg);
			break;
		case 'V':
			stress->vcpus = parse_number(optarg);
			break;
		case 'c':
			stress->cycles = parse_number(optarg);
			break;
		case 't':
			stress->tds = parse_number(optarg);
			break;
		case 'm':
			stress->migrations = parse_number(optarg);
			break;
		case 'C':
			stress->conversions = parse_number(optarg);
			break;
		case 'k':
			stress->kills = parse_number(optarg);
			break;
		case 'M':
			stress->max_mb = parse_number(optarg);
			break;
		case 'v':
			stress->max_vcpus = parse_number(optarg);
			break;
		default:
			show_usage();
		}
	}
	if (optind != argc || !stress->max_vcpus || stress->max_vcpus > TD_MAX_VCPUS)
		show_usage();
	stress->random = seed;
	if (only)
		keep_only(stress, only);
	ksft_print_msg("seed %lu\n", seed);
}

/* SplitMix64 */
u64 stress_random(struct stress *stress)
{
	u64 x = stress->random += 0x9e3779b97f4a7c15UL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9UL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebUL;
	return x ^ x >> 31;
}

/* KVM allows a TD as many vCPUs as there are CPUs. */
static void limit_vcpus(struct stress *stress)
{
	struct td_config config;
	struct td td;
	int max;

	td_default_config(&config);
	if (td_build(&td, &config, TD_CREATED))
		ksft_exit_fail_msg("no TD can be created\n");
	max = kvm_ioctl(td.vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
	td_destroy(&td);
	if (max > 0 && max < (int)stress->max_vcpus) {
		ksft_print_msg("TDs have up to %d vCPUs here\n", max);
		stress->max_vcpus = max;
	}
	if (stress->vcpus > stress->max_vcpus)
		stress->vcpus = stress->max_vcpus;
}

static void run_test(const struct test *test, struct stress *stress)
{
	struct timespec start, end;
	unsigned int count;
	int ret;

	memcpy(&count, (char *)stress + test->count, sizeof(count));
	if (!count) {
		ksft_test_result_skip("%s: not asked for\n", test->name);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	ret = test->run(stress);
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (ret == -ENODEV)
		ksft_test_result_skip("%s: this needs two CPUs\n", test->name);
	else
		ksft_test_result(!ret, "%s: %u in %.1f s\n", test->name, count,
				 end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9);
}

int main(int argc, char **argv)
{
	const char *why = kvm_tdx_unsupported();
	struct stress stress = quick;
	struct health health;

	ksft_print_header();
	parse(&stress, argc, argv);
	if (why)
		ksft_exit_skip("%s\n", why);

	ksft_set_plan(ARRAY_SIZE(tests) + 1);
	health_begin(&health);
	limit_vcpus(&stress);
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		run_test(&tests[i], &stress);
	ksft_test_result(!health_complaints(&health), "the host has nothing to complain about\n");
	health_end(&health);
	ksft_finished();
}
