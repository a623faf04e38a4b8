// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "json.h"
#include "report.h"
#include "stats.h"

/* More are counted, but not listed. */
#define MAX_LISTED	100

struct listed_violation {
	unsigned int cpu;
	uint64_t pa;
	char *rule, *text, *caller;
};

struct stats {
	GMutex lock;
	const char *path;
	char *temporary;
	bool failed;
	unsigned int nr_listed;
	struct listed_violation listed[MAX_LISTED];
};

/* Replacing the file by rename() would do harm to anything but a file. */
static bool is_special(const char *path)
{
	struct stat st;

	return !stat(path, &st) && !S_ISREG(st.st_mode);
}

static bool write_placeholder(const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return false;
	fputs("{}\n", f);
	return !fclose(f);
}

struct stats *stats_open(const char *path, char *err, size_t errlen)
{
	struct stats *s;

	if (is_special(path)) {
		snprintf(err, errlen, "stats=%s is not a regular file", path);
		return NULL;
	}
	if (!write_placeholder(path)) {
		snprintf(err, errlen, "cannot write stats=%s: %s", path,
			 strerror(errno));
		return NULL;
	}

	s = g_new0(struct stats, 1);
	g_mutex_init(&s->lock);
	s->path = path;
	s->temporary = g_strdup_printf("%s.tmp", path);
	return s;
}

void stats_reset(struct stats *s)
{
	unsigned int i;

	g_mutex_lock(&s->lock);
	for (i = 0; i < s->nr_listed; i++) {
		g_free(s->listed[i].rule);
		g_free(s->listed[i].text);
		g_free(s->listed[i].caller);
	}
	s->nr_listed = 0;
	g_mutex_unlock(&s->lock);
}

void stats_discard(struct stats *s)
{
	if (!s)
		return;
	stats_reset(s);
	unlink(s->path);
	g_mutex_clear(&s->lock);
	g_free(s->temporary);
	g_free(s);
}

void stats_violation(struct stats *s, const struct seam_violation *v,
		     const char *caller)
{
	g_mutex_lock(&s->lock);
	if (s->nr_listed < MAX_LISTED)
		s->listed[s->nr_listed++] = (struct listed_violation){
			.cpu = v->cpu,
			.pa = v->pa,
			.rule = g_strdup(v->rule),
			.text = g_strdup(v->text),
			.caller = g_strdup(caller),
		};
	g_mutex_unlock(&s->lock);
}

static void print_violations(FILE *f, const struct stats *s)
{
	unsigned int i;

	fputs("  \"violation_list\": [", f);
	for (i = 0; i < s->nr_listed; i++) {
		const struct listed_violation *v = &s->listed[i];

		fprintf(f, "%s\n    {\"rule\": ", i ? "," : "");
		json_string(f, v->rule);
		fprintf(f, ", \"cpu\": %u, \"pa\": ", v->cpu);
		if (v->pa == ~0ull)
			fputs("null", f);
		else
			fprintf(f, "\"0x%" PRIx64 "\"", v->pa);
		fputs(", \"text\": ", f);
		json_string(f, v->text);
		fputs(", \"caller\": ", f);
		if (v->caller)
			json_string(f, v->caller);
		else
			fputs("null", f);
		fputs("}", f);
	}
	fprintf(f, "%s]\n", s->nr_listed ? "\n  " : "");
}

/* The module's counters are one object, what only the plugin knows is beside it. */
static void print_stats(FILE *f, const struct stats *s, struct seam *seam)
{
	fputs("{\n  \"module\": ", f);
	seam_write_json(seam, f);
	fputs("  ,\n", f);
	print_violations(f, s);
	fputs("}\n", f);
}

static bool replace_file(const struct stats *s, struct seam *seam)
{
	FILE *f = fopen(s->temporary, "we");
	bool failed;

	if (!f)
		return false;
	print_stats(f, s, seam);
	failed = ferror(f);
	if (fclose(f) || failed || rename(s->temporary, s->path)) {
		int saved = errno;

		unlink(s->temporary);
		errno = saved;
		return false;
	}
	return true;
}

void stats_write(struct stats *s, struct seam *seam)
{
	g_mutex_lock(&s->lock);
	if (!replace_file(s, seam) && !s->failed) {
		report("cannot write stats=%s: %s", s->path, strerror(errno));
		s->failed = true;
	}
	g_mutex_unlock(&s->lock);
}
