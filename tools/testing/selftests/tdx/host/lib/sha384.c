// SPDX-License-Identifier: GPL-2.0
/*
 * SHA-384 (FIPS 180-4).
 *
 * Checking a TD's measurement must not depend on a crypto library that the
 * kernel's build machines may lack, nor on AF_ALG in the kernel under test.
 */
#include <string.h>
#include "sha384.h"

/* First 64 bits of the fractional parts of the cube roots of the first 80 primes. */
static const u64 round_constants[80] = {
	0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
	0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
	0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
	0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
	0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
	0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
	0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
	0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
	0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
	0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
	0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
	0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
	0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
	0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
	0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
	0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
	0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
	0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
	0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
	0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

static u64 ror(u64 x, unsigned int n)
{
	return x >> n | x << (64 - n);
}

static u64 load_be(const u8 *p)
{
	u64 x = 0;

	for (int i = 0; i < 8; i++)
		x = x << 8 | p[i];
	return x;
}

static void store_be(u8 *p, u64 x)
{
	for (int i = 7; i >= 0; i--, x >>= 8)
		p[i] = x;
}

static void expand(u64 w[80], const u8 *block)
{
	for (int i = 0; i < 16; i++)
		w[i] = load_be(block + 8 * i);
	for (int i = 16; i < 80; i++) {
		u64 s0 = ror(w[i - 15], 1) ^ ror(w[i - 15], 8) ^ w[i - 15] >> 7;
		u64 s1 = ror(w[i - 2], 19) ^ ror(w[i - 2], 61) ^ w[i - 2] >> 6;

		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
}

static void compress(u64 state[8], const u8 *block)
{
	u64 w[80], v[8];

	expand(w, block);
	memcpy(v, state, sizeof(v));
	for (int i = 0; i < 80; i++) {
		u64 s1 = ror(v[4], 14) ^ ror(v[4], 18) ^ ror(v[4], 41);
		u64 choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
		u64 t1 = v[7] + s1 + choice + round_constants[i] + w[i];
		u64 s0 = ror(v[0], 28) ^ ror(v[0], 34) ^ ror(v[0], 39);
		u64 majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);

		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += t1;
		v[0] = t1 + s0 + majority;
	}
	for (int i = 0; i < 8; i++)
		state[i] += v[i];
}

void sha384_init(struct sha384 *ctx)
{
	/* The same of the square roots of the 9th to 16th prime. */
	static const u64 initial[8] = {
		0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
		0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4,
	};

	memset(ctx, 0, sizeof(*ctx));
	memcpy(ctx->state, initial, sizeof(initial));
}

void sha384_update(struct sha384 *ctx, const void *data, size_t len)
{
	const u8 *p = data;

	while (len) {
		size_t used = ctx->length % SHA384_BLOCK;
		size_t part = SHA384_BLOCK - used;

		if (part > len)
			part = len;
		memcpy(ctx->block + used, p, part);
		ctx->length += part;
		p += part;
		len -= part;
		if (ctx->length % SHA384_BLOCK == 0)
			compress(ctx->state, ctx->block);
	}
}

void sha384_final(struct sha384 *ctx, u8 digest[SHA384_SIZE])
{
	u64 bits = ctx->length * 8;
	u8 length[16] = { 0 };

	store_be(length + 8, bits);
	sha384_update(ctx, "\x80", 1);
	while (ctx->length % SHA384_BLOCK != SHA384_BLOCK - sizeof(length))
		sha384_update(ctx, "", 1);
	sha384_update(ctx, length, sizeof(length));

	for (int i = 0; i < SHA384_SIZE / 8; i++)
		store_be(digest + 8 * i, ctx->state[i]);
}

void sha384(const void *data, size_t len, u8 digest[SHA384_SIZE])
{
	struct sha384 ctx;

	sha384_init(&ctx);
	sha384_update(&ctx, data, len);
	sha384_final(&ctx, digest);
}
