// SPDX-License-Identifier: GPL-2.0-only
/* Pages of the module as the host sees them. */
#include "pattern.h"
#include "range.h"

#define WORDS_PER_PAGE	(SZ_4K / sizeof(uint64_t))

/* From word to word; odd, so no two words of a page are equal. */
#define PATTERN_STEP	0x9E3779B97F4A7C15ULL

static uint64_t first_word(uint64_t pa, uint64_t key)
{
	uint64_t x = pa ^ key;

	x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ULL;
	x = (x ^ x >> 27) * 0x94D049BB133111EBULL;
	return x ^ x >> 31;
}

void pattern_write(void *page, uint64_t pa, uint64_t key)
{
	uint64_t x = first_word(pa, key);
	uint64_t *word = page;

	for (size_t i = 0; i < WORDS_PER_PAGE; i++)
		word[i] = x + i * PATTERN_STEP;
}

uint64_t pattern_find_damage(const void *page, uint64_t pa, uint64_t key, size_t offset,
			     size_t len)
{
	size_t from = offset / sizeof(uint64_t), to = (offset + len) / sizeof(uint64_t);
	uint64_t x = first_word(pa, key);
	const uint64_t *word = page;
	uint64_t differ = 0;

	for (size_t i = from; i < to; i++)
		differ |= word[i] ^ (x + i * PATTERN_STEP);
	if (!differ)
		return PATTERN_INTACT;

	while (word[from] == x + from * PATTERN_STEP)
		from++;
	return from * sizeof(uint64_t);
}
