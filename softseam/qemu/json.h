/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SOFTSEAM_JSON_H
#define SOFTSEAM_JSON_H

#include <stdio.h>

/* Print @s as a JSON string, quotes included. */
void json_string(FILE *f, const char *s);

#endif
