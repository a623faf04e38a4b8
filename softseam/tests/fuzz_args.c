// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz arguments: "key=value" lines.  Each is accepted, unknown, or refused
 * with one line; and a module that can be created can be called.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "leaves.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_message(const char *err)
{
	if (!*err)
		abort();
	for (; *err; err++) {
		if (iscntrl((unsigned char)*err))
			abort();
	}
}

static void set(struct seam_config *cfg, char *line)
{
	char *value = strchr(line, '=');
	char err[300] = "";
	int ret;

	if (!value)
		return;
	*value++ = '\0';
	ret = seam_config_set(cfg, line, value, err, sizeof(err));
	if (ret == -EINVAL)
		check_message(err);
	else if (ret && ret != -ENOENT)
		abort();
}

static void *ram(void *opaque, uint64_t pa, uint64_t len)
{
	(void)opaque;
	(void)pa;
	(void)len;
	return NULL;
}

static uint64_t now(void *opaque)
{
	(void)opaque;
	return 0;
}

static void create(const struct seam_config *cfg)
{
	const struct seam_machine machine = { .ram = ram, .now = now };
	char err[300] = "";
	struct seam *seam = seam_new(cfg, &machine, err, sizeof(err));

	if (!seam) {
		check_message(err);
		return;
	}
	for (unsigned int cpu = 0; cpu < cfg->nr_cpus; cpu++) {
		struct seam_regs regs = { .rax = cpu ? TDH_SYS_LP_INIT : TDH_SYS_INIT };

		seam_call(seam, cpu, &regs);
	}
	seam_free(seam);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *rest = text, *line;
	struct seam_config cfg;

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';

	seam_config_init(&cfg);
	cfg.nr_cpus = 4;
	while ((line = strsep(&rest, "\n")))
		set(&cfg, line);
	create(&cfg);
	free(text);
	return 0;
}
