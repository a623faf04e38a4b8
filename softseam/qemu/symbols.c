// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "symbols.h"

struct symbol {
	uint64_t addr;
	const char *name;
};

struct text_range {
	uint64_t start, end;
};

struct symbols {
	GArray *functions;
	GStringChunk *names;
	/* Built-in code, and the code that only runs while the kernel boots. */
	struct text_range text, init_text;
	uint64_t syscall_entry;
	/* How far the kernel moved from where it was linked. */
	_Atomic uint64_t slide;
};

static void take_boundary(struct symbols *s, const char *name, uint64_t addr)
{
	if (!strcmp(name, "_stext"))
		s->text.start = addr;
	else if (!strcmp(name, "_etext"))
		s->text.end = addr;
	else if (!strcmp(name, "_sinittext"))
		s->init_text.start = addr;
	else if (!strcmp(name, "_einittext"))
		s->init_text.end = addr;
	else if (!strcmp(name, "entry_SYSCALL_64"))
		s->syscall_entry = addr;
}

static void take_line(struct symbols *s, const char *line)
{
	struct symbol symbol;
	char type, name[512];
	uint64_t addr;

	if (sscanf(line, "%" SCNx64 " %c %511s", &addr, &type, name) != 3)
		return;
	take_boundary(s, name, addr);
	if (!strchr("tTwW", type))
		return;
	symbol.addr = addr;
	symbol.name = g_string_chunk_insert(s->names, name);
	g_array_append_val(s->functions, symbol);
}

static int compare_symbols(const void *a, const void *b)
{
	uint64_t x = ((const struct symbol *)a)->addr;
	uint64_t y = ((const struct symbol *)b)->addr;

	return x < y ? -1 : x > y;
}

struct symbols *symbols_load(const char *path, char *err, size_t errlen)
{
	FILE *f = fopen(path, "re");
	struct symbols *s;
	char line[1024];

	if (!f) {
		snprintf(err, errlen, "cannot read symbols=%s: %s", path,
			 strerror(errno));
		return NULL;
	}

	s = g_new0(struct symbols, 1);
	s->functions = g_array_new(FALSE, FALSE, sizeof(struct symbol));
	s->names = g_string_chunk_new(1 << 16);
	while (fgets(line, sizeof(line), f))
		take_line(s, line);
	fclose(f);

	if (!s->functions->len || !s->text.end) {
		snprintf(err, errlen,
			 "symbols=%s is not a kernel's System.map: it has no functions or no _etext",
			 path);
		symbols_free(s);
		return NULL;
	}
	g_array_sort(s->functions, compare_symbols);
	return s;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	g_array_free(s->functions, TRUE);
	g_string_chunk_free(s->names);
	g_free(s);
}

void symbols_set_syscall_entry(struct symbols *s, uint64_t entry)
{
	if (s->syscall_entry)
		atomic_store(&s->slide, entry - s->syscall_entry);
}

static bool in_range(const struct text_range *range, uint64_t pc)
{
	return pc >= range->start && pc < range->end;
}

const char *symbols_lookup(const struct symbols *s, uint64_t pc)
{
	const struct symbol *all = (const struct symbol *)s->functions->data;
	unsigned int low = 0, high = s->functions->len;

	pc -= atomic_load(&s->slide);
	if (pc < all[0].addr ||
	    !(in_range(&s->text, pc) || in_range(&s->init_text, pc)))
		return NULL;
	while (high - low > 1) {
		unsigned int middle = low + (high - low) / 2;

		if (all[middle].addr <= pc)
			low = middle;
		else
			high = middle;
	}
	return all[low].name;
}
