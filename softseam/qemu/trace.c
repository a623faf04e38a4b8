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
#include "trace.h"

#define NS_PER_S	UINT64_C(1000000000)
#define NS_PER_US	UINT64_C(1000)

#define LEAF_MASK	UINT64_C(0xffff)

struct trace_file {
	const char *path;
	FILE *f;
};

struct trace {
	GMutex lock;
	struct trace_file text, json;
	bool first_json;
};

static bool file_open(struct trace_file *file, const char *path, char *err,
		      size_t errlen)
{
	if (!path)
		return true;
	file->f = fopen(path, "we");
	if (!file->f) {
		snprintf(err, errlen, "cannot write %s: %s", path, strerror(errno));
		return false;
	}
	setvbuf(file->f, NULL, _IOLBF, BUFSIZ);
	file->path = path;
	return true;
}

/* A device or a pipe was there before us, and stays. */
static void file_discard(struct trace_file *file)
{
	struct stat st;

	if (!file->f)
		return;
	if (!fstat(fileno(file->f), &st) && S_ISREG(st.st_mode))
		unlink(file->path);
	fclose(file->f);
	file->f = NULL;
}

static void file_close(struct trace_file *file)
{
	bool failed;

	if (!file->f)
		return;
	failed = ferror(file->f);
	if (fclose(file->f) || failed)
		report("%s is incomplete: a write failed; is the disk full?",
		       file->path);
	file->f = NULL;
}

struct trace *trace_open(const char *text, const char *json, char *err,
			 size_t errlen)
{
	struct trace *t = g_new0(struct trace, 1);

	g_mutex_init(&t->lock);
	if (!file_open(&t->text, text, err, errlen) ||
	    !file_open(&t->json, json, err, errlen)) {
		trace_discard(t);
		return NULL;
	}
	if (t->json.f)
		fputs("[\n", t->json.f);
	t->first_json = true;
	return t;
}

void trace_discard(struct trace *t)
{
	if (!t)
		return;
	file_discard(&t->text);
	file_discard(&t->json);
	g_mutex_clear(&t->lock);
	g_free(t);
}

void trace_close(struct trace *t)
{
	g_mutex_lock(&t->lock);
	if (t->json.f)
		fputs("\n]\n", t->json.f);
	file_close(&t->text);
	file_close(&t->json);
	g_mutex_unlock(&t->lock);
}

static void leaf_text(char *buf, size_t len, uint64_t rax)
{
	const char *name = seam_leaf_name((unsigned int)(rax & LEAF_MASK));

	if (name)
		snprintf(buf, len, "%s", name);
	else
		snprintf(buf, len, "leaf %" PRIu64, rax & LEAF_MASK);
}

static void status_text(char *buf, size_t len, const struct seam_event *e)
{
	if (e->how == SEAM_END_VMFAILINVALID)
		snprintf(buf, len, "VMfailInvalid");
	else if (e->how == SEAM_END_GP)
		snprintf(buf, len, "#GP");
	else if (e->how == SEAM_END_UD)
		snprintf(buf, len, "#UD");
	else
		seam_format_status(buf, len, e->out->rax);
}

static void print_string(FILE *f, const char *key, const char *value)
{
	if (!value)
		return;
	fprintf(f, ",\"%s\":", key);
	json_string(f, value);
}

/* RAX, and registers by what they mean. */
static void print_regs(FILE *f, const char *key, const struct seam_event *e,
		       bool output)
{
	uint64_t value = output ? e->out->rax : e->in->rax;
	const char *meaning;
	unsigned int i;

	fprintf(f, ",\"%s\":{\"rax\":\"0x%" PRIx64 "\"", key, value);
	for (i = 0; seam_event_operand(e, output, i, &meaning, &value); i++)
		fprintf(f, ",\"%s\":\"0x%" PRIx64 "\"", meaning, value);
	fputs("}", f);
}

static void start_json_event(struct trace *t)
{
	if (!t->first_json)
		fputs(",\n", t->json.f);
	t->first_json = false;
}

static void print_json_time(FILE *f, const char *key, uint64_t ns)
{
	fprintf(f, ",\"%s\":%" PRIu64 ".%03" PRIu64, key, ns / NS_PER_US,
		ns % NS_PER_US);
}

static void print_json(struct trace *t, const struct seam_event *e,
		       const char *caller)
{
	char leaf[64], status[96];
	FILE *f = t->json.f;

	leaf_text(leaf, sizeof(leaf), e->in->rax);
	status_text(status, sizeof(status), e);

	start_json_event(t);
	fputs("{\"name\":", f);
	json_string(f, leaf);
	fprintf(f, ",\"cat\":\"seamcall\",\"ph\":\"X\",\"pid\":0,\"tid\":%u", e->cpu);
	print_json_time(f, "ts", e->start);
	print_json_time(f, "dur", e->end - e->start);
	fputs(",\"args\":{\"status\":", f);
	json_string(f, status);
	print_string(f, "exit", seam_event_exit(e));
	print_string(f, "vmcall", seam_event_vmcall(e));
	print_regs(f, "in", e, false);
	print_regs(f, "out", e, true);
	print_string(f, "caller", caller);
	fprintf(f, ",\"injected\":%s}}", e->injected ? "true" : "false");
	fflush(f);
}

void trace_seamcall(struct trace *t, const struct seam_event *e,
		    const char *caller)
{
	char line[512];

	seam_format_event(line, sizeof(line), e);

	g_mutex_lock(&t->lock);
	if (t->text.f)
		fprintf(t->text.f, "%s%s%s\n", line, caller ? " by " : "",
			caller ? caller : "");
	if (t->json.f)
		print_json(t, e, caller);
	g_mutex_unlock(&t->lock);
}

static void print_json_violation(struct trace *t, const struct seam_violation *v,
				 uint64_t now)
{
	FILE *f = t->json.f;

	start_json_event(t);
	fputs("{\"name\":", f);
	json_string(f, v->rule);
	fprintf(f, ",\"cat\":\"violation\",\"ph\":\"i\",\"s\":\"g\",\"pid\":0,\"tid\":%u",
		v->cpu);
	print_json_time(f, "ts", now);
	fputs(",\"args\":{\"text\":", f);
	json_string(f, v->text);
	fputs("}}", f);
	fflush(f);
}

void trace_violation(struct trace *t, const struct seam_violation *v, uint64_t now)
{
	g_mutex_lock(&t->lock);
	if (t->text.f)
		fprintf(t->text.f, "[%5" PRIu64 ".%09" PRIu64 "] cpu%u violation %s: %s\n",
			now / NS_PER_S, now % NS_PER_S, v->cpu, v->rule, v->text);
	if (t->json.f)
		print_json_violation(t, v, now);
	g_mutex_unlock(&t->lock);
}
