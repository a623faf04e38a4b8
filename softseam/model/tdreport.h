/* SPDX-License-Identifier: GPL-2.0-only */
/* TDREPORT: what TDG.MR.REPORT writes, 1024 bytes. */
#ifndef SOFTSEAM_TDREPORT_H
#define SOFTSEAM_TDREPORT_H

#include <stddef.h>
#include <stdint.h>

#include "td.h"

#define REPORT_DATA_BYTES	64
#define REPORT_TYPE_TDX		0x81

/* Signed, as far as a MAC signs, with a key of the platform. */
struct report_mac {
	uint8_t type, subtype, version, reserved1[13];
	uint8_t cpu_svn[16];
	uint8_t tcb_info_hash[SHA384_BYTES];
	uint8_t td_info_hash[SHA384_BYTES];
	uint8_t data[REPORT_DATA_BYTES];
	uint8_t reserved2[32];
	uint8_t mac[32];
};

/* The module. */
struct report_tcb_info {
	uint64_t valid;
	uint8_t svn[16];
	uint8_t mr_seam[SHA384_BYTES], mr_signer_seam[SHA384_BYTES];
	uint64_t attributes;
	uint8_t reserved[111];
};

/* The TD. */
struct report_td_info {
	uint64_t attributes, xfam;
	uint8_t mrtd[SHA384_BYTES];
	uint8_t mrconfigid[SHA384_BYTES], mrowner[SHA384_BYTES], mrownerconfig[SHA384_BYTES];
	uint8_t rtmr[TD_NR_RTMRS][SHA384_BYTES];
	uint8_t servtd_hash[SHA384_BYTES];
	uint8_t reserved[64];
};

#define REPORT_TCB_INFO_BYTES	239

struct report {
	struct report_mac mac;
	union {
		struct report_tcb_info tcb;
		uint8_t tcb_bytes[256];
	};
	struct report_td_info td;
	uint8_t reserved[512 - sizeof(struct report_td_info)];
};

_Static_assert(offsetof(struct report_mac, mac) == 224, "REPORTMACSTRUCT");
_Static_assert(sizeof(struct report_mac) == 256, "REPORTMACSTRUCT");
_Static_assert(offsetof(struct report, td) == 512, "TDREPORT");
_Static_assert(sizeof(struct report) == 1024, "TDREPORT");

/* The caller keeps RTMRs as they are. */
void report_fill(const struct td *td, const uint8_t data[REPORT_DATA_BYTES],
		 struct report *report);

#endif
