// SPDX-License-Identifier: GPL-2.0
/*
 * MRTD is the SHA-384 of a log of the TD's construction.  Each record is one
 * block: the name of the operation, 16 bytes, then the GPA, then zeroes; the
 * record of an extension is followed by the 256 bytes that it covers.
 */
#include <string.h>
#include "mrtd.h"

#define PAGE_SIZE		4096
#define EXTEND_CHUNK		256

static void add_record(struct mrtd *m, const char *operation, u64 gpa)
{
	struct {
		char operation[16];
		u64 gpa;
		u8 zero[104];
	} record = { .gpa = gpa };

	memcpy(record.operation, operation, strlen(operation));
	sha384_update(&m->ctx, &record, sizeof(record));
}

void mrtd_init(struct mrtd *m)
{
	sha384_init(&m->ctx);
}

void mrtd_add_page(struct mrtd *m, u64 gpa)
{
	add_record(m, "MEM.PAGE.ADD", gpa);
}

void mrtd_extend_page(struct mrtd *m, u64 gpa, const void *page)
{
	for (int i = 0; i < PAGE_SIZE; i += EXTEND_CHUNK) {
		add_record(m, "MR.EXTEND", gpa + i);
		sha384_update(&m->ctx, (const u8 *)page + i, EXTEND_CHUNK);
	}
}

void mrtd_final(struct mrtd *m, u8 digest[SHA384_SIZE])
{
	sha384_final(&m->ctx, digest);
}

void rtmr_extend(u8 rtmr[SHA384_SIZE], const u8 data[SHA384_SIZE])
{
	u8 both[2 * SHA384_SIZE];

	memcpy(both, rtmr, SHA384_SIZE);
	memcpy(both + SHA384_SIZE, data, SHA384_SIZE);
	sha384(both, sizeof(both), rtmr);
}
