// SPDX-License-Identifier: GPL-2.0-only
/* Defaults, arguments, and whether they make sense together. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "config.h"
#include "inject.h"
#include "leaves.h"
#include "parse.h"

#define MIN_HPA_BITS	32
#define MAX_PA_BITS	52
#define MAX_KEYID_BITS	15
#define MIN_TSC_KHZ	100000
#define MAX_TSC_KHZ	10000000
#define MAX_EXT_POOL_PAGES	(1U << 20)

struct arg {
	const char *key, *value, *accepted;
	char *err;
	size_t errlen;
};

/* An argument may hold anything; the message stays one line of plain text. */
static void one_line(char *text)
{
	for (; *text; text++) {
		if (iscntrl((unsigned char)*text))
			*text = '?';
	}
}

__attribute__((format(printf, 2, 3)))
static int bad(const struct arg *arg, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);

	if (arg->errlen) {
		snprintf(arg->err, arg->errlen, "%s=%.200s: %s; accepted: %s",
			 arg->key, arg->value, what, arg->accepted);
		one_line(arg->err);
	}
	return -EINVAL;
}

/* All of the value is one number from @min to @max. */
static int number(const struct arg *arg, uint64_t min, uint64_t max, uint64_t *to)
{
	const char *p = arg->value;
	uint64_t n;

	if (!parse_number(&p, &n) || *p)
		return bad(arg, "not a number");
	if (n < min || n > max)
		return bad(arg, "out of range");
	*to = n;
	return 0;
}

static int set_unsigned(const struct arg *arg, uint64_t min, uint64_t max, unsigned int *to)
{
	uint64_t n = 0;
	int ret = number(arg, min, max, &n);

	if (!ret)
		*to = (unsigned int)n;
	return ret;
}

static int set_choice(const struct arg *arg, const char *yes, const char *no, bool *to)
{
	if (strcmp(arg->value, yes) && strcmp(arg->value, no))
		return bad(arg, "unknown value");
	*to = !strcmp(arg->value, yes);
	return 0;
}

static int set_switch(const struct arg *arg, bool *to)
{
	return set_choice(arg, "on", "off", to);
}

static int set_features0(struct seam_config *cfg, const struct arg *arg)
{
	return number(arg, 0, UINT64_MAX, &cfg->features0);
}

static int set_version(struct seam_config *cfg, const struct arg *arg)
{
	const char *p = arg->value;
	uint64_t n[3];

	for (unsigned int i = 0; i < 3; i++) {
		if ((i && !parse_char(&p, '.')) || !parse_number(&p, &n[i]))
			return bad(arg, "not three numbers");
		if (n[i] > UINT16_MAX)
			return bad(arg, "a number is above 65535");
	}
	if (*p)
		return bad(arg, "\"%s\" follows the third number", p);

	cfg->major = (uint16_t)n[0];
	cfg->minor = (uint16_t)n[1];
	cfg->update = (uint16_t)n[2];
	return 0;
}

static int set_module(struct seam_config *cfg, const struct arg *arg)
{
	if (!strcmp(arg->value, "loaded"))
		cfg->module_loaded = true;
	else if (!strcmp(arg->value, "none"))
		cfg->module_loaded = false;
	else
		return bad(arg, "unknown value");
	return 0;
}

static int set_cmr(struct seam_config *cfg, const struct arg *arg)
{
	struct seam_range cmr[SEAM_MAX_CMRS];
	const char *p = arg->value;
	unsigned int nr = 0;

	do {
		if (nr == SEAM_MAX_CMRS)
			return bad(arg, "more than %d ranges", SEAM_MAX_CMRS);
		if (!parse_size(&p, &cmr[nr].base))
			return bad(arg, "no base address at \"%s\"", p);
		if (!parse_char(&p, '+'))
			return bad(arg, "no '+' at \"%s\"", p);
		if (!parse_size(&p, &cmr[nr].size))
			return bad(arg, "no size at \"%s\"", p);
		if (cmr[nr].base + cmr[nr].size < cmr[nr].base)
			return bad(arg, "range %u goes beyond 64 bits", nr);
		nr++;
	} while (parse_char(&p, ':'));
	if (*p)
		return bad(arg, "no ':' at \"%s\"", p);

	memcpy(cfg->cmr, cmr, nr * sizeof(cmr[0]));
	cfg->nr_cmrs = nr;
	return 0;
}

static int set_packages(struct seam_config *cfg, const struct arg *arg)
{
	int ret = set_unsigned(arg, 1, SEAM_MAX_PACKAGES, &cfg->nr_packages);

	if (!ret)
		cfg->package_map = false;
	return ret;
}

static int set_package_map(struct seam_config *cfg, const struct arg *arg)
{
	uint8_t package[SEAM_MAX_CPUS] = { 0 };
	const char *p = arg->value;
	unsigned int cpu = 0, nr = 0;
	uint64_t n;

	do {
		if (cpu == SEAM_MAX_CPUS)
			return bad(arg, "more than %d CPUs", SEAM_MAX_CPUS);
		if (!parse_number(&p, &n) || n >= SEAM_MAX_PACKAGES)
			return bad(arg, "no package number for CPU %u", cpu);
		package[cpu++] = (uint8_t)n;
		if (n >= nr)
			nr = (unsigned int)n + 1;
	} while (parse_char(&p, ':'));
	if (*p)
		return bad(arg, "no ':' at \"%s\"", p);

	memcpy(cfg->package, package, sizeof(package));
	cfg->nr_packages = nr;
	cfg->package_map = true;
	return 0;
}

static int set_keyids(struct seam_config *cfg, const struct arg *arg)
{
	uint64_t limit = (1ULL << MAX_KEYID_BITS) - 1;
	const char *p = arg->value;
	uint64_t nr_shared, nr_private;

	if (!parse_number(&p, &nr_shared) || !parse_char(&p, '+') ||
	    !parse_number(&p, &nr_private) || *p)
		return bad(arg, "not two numbers");
	if (nr_shared > limit || nr_private > limit - nr_shared)
		return bad(arg, "more than %llu KeyIDs", (unsigned long long)limit);

	cfg->nr_mktme_keyids = (uint32_t)nr_shared;
	cfg->nr_tdx_keyids = (uint32_t)nr_private;
	return 0;
}

static int set_hpa_bits(struct seam_config *cfg, const struct arg *arg)
{
	return set_unsigned(arg, MIN_HPA_BITS, MAX_PA_BITS, &cfg->hpa_bits);
}

static int set_maxpa(struct seam_config *cfg, const struct arg *arg)
{
	return set_unsigned(arg, MIN_HPA_BITS, MAX_PA_BITS, &cfg->maxpa);
}

static int set_tsc_khz(struct seam_config *cfg, const struct arg *arg)
{
	unsigned int khz;
	int ret = set_unsigned(arg, MIN_TSC_KHZ, MAX_TSC_KHZ, &khz);

	if (ret)
		return ret;
	if (khz % SEAM_TSC_UNIT_KHZ)
		return bad(arg, "not a multiple of 25 MHz");
	cfg->tsc_khz = khz;
	return 0;
}

static int set_ept_levels(struct seam_config *cfg, const struct arg *arg)
{
	return set_unsigned(arg, 4, 5, &cfg->ept_levels);
}

static int set_erratum(struct seam_config *cfg, const struct arg *arg)
{
	return set_switch(arg, &cfg->erratum);
}

static int set_ext_pool_pages(struct seam_config *cfg, const struct arg *arg)
{
	return set_unsigned(arg, 0, MAX_EXT_POOL_PAGES, &cfg->ext_pool_pages);
}

static int set_ext_required(struct seam_config *cfg, const struct arg *arg)
{
	return set_switch(arg, &cfg->ext_required);
}

static int set_iommu(struct seam_config *cfg, const struct arg *arg)
{
	uint64_t iommu[SEAM_MAX_IOMMUS];
	const char *p = arg->value;
	unsigned int nr = 0;

	do {
		if (nr == SEAM_MAX_IOMMUS)
			return bad(arg, "more than %d IOMMUs", SEAM_MAX_IOMMUS);
		if (!parse_size(&p, &iommu[nr]))
			return bad(arg, "no address at \"%s\"", p);
		if (iommu[nr] % 4096)
			return bad(arg, "address %u is not a multiple of 4K", nr);
		nr++;
	} while (parse_char(&p, ':'));
	if (*p)
		return bad(arg, "no ':' at \"%s\"", p);

	memcpy(cfg->iommu, iommu, nr * sizeof(iommu[0]));
	cfg->nr_iommus = nr;
	return 0;
}

static int set_iommu_mt_pages(struct seam_config *cfg, const struct arg *arg)
{
	return set_unsigned(arg, 0, PAGE_LIST_MAX - IOMMU_MT_BLOCKS, &cfg->iommu_mt_pages);
}

static int set_spdm_mt_pages(struct seam_config *cfg, const struct arg *arg)
{
	return set_unsigned(arg, 1, PAGE_LIST_MAX, &cfg->spdm_mt_pages);
}

static int set_ide_mt_pages(struct seam_config *cfg, const struct arg *arg)
{
	return set_unsigned(arg, 1, PAGE_LIST_MAX, &cfg->ide_mt_pages);
}

static int set_spdm_list(struct seam_config *cfg, const struct arg *arg)
{
	return set_choice(arg, "info", "array", &cfg->spdm_list_info);
}

static int set_connect_out(struct seam_config *cfg, const struct arg *arg)
{
	return set_switch(arg, &cfg->connect_out);
}

static int set_interrupt_every(struct seam_config *cfg, const struct arg *arg)
{
	return set_unsigned(arg, 0, UINT32_MAX, &cfg->interrupt_every);
}

static int set_tdmr_init_step(struct seam_config *cfg, const struct arg *arg)
{
	const char *p = arg->value;
	uint64_t n;

	if (!parse_size(&p, &n) || *p)
		return bad(arg, "not a size");
	if (n % 4096)
		return bad(arg, "not a multiple of 4K");
	cfg->tdmr_init_step = n;
	return 0;
}

static int set_inject(struct seam_config *cfg, const struct arg *arg)
{
	unsigned int nr = cfg->nr_injections;
	const char *p = arg->value;
	const char *why;

	do {
		int len = (int)strcspn(p, "/");

		if (nr == SEAM_MAX_INJECTIONS)
			return bad(arg, "more than %d injections", SEAM_MAX_INJECTIONS);
		if (!inject_parse(p, (size_t)len, &cfg->injection[nr], &why))
			return bad(arg, "\"%.*s\" %s", len, p, why);
		nr++;
		p += len;
	} while (parse_char(&p, '/'));

	cfg->nr_injections = nr;
	return 0;
}

static int set_seed(struct seam_config *cfg, const struct arg *arg)
{
	return number(arg, 0, UINT64_MAX, &cfg->seed);
}

static const struct {
	const char *key;
	int (*set)(struct seam_config *cfg, const struct arg *arg);
	const char *accepted;
} keys[] = {
	{ "features0", set_features0, "a 64-bit number such as 0x140000" },
	{ "version", set_version, "MAJOR.MINOR.UPDATE such as 1.5.16" },
	{ "module", set_module, "loaded or none" },
	{ "cmr", set_cmr, "BASE+SIZE[:BASE+SIZE...] such as 1M+2047M:4G+4G, at most 32" },
	{ "packages", set_packages, "1 to 8" },
	{ "package_map", set_package_map, "the package 0 to 7 of each CPU such as 0:0:1:1" },
	{ "keyids", set_keyids, "SHARED+PRIVATE such as 31+32" },
	{ "hpa_bits", set_hpa_bits, "32 to 52" },
	{ "maxpa", set_maxpa, "32 to 52" },
	{ "tsc_khz", set_tsc_khz, "100000 to 10000000, a multiple of 25000" },
	{ "ept_levels", set_ept_levels, "4 or 5" },
	{ "erratum", set_erratum, "on or off" },
	{ "ext_pool_pages", set_ext_pool_pages, "pages of 4K, up to 1048576" },
	{ "ext_required", set_ext_required, "on or off" },
	{ "iommu", set_iommu, "BASE[:BASE...] such as 0xfed90000, at most 16" },
	{ "iommu_mt_pages", set_iommu_mt_pages, "0 to 510" },
	{ "spdm_mt_pages", set_spdm_mt_pages, "1 to 512" },
	{ "ide_mt_pages", set_ide_mt_pages, "1 to 512" },
	{ "spdm_list", set_spdm_list, "array or info" },
	{ "connect_out", set_connect_out, "on or off" },
	{ "interrupt_every", set_interrupt_every, "a number of steps, 0 for never" },
	{ "tdmr_init_step", set_tdmr_init_step, "a multiple of 4K such as 64M, 0 for all" },
	{ "inject", set_inject,
	  "LEAF:NTH:STATUS[:COUNT][/...], LEAF a name or number, NTH from 1 or * or ~PERCENT, "
	  "STATUS a name[|OPERAND], 0x number, VMFAIL, GP or UD, COUNT a number or *" },
	{ "seed", set_seed, "a 64-bit number" },
};

void seam_config_init(struct seam_config *cfg)
{
	*cfg = (struct seam_config){
		.module_loaded = true,
		.features0 = 0x140000,
		.major = 1,
		.minor = 5,
		.update = 16,
		.hpa_bits = 46,
		.nr_mktme_keyids = 31,
		.nr_tdx_keyids = 32,
		.tsc_khz = 1000000,
		.ept_levels = 4,
		.ext_pool_pages = 12800,
		.ext_required = true,
		.nr_iommus = 1,
		.iommu = { 0xFED90000 },
		.iommu_mt_pages = 16,
		.spdm_mt_pages = 8,
		.ide_mt_pages = 1,
		.connect_out = true,
		.nr_cpus = 1,
		.nr_packages = 1,
	};
}

int seam_config_set(struct seam_config *cfg, const char *key, const char *value,
		    char *err, size_t errlen)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct arg arg = {
			.key = key, .value = value, .accepted = keys[i].accepted,
			.err = err, .errlen = errlen,
		};

		if (!strcmp(keys[i].key, key))
			return keys[i].set(cfg, &arg);
	}
	return -ENOENT;
}

static unsigned int keyid_bits(const struct seam_config *cfg)
{
	unsigned int bits = 0;

	while (1ULL << bits < 1ULL + cfg->nr_mktme_keyids + cfg->nr_tdx_keyids)
		bits++;
	return bits;
}

unsigned int seam_config_maxpa(const struct seam_config *cfg)
{
	return cfg->maxpa ? cfg->maxpa : cfg->hpa_bits + keyid_bits(cfg);
}

static bool complete_addresses(struct seam_config *cfg, char *err, size_t errlen)
{
	unsigned int needed = cfg->hpa_bits + keyid_bits(cfg);

	if (cfg->hpa_bits < MIN_HPA_BITS || cfg->hpa_bits > MAX_PA_BITS) {
		snprintf(err, errlen, "hpa_bits=%u is not %d to %d",
			 cfg->hpa_bits, MIN_HPA_BITS, MAX_PA_BITS);
		return false;
	}
	cfg->maxpa = seam_config_maxpa(cfg);
	if (cfg->maxpa < needed || cfg->maxpa > MAX_PA_BITS) {
		snprintf(err, errlen,
			 "maxpa=%u: hpa_bits=%u with keyids=%u+%u needs %u, and %d is the most",
			 cfg->maxpa, cfg->hpa_bits, cfg->nr_mktme_keyids, cfg->nr_tdx_keyids,
			 needed, MAX_PA_BITS);
		return false;
	}
	return true;
}

/* Without a map the CPUs fill the packages in contiguous blocks. */
static bool complete_packages(struct seam_config *cfg, char *err, size_t errlen)
{
	unsigned int populated = 0;

	if (!cfg->nr_cpus || cfg->nr_cpus > SEAM_MAX_CPUS) {
		snprintf(err, errlen, "%u CPUs: 1 to %d are possible", cfg->nr_cpus, SEAM_MAX_CPUS);
		return false;
	}
	if (!cfg->nr_packages || cfg->nr_packages > SEAM_MAX_PACKAGES) {
		snprintf(err, errlen, "packages=%u is not 1 to %d",
			 cfg->nr_packages, SEAM_MAX_PACKAGES);
		return false;
	}

	for (unsigned int cpu = 0; cpu < cfg->nr_cpus; cpu++) {
		if (!cfg->package_map)
			cfg->package[cpu] = (uint8_t)(cpu * cfg->nr_packages / cfg->nr_cpus);
		if (cfg->package[cpu] < cfg->nr_packages)
			populated |= 1U << cfg->package[cpu];
		else
			populated |= 1U << cfg->nr_packages;
	}
	if (populated != (1U << cfg->nr_packages) - 1) {
		snprintf(err, errlen, "packages=%u does not fit %u CPUs: each package needs a CPU",
			 cfg->nr_packages, cfg->nr_cpus);
		return false;
	}
	return true;
}

bool config_complete(struct seam_config *cfg, char *err, size_t errlen)
{
	if (!complete_addresses(cfg, err, errlen) || !complete_packages(cfg, err, errlen))
		return false;
	if (cfg->module_loaded && !cfg->nr_cmrs) {
		snprintf(err, errlen, "no convertible memory: pass cmr=BASE+SIZE");
		return false;
	}
	return true;
}
