/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of kernel functions, from a System.map. */
#ifndef SOFTSEAM_SYMBOLS_H
#define SOFTSEAM_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

struct symbols;

/* Returns NULL with one line in @err. */
struct symbols *symbols_load(const char *path, char *err, size_t errlen);
void symbols_free(struct symbols *s);

/*
 * The kernel may have moved itself: @entry is where its system call entry is.
 * May be called from any thread at any time.
 */
void symbols_set_syscall_entry(struct symbols *s, uint64_t entry);

/* Name of the function that holds @pc, or NULL. */
const char *symbols_lookup(const struct symbols *s, uint64_t pc);

#endif
