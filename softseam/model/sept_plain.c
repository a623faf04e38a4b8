// SPDX-License-Identifier: GPL-2.0-only
/* The contents of private pages. */
#include <stdlib.h>

#include "range.h"
#include "sept.h"
#include "sparse.h"

/* Under @mutex. */
static struct sept_chunk *find_chunk(struct sept *t, uint64_t gpa)
{
	struct sept_chunk *c;

	for (c = t->chunks; c && c->gpa != gpa; c = c->next)
		;
	return c;
}

static struct sept_chunk *add_chunk(struct sept *t, uint64_t gpa)
{
	struct sept_chunk *c = calloc(1, sizeof(*c));
	void *mem = c ? sparse_new(SZ_1G) : NULL;

	if (!mem) {
		free(c);
		return NULL;
	}
	c->next = t->chunks;
	c->gpa = gpa;
	c->mem = mem;
	t->chunks = c;
	return c;
}

void *sept_plain(struct sept *t, uint64_t gpa)
{
	uint64_t offset = gpa % SZ_1G;
	struct sept_chunk *c;

	pthread_mutex_lock(&t->mutex);
	c = find_chunk(t, gpa - offset);
	if (!c)
		c = add_chunk(t, gpa - offset);
	pthread_mutex_unlock(&t->mutex);
	return c ? (char *)c->mem + offset : NULL;
}

void sept_plain_drop(struct sept *t, uint64_t gpa, unsigned int level)
{
	void *plain = sept_plain(t, gpa);

	if (plain)
		sparse_drop(plain, sept_level_bytes(level));
}

void sept_plain_free(struct sept *t)
{
	while (t->chunks) {
		struct sept_chunk *c = t->chunks;

		t->chunks = c->next;
		sparse_free(c->mem, SZ_1G);
		free(c);
	}
}
