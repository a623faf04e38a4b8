/* SPDX-License-Identifier: GPL-2.0-only */
/* Is a text JSON, the whole of it, as RFC 8259 has it? */
#ifndef SOFTSEAM_CHECK_JSON_H
#define SOFTSEAM_CHECK_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* On failure *@where is how far it was. */
bool json_is_valid(const char *text, size_t *where);

#endif
