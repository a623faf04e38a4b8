// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "request.h"
#include "seam.h"

/* The plugin looks among 16 backends, of which the machine may have some more. */
#define MAX_NODES	8
/* Firmware and the smallest of kernels; nobody has tried more than the most. */
#define MIN_MEMORY_MB	64
#define MAX_MEMORY_MB	(1u << 20)

#define SEAM_KEY	"abcdefghijklmnopqrstuvwxyz0123456789_"

enum kind {
	/* Takes no value. */
	KIND_SET,
	KIND_CLEAR,
	KIND_NUMBER,
	KIND_ON_OFF,
	KIND_TEXT,
	KIND_SEAM,
};

struct option {
	const char *name;
	enum kind kind;
	union {
		bool *flag;
		unsigned int *number;
		const char **text;
	} to;
	unsigned int min, max;
	const char *unit;
	bool given;
};

bool request_has_plugin(const struct request *r)
{
	return !r->plugin || strcmp(r->plugin, "none");
}

const char *request_seam(const struct request *r, const char *key)
{
	size_t len = strlen(key);
	unsigned int i;

	for (i = 0; i < r->nr_seam; i++)
		if (!strncmp(r->seam[i], key, len) && r->seam[i][len] == '=')
			return r->seam[i] + len + 1;
	return NULL;
}

static unsigned int parse_number(const struct option *o, const char *text)
{
	size_t len = strlen(text);
	unsigned long value = 0;

	/* More digits than any limit has. */
	if (len && len < 10 && strspn(text, "0123456789") == len)
		value = strtoul(text, NULL, 10);
	if (value < o->min || value > o->max)
		fail_usage("--%s %s: must be a number%s from %u to %u", o->name, text,
			   o->unit ? o->unit : "", o->min, o->max);
	return (unsigned int)value;
}

static bool parse_on_off(const struct option *o, const char *text)
{
	bool on = !strcmp(text, "on");

	if (!on && strcmp(text, "off"))
		fail_usage("--%s %s: must be on or off", o->name, text);
	return on;
}

static void add_seam(struct request *r, char *text)
{
	size_t len = strspn(text, SEAM_KEY);

	if (!len || text[len] != '=')
		fail_usage("--seam %s: must be KEY=VALUE, as softseam/README.md lists them", text);
	if (!strncmp(text, "file=", 5) || !strncmp(text, "arg=", 4))
		fail_usage("--seam %s: QEMU keeps this key to itself; --plugin names another plugin", text);
	r->seam[r->nr_seam++] = text;
}

static void set_value(struct request *r, const struct option *o, char *value)
{
	switch (o->kind) {
	case KIND_NUMBER:
		*o->to.number = parse_number(o, value);
		break;
	case KIND_ON_OFF:
		*o->to.flag = parse_on_off(o, value);
		break;
	case KIND_TEXT:
		if (!*value && o->to.text != &r->append)
			fail_usage("--%s needs a name that is not empty", o->name);
		*o->to.text = value;
		break;
	default:
		add_seam(r, value);
	}
}

static struct option *find(struct option *o, const char *name, size_t len)
{
	for (; o->name; o++)
		if (strlen(o->name) == len && !strncmp(o->name, name, len))
			return o;
	return NULL;
}

/* One option, and its value if it has one; returns how many words they are. */
static int parse_one(struct request *r, struct option *options, char **argv)
{
	const char *name = argv[0] + strspn(argv[0], "-");
	size_t dashes = (size_t)(name - argv[0]), len = strcspn(name, "=");
	struct option *o = dashes && dashes <= 2 ? find(options, name, len) : NULL;
	char *equals = name[len] ? argv[0] + dashes + len : NULL;

	if (!o)
		fail_usage("%s is not an option of softseam-run: --help lists those, QEMU's own go behind --",
			   argv[0]);
	if (o->given && o->kind != KIND_SEAM)
		fail_usage("--%s is given twice: leave one out", o->name);
	o->given = true;

	if (o->kind == KIND_SET || o->kind == KIND_CLEAR) {
		if (equals)
			fail_usage("%s: --%s takes no value", argv[0], o->name);
		*o->to.flag = o->kind == KIND_SET;
		return 1;
	}
	if (!equals && !argv[1])
		fail_usage("--%s needs a value behind it", o->name);
	set_value(r, o, equals ? equals + 1 : argv[1]);
	return equals ? 1 : 2;
}

static void check_packages(const struct request *r)
{
	const char *packages = request_seam(r, "packages");
	char *end;

	if (packages && (strtoul(packages, &end, 10) != r->sockets || *end))
		fail_usage("--seam packages=%s does not fit --sockets %u: leave it out, --sockets sets both",
			   packages, r->sockets);
}

/* Numbers that are fine each, but not together. */
static void check(const struct request *r)
{
	if (r->cpus % r->sockets)
		fail_usage("--cpus %u cannot be shared evenly by --sockets %u: use a multiple of it",
			   r->cpus, r->sockets);
	if (r->cpus % r->nodes)
		fail_usage("--cpus %u cannot be shared evenly by --nodes %u: use a multiple of it",
			   r->cpus, r->nodes);
	if (r->memory_mb % r->nodes)
		fail_usage("--memory %u cannot be shared evenly by --nodes %u: use a multiple of it",
			   r->memory_mb, r->nodes);
	if (!r->kernel && (r->initrd || r->append))
		fail_usage("-%s needs -kernel: without it, the disk's boot loader chooses",
			   r->initrd ? "initrd" : "append");
	if (!request_has_plugin(r) && r->nr_seam)
		fail_usage("--seam %s is for the plugin: leave out --plugin none", r->seam[0]);
	check_packages(r);
}

void request_parse(struct request *r, int argc, char **argv)
{
	struct option options[] = {
		{ .name = "cpus", .kind = KIND_NUMBER, .to.number = &r->cpus,
		  .min = 1, .max = SEAM_MAX_CPUS },
		{ .name = "memory", .kind = KIND_NUMBER, .to.number = &r->memory_mb,
		  .min = MIN_MEMORY_MB, .max = MAX_MEMORY_MB, .unit = " of MB" },
		{ .name = "sockets", .kind = KIND_NUMBER, .to.number = &r->sockets,
		  .min = 1, .max = SEAM_MAX_PACKAGES },
		{ .name = "nodes", .kind = KIND_NUMBER, .to.number = &r->nodes,
		  .min = 1, .max = MAX_NODES },
		{ .name = "tds", .kind = KIND_ON_OFF, .to.flag = &r->tds },
		{ .name = "seam", .kind = KIND_SEAM },
		{ .name = "kernel", .kind = KIND_TEXT, .to.text = &r->kernel },
		{ .name = "initrd", .kind = KIND_TEXT, .to.text = &r->initrd },
		{ .name = "append", .kind = KIND_TEXT, .to.text = &r->append },
		{ .name = "no-kernel-args", .kind = KIND_CLEAR, .to.flag = &r->kernel_args },
		{ .name = "qemu", .kind = KIND_TEXT, .to.text = &r->qemu },
		{ .name = "plugin", .kind = KIND_TEXT, .to.text = &r->plugin },
		{ .name = "print", .kind = KIND_SET, .to.flag = &r->print },
		{ .name = "help", .kind = KIND_SET, .to.flag = &r->help },
		{ .name = NULL }
	};
	char **at = argv + 1;

	*r = (struct request){
		.cpus = 2, .sockets = 1, .nodes = 1, .memory_mb = 1024,
		.tds = true, .kernel_args = true,
		.seam = calloc((size_t)argc + 1, sizeof(*r->seam)),
	};
	if (!r->seam)
		fail("out of memory");
	while (*at && strcmp(*at, "--") && !r->help)
		at += parse_one(r, options, at);
	r->more = *at ? at + 1 : at;
	if (!r->help)
		check(r);
}
