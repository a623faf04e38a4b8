/* SPDX-License-Identifier: GPL-2.0 */
/* What TDG.MR.REPORT writes. */
#ifndef TDX_HOST_TDREPORT_H
#define TDX_HOST_TDREPORT_H

#include <stddef.h>
#include <linux/build_bug.h>
#include <linux/types.h>
#include "sha384.h"

#define TDREPORT_TYPE_TD	0x81
#define TDREPORT_DATA_SIZE	64

struct tdreport_mac {
	u8 type, subtype, version, reserved0;
	u8 reserved1[12];
	u8 cpusvn[16];
	u8 tee_tcb_info_hash[SHA384_SIZE];
	u8 tee_info_hash[SHA384_SIZE];
	u8 report_data[TDREPORT_DATA_SIZE];
	u8 reserved2[32];
	u8 mac[32];
};

struct tdreport_td_info {
	u64 attributes;
	u64 xfam;
	u8 mrtd[SHA384_SIZE];
	u8 mrconfigid[SHA384_SIZE];
	u8 mrowner[SHA384_SIZE];
	u8 mrownerconfig[SHA384_SIZE];
	u8 rtmr[4][SHA384_SIZE];
	u8 servtd_hash[SHA384_SIZE];
	u8 reserved[64];
};

struct tdreport {
	struct tdreport_mac mac;
	u8 tee_tcb_info[239];
	u8 reserved[17];
	struct tdreport_td_info td_info;
};

static_assert(sizeof(struct tdreport) == 1024, "TDREPORT is 1024 bytes");
static_assert(offsetof(struct tdreport, td_info) == 512, "TDINFO is at 512");
static_assert(offsetof(struct tdreport_mac, report_data) == 128, "REPORTDATA is at 128");

#endif
