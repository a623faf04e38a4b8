/* SPDX-License-Identifier: GPL-2.0 */
/* The measurements of a TD, computed from what the host gave to it. */
#ifndef TDX_HOST_MRTD_H
#define TDX_HOST_MRTD_H

#include "sha384.h"

struct mrtd {
	struct sha384 ctx;
};

void mrtd_init(struct mrtd *m);
/* The page at @gpa was added; its content is not part of this. */
void mrtd_add_page(struct mrtd *m, u64 gpa);
/* The content of the page at @gpa was measured. */
void mrtd_extend_page(struct mrtd *m, u64 gpa, const void *page);
void mrtd_final(struct mrtd *m, u8 digest[SHA384_SIZE]);

/* What an RTMR that held @rtmr holds after it was extended with @data. */
void rtmr_extend(u8 rtmr[SHA384_SIZE], const u8 data[SHA384_SIZE]);

#endif
