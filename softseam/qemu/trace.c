// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs fill one queue while the writer works on the other; then the two change
 * places.  A CPU that finds its queue full waits for that.
 */
#include <glib.h>

#include "trace.h"
#include "trace_files.h"

#define QUEUE_LENGTH	4096
/* How long the writer collects before it writes, unless the queue fills up. */
#define COLLECT_US	20000

/* A call; or a violation, if that has a rule. */
struct entry {
	struct seam_event call;
	struct seam_regs in, out;
	const char *caller;
	struct seam_violation violation;
	char *violation_text;
	uint64_t now;
};

struct queue {
	struct entry entry[QUEUE_LENGTH];
	unsigned int nr;
};

struct trace {
	/* Protects all but the files and the queue that is not being filled: the writer's. */
	GMutex lock;
	/* For the writer: there is something to do.  For the others: it is done. */
	GCond todo, done;
	struct queue queue[2], *filling;
	/* Entries so far. */
	uint64_t queued, written;
	/* How many wait for the writer, who does not collect meanwhile. */
	unsigned int waiting;
	bool ending;
	GThread *writer;
	struct trace_files files;
};

struct trace *trace_open(const char *text, const char *json, char *err,
			 size_t errlen)
{
	struct trace *t = g_new0(struct trace, 1);

	if (!trace_files_open(&t->files, text, json, err, errlen)) {
		g_free(t);
		return NULL;
	}
	g_mutex_init(&t->lock);
	g_cond_init(&t->todo);
	g_cond_init(&t->done);
	t->filling = &t->queue[0];
	return t;
}

static void write_entry(struct trace_files *files, struct entry *entry)
{
	if (!entry->violation.rule) {
		trace_files_call(files, &entry->call, entry->caller);
		return;
	}
	trace_files_violation(files, &entry->violation, entry->now);
	g_free(entry->violation_text);
}

static void write_queue(struct trace *t, struct queue *q)
{
	for (unsigned int i = 0; i < q->nr; i++)
		write_entry(&t->files, &q->entry[i]);
	trace_files_flush(&t->files);
}

static bool is_urgent(const struct trace *t)
{
	return t->filling->nr >= QUEUE_LENGTH / 2 || t->waiting || t->ending;
}

/* Returns with something to write, or at the end with nothing. */
static void collect(struct trace *t)
{
	gint64 until;

	while (!t->filling->nr && !t->ending)
		g_cond_wait(&t->todo, &t->lock);
	until = g_get_monotonic_time() + COLLECT_US;
	while (!is_urgent(t))
		if (!g_cond_wait_until(&t->todo, &t->lock, until))
			break;
}

static void *write_all(void *opaque)
{
	struct trace *t = opaque;
	struct queue *q;

	g_mutex_lock(&t->lock);
	for (;;) {
		collect(t);
		q = t->filling;
		if (!q->nr)
			break;
		t->filling = &t->queue[q == &t->queue[0]];
		g_mutex_unlock(&t->lock);
		write_queue(t, q);
		g_mutex_lock(&t->lock);
		t->written += q->nr;
		q->nr = 0;
		g_cond_broadcast(&t->done);
	}
	g_mutex_unlock(&t->lock);
	return NULL;
}

/* Wait until the writer has made progress.  The caller holds the lock. */
static void wait_for_writer(struct trace *t)
{
	t->waiting++;
	g_cond_signal(&t->todo);
	g_cond_wait(&t->done, &t->lock);
	t->waiting--;
}

/* Everything queued so far is in the files afterwards.  The caller holds the lock. */
static void drain(struct trace *t)
{
	uint64_t queued = t->queued;

	while (t->written < queued)
		wait_for_writer(t);
}

/* An entry to fill before the caller gives back the lock; NULL if the files end. */
static struct entry *new_entry(struct trace *t)
{
	while (t->filling->nr == QUEUE_LENGTH && !t->ending)
		wait_for_writer(t);
	if (t->ending)
		return NULL;
	/* QEMU may have forked since trace_open(). */
	if (!t->writer)
		t->writer = g_thread_new("softseam-trace", write_all, t);
	t->queued++;
	t->filling->nr++;
	if (t->filling->nr == 1 || t->filling->nr == QUEUE_LENGTH / 2)
		g_cond_signal(&t->todo);
	return &t->filling->entry[t->filling->nr - 1];
}

static void fill_call(struct entry *entry, const struct seam_event *e, const char *caller)
{
	entry->in = *e->in;
	entry->out = *e->out;
	entry->call = *e;
	entry->call.in = &entry->in;
	entry->call.out = &entry->out;
	entry->caller = caller;
	entry->violation.rule = NULL;
}

void trace_seamcall(struct trace *t, const struct seam_event *e,
		    const char *caller)
{
	struct entry *entry;

	g_mutex_lock(&t->lock);
	entry = new_entry(t);
	if (entry)
		fill_call(entry, e, caller);
	g_mutex_unlock(&t->lock);
}

static void fill_violation(struct entry *entry, const struct seam_violation *v, uint64_t now)
{
	entry->violation = *v;
	entry->violation_text = g_strdup(v->text);
	entry->violation.text = entry->violation_text;
	entry->now = now;
}

void trace_violation(struct trace *t, const struct seam_violation *v, uint64_t now)
{
	struct entry *entry;

	g_mutex_lock(&t->lock);
	entry = new_entry(t);
	if (entry) {
		fill_violation(entry, v, now);
		drain(t);
	}
	g_mutex_unlock(&t->lock);
}

void trace_flush(struct trace *t)
{
	g_mutex_lock(&t->lock);
	drain(t);
	g_mutex_unlock(&t->lock);
}

/* Nothing is queued any more, and the writer is gone. */
static void stop(struct trace *t)
{
	GThread *writer;

	g_mutex_lock(&t->lock);
	t->ending = true;
	g_cond_signal(&t->todo);
	writer = t->writer;
	t->writer = NULL;
	g_mutex_unlock(&t->lock);
	if (writer)
		g_thread_join(writer);
}

void trace_close(struct trace *t)
{
	stop(t);
	trace_files_close(&t->files);
}

void trace_discard(struct trace *t)
{
	if (!t)
		return;
	stop(t);
	trace_files_discard(&t->files);
	g_mutex_clear(&t->lock);
	g_cond_clear(&t->todo);
	g_cond_clear(&t->done);
	g_free(t);
}
