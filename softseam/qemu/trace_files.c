// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"
#include "report.h"
#include "trace_files.h"

#define NS_PER_S	UINT64_C(1000000000)
#define NS_PER_US	UINT64_C(1000)

#define LEAF_MASK	UINT64_C(0xffff)

/* Of each file; what is in it is written by trace_files_flush() at the latest. */
#define BUFFER_BYTES	(1 << 18)

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
	setvbuf(file->f, NULL, _IOFBF, BUFFER_BYTES);
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

bool trace_files_open(struct trace_files *t, const char *text, const char *json,
		      char *err, size_t errlen)
{
	if (!file_open(&t->text, text, err, errlen) ||
	    !file_open(&t->json, json, err, errlen)) {
		trace_files_discard(t);
		return false;
	}
	if (t->json.f)
		fputs("[\n", t->json.f);
	t->first_json = true;
	return true;
}

void trace_files_discard(struct trace_files *t)
{
	file_discard(&t->text);
	file_discard(&t->json);
}

void trace_files_close(struct trace_files *t)
{
	if (t->json.f)
		fputs("\n]\n", t->json.f);
	file_close(&t->text);
	file_close(&t->json);
}

void trace_files_flush(struct trace_files *t)
{
	if (t->text.f)
		fflush(t->text.f);
	if (t->json.f)
		fflush(t->json.f);
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

static void start_json_event(struct trace_files *t)
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

static void print_json(struct trace_files *t, const struct seam_event *e,
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
}

void trace_files_call(struct trace_files *t, const struct seam_event *e,
		      const char *caller)
{
	char line[512];

	if (t->text.f) {
		seam_format_event(line, sizeof(line), e);
		fprintf(t->text.f, "%s%s%s\n", line, caller ? " by " : "",
			caller ? caller : "");
	}
	if (t->json.f)
		print_json(t, e, caller);
}

static void print_json_violation(struct trace_files *t, const struct seam_violation *v,
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
}

void trace_files_violation(struct trace_files *t, const struct seam_violation *v,
			   uint64_t now)
{
	if (t->text.f)
		fprintf(t->text.f, "[%5" PRIu64 ".%09" PRIu64 "] cpu%u violation %s: %s\n",
			now / NS_PER_S, now % NS_PER_S, v->cpu, v->rule, v->text);
	if (t->json.f)
		print_json_violation(t, v, now);
}
