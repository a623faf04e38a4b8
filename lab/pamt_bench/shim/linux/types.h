/* SPDX-License-Identifier: GPL-2.0-only */
/* What pamt_region.h takes from the kernel's header of this name */
#ifndef SHIM_TYPES_H
#define SHIM_TYPES_H

/* Headers of the C library want the one that this one hides. */
#include_next <linux/types.h>
#include <stdbool.h>
#include <stdint.h>
/* __always_inline */
#include <sys/cdefs.h>

typedef uint64_t u64;

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

#endif
