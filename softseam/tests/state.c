// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "guest_vcpu.h"
#include "state.h"
#include "td.h"
#include "virtual_cpuid.h"

#define HASH_START	0xCBF29CE484222325ULL
#define HASH_PRIME	0x100000001B3ULL
/* Looked at in one go for pages that are there. */
#define CHUNK_PAGES	16384

static uint64_t hash_word(uint64_t sum, uint64_t word)
{
	sum = (sum ^ word) * HASH_PRIME;
	return sum ^ sum >> 29;
}

static uint64_t hash(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t word;

	for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sum = hash_word(sum, word);
	}
	for (; len; len--)
		sum = hash_word(sum, *p++);
	return sum;
}

#define HASH(sum, field)	hash(sum, &(field), sizeof(field))

static uint64_t hash_page(uint64_t sum, const uint8_t *page, size_t at)
{
	static const uint8_t zero[SZ_4K];

	if (!memcmp(page, zero, sizeof(zero)))
		return sum;
	return hash(hash_word(sum, at), page, SZ_4K);
}

/* Memory of its own mapping, of which few pages were ever written. */
static uint64_t hash_sparse(uint64_t sum, const void *data, size_t bytes)
{
	static unsigned char resident[CHUNK_PAGES];
	const uint8_t *p = data;

	for (size_t at = 0; p && at < bytes; at += CHUNK_PAGES * SZ_4K) {
		size_t left = bytes - at, len = left < CHUNK_PAGES * SZ_4K ? left : CHUNK_PAGES * SZ_4K;

		assert_int_equal(mincore((void *)(uintptr_t)(p + at), len, resident), 0);
		for (size_t i = 0; i < len / SZ_4K; i++) {
			if (resident[i] & 1)
				sum = hash_page(sum, p + at + i * SZ_4K, at + i * SZ_4K);
		}
		/* The last page of an odd size. */
		if (len % SZ_4K)
			sum = hash(sum, p + at + len / SZ_4K * SZ_4K, len % SZ_4K);
	}
	return sum;
}

static uint64_t hash_module(uint64_t sum, const struct seam *s)
{
	sum = HASH(sum, s->sys_state);
	sum = HASH(sum, s->sys_lock);
	sum = HASH(sum, s->disable_pending);
	sum = HASH(sum, s->platform);
	sum = HASH(sum, s->cmrs);
	sum = HASH(sum, s->lp);
	sum = HASH(sum, s->nr_lps_init);
	sum = HASH(sum, s->nr_tdmrs);
	sum = HASH(sum, s->pamt_bytes);
	sum = hash(sum, s->tdmr, s->nr_tdmrs * sizeof(s->tdmr[0]));
	sum = HASH(sum, s->global_hkid);
	sum = HASH(sum, s->kot);
	sum = HASH(sum, s->ket);
	sum = HASH(sum, s->cache_wb);
	sum = HASH(sum, s->ext);
	sum = HASH(sum, s->connect);
	for (const struct connect *o = s->connect.objects; o; o = o->next)
		sum = HASH(sum, *o);
	return sum;
}

static uint64_t hash_pages(uint64_t sum, const struct seam *s)
{
	sum = HASH(sum, s->pamt.dynamic);
	sum = HASH(sum, s->pamt.pairs);
	for (enum page_size size = 0; size < NR_PAGE_SIZES; size++)
		sum = hash_sparse(sum, s->pamt.entry[size], s->pamt.bytes[size]);
	sum = hash_sparse(sum, s->pamt.used, s->pamt.end / SZ_2M * sizeof(s->pamt.used[0]));
	sum = hash_sparse(sum, s->pamt.bitmap, s->pamt.end / SZ_4K / 8);
	sum = HASH(sum, s->own.pages);
	sum = hash_sparse(sum, s->own.info, s->own.bytes);
	sum = HASH(sum, s->lines.waiting);
	sum = hash_sparse(sum, s->lines.page, s->lines.bytes);
	return hash_sparse(sum, s->plain.mem, s->plain.bytes);
}

static uint64_t hash_table(uint64_t sum, const struct sept_table *table)
{
	for (unsigned int i = 0; i < SEPT_NR_ENTRIES; i++) {
		sum = HASH(sum, table->entry[i].word);
		sum = HASH(sum, table->entry[i].table);
		sum = HASH(sum, table->entry[i].lock);
		if (table->entry[i].table)
			sum = hash_table(sum, table->entry[i].table);
	}
	return sum;
}

static uint64_t hash_vcpu(uint64_t sum, const struct vcpu *vcpu)
{
	struct guest_vcpu guest;

	sum = HASH(sum, *vcpu);
	if (!vcpu->guest)
		return sum;
	memcpy(&guest, vcpu->guest, sizeof(guest));
	guest.gives_way_since = 0;
	return HASH(sum, guest);
}

static uint64_t hash_td(uint64_t sum, const struct td *td)
{
	sum = HASH(sum, *td);
	if (td->cpuid)
		sum = HASH(sum, *td->cpuid);
	if (td->sept.root)
		sum = hash_table(sum, td->sept.root);
	for (const struct vcpu *vcpu = td->vcpus; vcpu; vcpu = vcpu->next)
		sum = hash_vcpu(sum, vcpu);
	return sum;
}

uint64_t host_state(const struct host *h)
{
	uint64_t sum = hash_module(HASH_START, h->seam);

	sum = hash_pages(sum, h->seam);
	for (const struct td *td = h->seam->tds; td; td = td->next)
		sum = hash_td(sum, td);
	return hash_sparse(sum, h->mem, HOST_MEM_SIZE);
}

static void record(const char *event, const char *leaf, uint64_t status, const char *what)
{
	const char *path = getenv("ERROR_RECORD");
	char name[96];
	FILE *f;

	if (!path)
		return;
	f = fopen(path, "a");
	assert_non_null(f);
	seam_format_status(name, sizeof(name), status);
	fprintf(f, "%s\t%s\t%s\t%s\n", event, leaf, name, what);
	assert_int_equal(fclose(f), 0);
}

void host_call_failed(const struct host *h, const char *leaf, uint64_t status, const char *what,
		      uint64_t before)
{
	record("seen", leaf, status, what);
	assert_int_equal(host_state(h), before);
	record("same", leaf, status, what);
}

void host_must_fail(struct host *h, unsigned int cpu, struct seam_regs regs, uint64_t status,
		    const char *what)
{
	const char *leaf = host_leaf_name(&regs);
	uint64_t before = host_state(h);

	host_call_checked(h, cpu, &regs);
	assert_status(regs.rax, status);
	host_call_failed(h, leaf, status, what, before);
}
