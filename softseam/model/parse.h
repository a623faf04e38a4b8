/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pieces of arguments.  Each function reads at *@p, moves it behind what it
 * read, and returns false, with *@p unmoved, if there is no such thing.
 */
#ifndef SOFTSEAM_PARSE_H
#define SOFTSEAM_PARSE_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal, or hexadecimal behind 0x, within 64 bits. */
bool parse_number(const char **p, uint64_t *value);

/* A number with an optional suffix K, M, G or T, within 64 bits. */
bool parse_size(const char **p, uint64_t *value);

/* The character @c. */
bool parse_char(const char **p, char c);

#endif
