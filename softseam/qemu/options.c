// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "tsc.h"

struct cpu_model {
	const char *name;
	uint32_t signature;
	/* The partial-write erratum. */
	bool erratum;
};

/* Family, model and stepping as CPUID leaf 1 EAX encodes them. */
static const struct cpu_model cpu_models[] = {
	{ "gnr", 0x000a06d1, false },
	{ "emr", 0x000c06f2, true },
	{ "spr", 0x000806f8, true },
	{ "qemu", 0, false },
};

#define NR_CPU_MODELS	(sizeof(cpu_models) / sizeof(cpu_models[0]))

static bool set_cpu(struct options *opt, const char *value, char *err,
		    size_t errlen)
{
	unsigned int i;

	for (i = 0; i < NR_CPU_MODELS; i++) {
		if (strcmp(value, cpu_models[i].name))
			continue;
		opt->cpu_signature = cpu_models[i].signature;
		opt->seam.erratum = cpu_models[i].erratum;
		return true;
	}
	snprintf(err, errlen, "cpu=%s is not a CPU model; use gnr, emr, spr or qemu",
		 value);
	return false;
}

static bool set_switch(bool *to, const char *key, const char *value, char *err, size_t errlen)
{
	*to = !strcmp(value, "on");
	if (*to || !strcmp(value, "off"))
		return true;
	snprintf(err, errlen, "%s=%s is neither on nor off", key, value);
	return false;
}

static const char **file_option(struct options *opt, const char *key)
{
	if (!strcmp(key, "trace"))
		return &opt->trace;
	if (!strcmp(key, "trace_json"))
		return &opt->trace_json;
	if (!strcmp(key, "stats"))
		return &opt->stats;
	if (!strcmp(key, "symbols"))
		return &opt->symbols;
	if (!strcmp(key, "ram"))
		return &opt->ram;
	return NULL;
}

static bool set_option(struct options *opt, const char *key, const char *value,
		       char *err, size_t errlen)
{
	const char **file = file_option(opt, key);
	int ret;

	if (file && !*value) {
		snprintf(err, errlen, "%s= needs a file name", key);
		return false;
	}
	if (file) {
		*file = value;
		return true;
	}
	if (!strcmp(key, "cpu"))
		return set_cpu(opt, value, err, errlen);
	if (!strcmp(key, "control"))
		return set_switch(&opt->control, key, value, err, errlen);
	if (!strcmp(key, "own_tlbs"))
		return set_switch(&opt->own_tlbs, key, value, err, errlen);

	ret = seam_config_set(&opt->seam, key, value, err, errlen);
	if (ret == -ENOENT)
		snprintf(err, errlen,
			 "unknown argument %s=%s; softseam/README.md lists the arguments",
			 key, value);
	return !ret;
}

static bool parse_one(struct options *opt, const char *arg, char *err,
		      size_t errlen)
{
	const char *equals = strchr(arg, '=');
	char key[64];

	if (!equals || equals == arg || (size_t)(equals - arg) >= sizeof(key)) {
		snprintf(err, errlen, "malformed argument %s; use key=value", arg);
		return false;
	}
	memcpy(key, arg, (size_t)(equals - arg));
	key[equals - arg] = 0;
	return set_option(opt, key, equals + 1, err, errlen);
}

/* QEMU numbers CPUs socket by socket; so the packages are even blocks of them. */
static bool place_cpus(struct seam_config *cfg, unsigned int nr_cpus, char *err,
		       size_t errlen)
{
	unsigned int i;

	if (nr_cpus > SEAM_MAX_CPUS) {
		snprintf(err, errlen, "-smp %u is too many; the limit is %u CPUs",
			 nr_cpus, SEAM_MAX_CPUS);
		return false;
	}
	cfg->nr_cpus = nr_cpus;
	if (cfg->package_map)
		return true;
	if (nr_cpus % cfg->nr_packages) {
		snprintf(err, errlen,
			 "packages=%u does not divide the %u CPUs; use the sockets= of -smp",
			 cfg->nr_packages, nr_cpus);
		return false;
	}
	for (i = 0; i < nr_cpus; i++)
		cfg->package[i] = (uint8_t)(i / (nr_cpus / cfg->nr_packages));
	cfg->package_map = true;
	return true;
}

bool options_parse(struct options *opt, int argc, char **argv,
		   unsigned int nr_cpus, char *err, size_t errlen)
{
	int i;

	memset(opt, 0, sizeof(*opt));
	opt->cpu_signature = cpu_models[0].signature;
	seam_config_init(&opt->seam);
	opt->own_tlbs = true;
	opt->seam.tsc_khz = tsc_measure_khz();
	for (i = 0; i < argc; i++)
		if (!parse_one(opt, argv[i], err, errlen))
			return false;
	return place_cpus(&opt->seam, nr_cpus, err, errlen);
}
