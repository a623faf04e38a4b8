/* SPDX-License-Identifier: GPL-2.0-only */
/* A command as a list of words, and as text that a shell takes for them. */
#ifndef SOFTSEAM_WORDS_H
#define SOFTSEAM_WORDS_H

#include <stdio.h>

struct words {
	/* As execvp() wants it: NULL comes last. */
	char **word;
	unsigned int nr;
};

/* printf() into memory of its own. */
char *words_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Both copy what they are given. */
void words_add(struct words *w, const char *word);
void words_addf(struct words *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One option a line. */
void words_print(const struct words *w, FILE *to);

void words_free(struct words *w);

#endif
