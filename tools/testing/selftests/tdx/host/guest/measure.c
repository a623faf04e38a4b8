// SPDX-License-Identifier: GPL-2.0
/* The TD's report about itself, and its run-time measurement registers. */
#include "guest.h"

#define REPORT_SIZE		1024
#define REPORT_DATA_SIZE	64
#define EXTEND_SIZE		48

/* The TDX module takes private memory only, aligned to its size. */
struct buffer {
	u8 report[REPORT_SIZE] __aligned(REPORT_SIZE);
	u8 data[REPORT_DATA_SIZE] __aligned(REPORT_DATA_SIZE);
};

static struct buffer buffers[TD_MAX_VCPUS];

static void copy(u8 *to, const u8 *from, unsigned int size)
{
	while (size--)
		*to++ = *from++;
}

u64 get_report(u8 *data, u8 *report)
{
	struct buffer *buffer = &buffers[vcpu_index()];
	struct tdcall_regs regs = {
		.rcx = (u64)buffer->report,
		.rdx = (u64)buffer->data,
	};
	u64 status;

	copy(buffer->data, data, sizeof(buffer->data));
	status = tdcall(TDCALL_MR_REPORT, &regs);
	copy(report, buffer->report, sizeof(buffer->report));
	return status;
}

u64 extend_rtmr(u64 index, const u8 *data)
{
	struct buffer *buffer = &buffers[vcpu_index()];
	struct tdcall_regs regs = {
		.rcx = (u64)buffer->data,
		.rdx = index,
	};

	copy(buffer->data, data, EXTEND_SIZE);
	return tdcall(TDCALL_RTMR_EXTEND, &regs);
}
