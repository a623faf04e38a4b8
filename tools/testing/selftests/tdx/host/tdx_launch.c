// SPDX-License-Identifier: GPL-2.0
/*
 * Launches TDs, side by side, and tells what their guests said: text for people
 * on standard error, one line of JSON for each TD on standard output.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <linux/kernel.h>
#include "lib/fail_nth.h"
#include "lib/kvm_tdx.h"
#include "lib/work.h"

#define MAX_TDS			64

struct options {
	unsigned int tds;
	/* Of TD n, the value at n modulo the length of the list. */
	unsigned int vcpus[MAX_TDS], nr_vcpus;
	unsigned int mb[MAX_TDS], nr_mb;
	/* MB of RAM that each guest accepts; 0: all. */
	unsigned int accept_mb;
	unsigned int convert_kb;
	/* Allocations that fail, counted from 1; 0: none. */
	unsigned int fail_nth, vcpu_fail_nth, destroy_fail_nth;
	const char *payload;
};

struct launch {
	const struct options *options;
	unsigned int index;
	struct td td;
	struct td_config config;
	struct td_outcome outcome;
	double built, ran, destroyed;
	/* How many there were of those that can fail. */
	unsigned int allocations, vcpu_allocations, destroy_allocations;
	pthread_t thread;
	int ret;
	char why[ERROR_SIZE];
};

static const struct option long_options[] = {
	{ "tds", required_argument, NULL, 't' },
	{ "vcpus", required_argument, NULL, 'v' },
	{ "mem", required_argument, NULL, 'm' },
	{ "accept", required_argument, NULL, 'a' },
	{ "convert", required_argument, NULL, 'c' },
	{ "fail-nth", required_argument, NULL, 'f' },
	{ "vcpu-fail-nth", required_argument, NULL, 'F' },
	{ "destroy-fail-nth", required_argument, NULL, 'd' },
	{ "payload", required_argument, NULL, 'p' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static void __noreturn show_usage(int status)
{
	fputs("usage: tdx_launch [options]\n"
	      "  --tds N          TDs to launch at the same time (1)\n"
	      "  --vcpus N[,N...] vCPUs of each TD; a list is gone through in turn (1)\n"
	      "  --mem MB[,MB...] RAM of each TD, in the same way (16)\n"
	      "  --accept MB      RAM that each guest accepts and works on (all)\n"
	      "  --convert KB     of it, what each vCPU shares and takes back (64)\n"
	      "  --fail-nth N     the Nth allocation of the kernel fails for each thread that launches\n"
	      "                   a TD; needs CONFIG_FAILSLAB or CONFIG_FAIL_PAGE_ALLOC\n"
	      "  --vcpu-fail-nth N  the same for each thread that runs a vCPU\n"
	      "  --destroy-fail-nth N  the same while each TD is destroyed\n"
	      "  --payload FILE   ELF file to run instead of the built-in guest; it must speak\n"
	      "                   the protocol of guest/mailbox.h\n",
	      stderr);
	exit(status);
}

static unsigned int parse_number(const char *text, const char *option, char **end)
{
	unsigned long value;

	errno = 0;
	value = strtoul(text, end, 0);
	if (errno || *end == text || value > 1 << 20) {
		fprintf(stderr, "tdx_launch: --%s %s: not a number, or too large\n", option, text);
		exit(2);
	}
	return value;
}

static unsigned int parse_one(const char *text, const char *option)
{
	unsigned int value;
	char *end;

	value = parse_number(text, option, &end);
	if (*end) {
		fprintf(stderr, "tdx_launch: --%s %s: not a number\n", option, text);
		exit(2);
	}
	return value;
}

static unsigned int parse_list(const char *text, const char *option, unsigned int *list)
{
	unsigned int count = 0;
	char *end;

	do {
		if (count == MAX_TDS) {
			fprintf(stderr, "tdx_launch: --%s takes %d values\n", option, MAX_TDS);
			exit(2);
		}
		list[count++] = parse_number(text, option, &end);
		text = end + 1;
	} while (*end == ',');
	if (*end) {
		fprintf(stderr, "tdx_launch: --%s: '%s' is not a list of numbers\n", option, end);
		exit(2);
	}
	return count;
}

static void parse(struct options *o, int argc, char **argv)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		switch (opt) {
		case 't':
			o->tds = parse_one(optarg, "tds");
			break;
		case 'v':
			o->nr_vcpus = parse_list(optarg, "vcpus", o->vcpus);
			break;
		case 'm':
			o->nr_mb = parse_list(optarg, "mem", o->mb);
			break;
		case 'a':
			o->accept_mb = parse_one(optarg, "accept");
			break;
		case 'c':
			o->convert_kb = parse_one(optarg, "convert");
			break;
		case 'f':
			o->fail_nth = parse_one(optarg, "fail-nth");
			break;
		case 'F':
			o->vcpu_fail_nth = parse_one(optarg, "vcpu-fail-nth");
			break;
		case 'd':
			o->destroy_fail_nth = parse_one(optarg, "destroy-fail-nth");
			break;
		case 'p':
			o->payload = optarg;
			break;
		case 'h':
			show_usage(0);
		default:
			show_usage(2);
		}
	}
	if (optind != argc)
		show_usage(2);
	if (!o->tds || o->tds > MAX_TDS) {
		fprintf(stderr, "tdx_launch: --tds takes 1 to %d\n", MAX_TDS);
		exit(2);
	}
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void choose_work(const struct launch *l, struct td_work *work)
{
	const struct options *o = l->options;

	td_default_work(&l->td, work);
	if (o->accept_mb && o->accept_mb * TD_MB < work->accept_size)
		work->accept_size = o->accept_mb * TD_MB;
	work->convert_size = o->convert_kb * 1024UL & -TD_PAGE_SIZE;
	work->seed = 1 + l->index;
}

static void *run(void *arg)
{
	struct launch *l = arg;
	struct td_work work;
	double start = now();

	l->ret = fail_nth(l->options->fail_nth);
	if (!l->ret)
		l->ret = td_build(&l->td, &l->config, TD_FINALIZED);
	l->built = now() - start;
	if (!l->ret) {
		choose_work(l, &work);
		l->ret = td_work(&l->td, &work, &l->outcome);
		l->ran = now() - start - l->built;
	}
	l->allocations = fail_nth_count(l->options->fail_nth);
	if (l->ret)
		snprintf(l->why, sizeof(l->why), "%s", last_error());
	return NULL;
}

static void init_launch(struct launch *l, const struct options *o, unsigned int index,
			const struct td_image *image)
{
	l->options = o;
	l->index = index;
	td_default_config(&l->config);
	l->config.nr_vcpus = o->vcpus[index % o->nr_vcpus];
	l->config.ram_size = o->mb[index % o->nr_mb] * TD_MB;
	l->config.image = o->payload ? image : NULL;
	l->config.vcpu_fail_nth = o->vcpu_fail_nth;
	l->config.vcpu_allocations = &l->vcpu_allocations;
}

/* JSON has no other characters to be careful with in what guests print. */
static void print_json_text(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", stdout);
		else if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
			printf("\\u%04x", (unsigned char)*text);
		else
			putchar(*text);
	}
	putchar('"');
}

static void print_said(const struct launch *l)
{
	printf("\"said\": [");
	for (unsigned int i = 0; i < l->config.nr_vcpus && i < TD_MAX_VCPUS; i++) {
		fputs(i ? ", " : "", stdout);
		print_json_text(l->td.vcpus[i].console);
	}
	printf("]");
}

static void print_allocations(const struct launch *l)
{
	const struct options *o = l->options;
	bool failed = o->fail_nth && l->allocations == o->fail_nth;

	failed |= o->vcpu_fail_nth && l->vcpu_allocations == o->vcpu_fail_nth;
	failed |= o->destroy_fail_nth && l->destroy_allocations == o->destroy_fail_nth;
	if (o->fail_nth || o->vcpu_fail_nth || o->destroy_fail_nth)
		printf(", \"allocations\": [%u, %u, %u], \"allocation_failed\": %s", l->allocations,
		       l->vcpu_allocations, l->destroy_allocations, failed ? "true" : "false");
}

static void print_json(const struct launch *l)
{
	const struct td_outcome *o = &l->outcome;

	printf("{\"td\": %u, \"ok\": %s, \"vcpus\": %u, \"mem_mb\": %lu, ", l->index,
	       l->ret ? "false" : "true", l->config.nr_vcpus, l->config.ram_size / TD_MB);
	printf("\"added_pages\": %lu, \"measured_pages\": %lu, \"accepted_pages\": %lu, ",
	       l->td.nr_added, l->td.nr_measured, o->accepted_pages);
	printf("\"converted_pages\": %lu, \"mrtd\": \"", o->converted_pages);
	for (int i = 0; i < SHA384_SIZE; i++)
		printf("%02x", l->td.mrtd[i]);
	printf("\", \"mrtd_matches\": %s, \"rtmr_matches\": %s, ",
	       o->mrtd_matches ? "true" : "false", o->rtmr_matches ? "true" : "false");
	printf("\"seconds\": {\"build\": %.3f, \"run\": %.3f, \"destroy\": %.3f}, ", l->built,
	       l->ran, l->destroyed);
	print_said(l);
	print_allocations(l);
	printf(", \"error\": ");
	if (l->ret)
		print_json_text(l->why);
	else
		printf("null");
	printf("}\n");
}

static void print_text(const struct launch *l)
{
	for (unsigned int i = 0; i < l->config.nr_vcpus && i < TD_MAX_VCPUS; i++)
		if (l->td.vcpus[i].console[0])
			fprintf(stderr, "TD %u: %s", l->index, l->td.vcpus[i].console);
	if (l->ret)
		fprintf(stderr, "TD %u: FAILED: %s\n", l->index, l->why);
	else
		fprintf(stderr, "TD %u: accepted %lu pages, converted %lu, MRTD as expected\n",
			l->index, l->outcome.accepted_pages, l->outcome.converted_pages);
}

static void destroy(struct launch *l)
{
	unsigned int nth = l->options->destroy_fail_nth;
	double start = now();

	if (!l->ret && fail_nth(nth)) {
		l->ret = -1;
		snprintf(l->why, sizeof(l->why), "%s", last_error());
	}
	td_destroy(&l->td);
	l->destroy_allocations = fail_nth_count(nth);
	l->destroyed = now() - start;
}

/* All TDs live until the last one is done. */
static int launch_all(struct launch *launches, unsigned int count)
{
	int failed = 0;

	for (unsigned int i = 0; i < count; i++) {
		if (pthread_create(&launches[i].thread, NULL, run, &launches[i])) {
			fprintf(stderr, "tdx_launch: cannot start thread %u\n", i);
			exit(1);
		}
	}
	for (unsigned int i = 0; i < count; i++)
		pthread_join(launches[i].thread, NULL);
	for (unsigned int i = 0; i < count; i++) {
		destroy(&launches[i]);
		print_text(&launches[i]);
		print_json(&launches[i]);
		failed |= launches[i].ret;
	}
	return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct options o = {
		.tds = 1,
		.vcpus = { 1 }, .nr_vcpus = 1,
		.mb = { 16 }, .nr_mb = 1,
		.convert_kb = 64,
	};
	const char *why = kvm_tdx_unsupported();
	struct launch *launches;
	struct td_image image;
	int ret;

	parse(&o, argc, argv);
	if (why) {
		fprintf(stderr, "tdx_launch: %s\n", why);
		return 1;
	}
	if (o.payload && td_image_from_file(&image, o.payload))
		return 1;

	launches = calloc(o.tds, sizeof(*launches));
	if (!launches) {
		fprintf(stderr, "tdx_launch: no memory for %u TDs\n", o.tds);
		return 1;
	}
	for (unsigned int i = 0; i < o.tds; i++)
		init_launch(&launches[i], &o, i, &image);
	ret = launch_all(launches, o.tds);
	free(launches);
	if (o.payload)
		td_image_free(&image);
	return ret;
}
