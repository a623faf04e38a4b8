// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "words.h"

/* What no shell takes for anything else, wherever in a word it is. */
#define PLAIN	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+:,./-"

static char *format(const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		fail("out of memory");
	return text;
}

char *words_format(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = format(fmt, args);
	va_end(args);
	return text;
}

static void take(struct words *w, char *word)
{
	char **more = reallocarray(w->word, w->nr + 2, sizeof(*more));

	if (!more)
		fail("out of memory");
	w->word = more;
	w->word[w->nr++] = word;
	w->word[w->nr] = NULL;
}

void words_add(struct words *w, const char *word)
{
	take(w, words_format("%s", word));
}

void words_addf(struct words *w, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	take(w, format(fmt, args));
	va_end(args);
}

/* Between single quotes all is plain but the quote itself. */
static void print_quoted(const char *word, FILE *to)
{
	fputc('\'', to);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", to);
		else
			fputc(*word, to);
	}
	fputc('\'', to);
}

static void print_word(const char *word, const char *plain, FILE *to)
{
	if (*word && !word[strspn(word, plain)])
		fputs(word, to);
	else
		print_quoted(word, to);
}

void words_print(const struct words *w, FILE *to)
{
	unsigned int i;

	/* With "=" in it, the first word would be an assignment. */
	print_word(w->word[0], PLAIN, to);
	for (i = 1; i < w->nr; i++) {
		fputs(w->word[i][0] == '-' ? " \\\n    " : " ", to);
		print_word(w->word[i], PLAIN "=", to);
	}
	fputc('\n', to);
}

void words_free(struct words *w)
{
	unsigned int i;

	for (i = 0; i < w->nr; i++)
		free(w->word[i]);
	free(w->word);
	memset(w, 0, sizeof(*w));
}
