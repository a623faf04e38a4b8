/* SPDX-License-Identifier: GPL-2.0 */
/* SHA-384 (FIPS 180-4), which TDX uses for all its measurements. */
#ifndef TDX_HOST_SHA384_H
#define TDX_HOST_SHA384_H

#include <stddef.h>
#include <linux/types.h>

#define SHA384_SIZE		48
#define SHA384_BLOCK		128

struct sha384 {
	u64 state[8];
	u64 length;
	u8 block[SHA384_BLOCK];
};

void sha384_init(struct sha384 *ctx);
void sha384_update(struct sha384 *ctx, const void *data, size_t len);
void sha384_final(struct sha384 *ctx, u8 digest[SHA384_SIZE]);

/* All in one. */
void sha384(const void *data, size_t len, u8 digest[SHA384_SIZE]);

#endif
