// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include "command.h"
#include "kvm_tdx.h"

enum td_stop td_send(struct td_vcpu *vcpu, enum td_command command, const u64 *args)
{
	memcpy(vcpu->mailbox->arg, args, sizeof(vcpu->mailbox->arg));
	vcpu->mailbox->command = command;
	return td_vcpu_run(vcpu);
}

int td_must(struct td_vcpu *vcpu, enum td_command command, const u64 *args)
{
	enum td_stop stop = td_send(vcpu, command, args);

	if (stop == TD_STOP_DOORBELL)
		return 0;
	if (stop == TD_STOP_ERROR)
		return vcpu->error;
	if (stop == TD_STOP_FATAL)
		return error(-EIO, "vCPU %u, command %d: the guest gave up: %s", vcpu->id, command,
			     vcpu->fatal_text);
	if (stop == TD_STOP_MEMORY_FAULT)
		return error(-EFAULT, "vCPU %u, command %d: memory fault at 0x%lx, flags 0x%lx",
			     vcpu->id, command, vcpu->fault.gpa, vcpu->fault.flags);
	return error(-EIO, "vCPU %u, command %d: %s", vcpu->id, command, td_stop_name(stop));
}

static void put_data(struct td_vcpu *vcpu, const void *data, size_t len)
{
	if (len > TD_MAILBOX_DATA)
		len = TD_MAILBOX_DATA;
	memset(vcpu->mailbox->data, 0, TD_MAILBOX_DATA);
	memcpy(vcpu->mailbox->data, data, len);
}

int td_print(struct td_vcpu *vcpu, const char *text)
{
	put_data(vcpu, text, strlen(text));
	return td_do(vcpu, TD_CMD_PRINT);
}

int td_accept(struct td_vcpu *vcpu, u64 gpa, u64 size)
{
	u64 *result = vcpu->mailbox->result;
	int ret = td_do(vcpu, TD_CMD_ACCEPT, gpa, size, 0);

	if (ret)
		return ret;
	if (result[1] || result[0] != size / TD_PAGE_SIZE)
		return error(-EIO, "vCPU %u: accepted %lu of %lu pages at 0x%lx, status 0x%lx",
			     vcpu->id, result[0], size / TD_PAGE_SIZE, gpa, result[1]);
	return 0;
}

int td_fill(struct td_vcpu *vcpu, u64 gpa, u64 size, u64 stride, u64 seed, bool shared)
{
	return td_do(vcpu, TD_CMD_FILL, gpa, size, stride, seed, shared);
}

int td_check(struct td_vcpu *vcpu, u64 gpa, u64 size, u64 stride, u64 seed, bool shared)
{
	u64 *result = vcpu->mailbox->result;
	int ret = td_do(vcpu, TD_CMD_CHECK, gpa, size, stride, seed, shared);

	if (ret)
		return ret;
	if (result[0])
		return error(-EILSEQ, "vCPU %u: %lu words wrong, the first at 0x%lx%s", vcpu->id,
			     result[0], result[1], shared ? " (shared)" : "");
	return 0;
}

int td_map_gpa(struct td_vcpu *vcpu, u64 gpa, u64 size, enum td_map how)
{
	u64 *result = vcpu->mailbox->result;
	int ret = td_do(vcpu, TD_CMD_MAP_GPA, gpa, size, how == TD_SHARE);

	if (ret)
		return ret;
	if (result[0])
		return error(-EIO, "vCPU %u: MapGPA at 0x%lx: status 0x%lx", vcpu->id, result[1],
			     result[0]);
	return 0;
}

int td_host_fill(struct td *td, u64 gpa, u64 size, u64 stride, u64 seed)
{
	u8 *shared = td_shared(td, gpa);

	if (!shared)
		return error(-EINVAL, "no memory at 0x%lx", gpa);
	for (u64 i = 0; i < size; i += stride)
		*(u64 *)(shared + i) = td_pattern(gpa + i, seed);
	return 0;
}

int td_host_check(struct td *td, u64 gpa, u64 size, u64 stride, u64 seed)
{
	u8 *shared = td_shared(td, gpa);

	if (!shared)
		return error(-EINVAL, "no memory at 0x%lx", gpa);
	for (u64 i = 0; i < size; i += stride)
		if (*(u64 *)(shared + i) != td_pattern(gpa + i, seed))
			return error(-EILSEQ, "the host reads a wrong word at 0x%lx", gpa + i);
	return 0;
}

int td_report(struct td_vcpu *vcpu, const u8 data[TDREPORT_DATA_SIZE], struct tdreport *report)
{
	int ret;

	put_data(vcpu, data, TDREPORT_DATA_SIZE);
	ret = td_do(vcpu, TD_CMD_REPORT);
	if (ret)
		return ret;
	if (vcpu->mailbox->result[0])
		return error(-EIO, "TDG.MR.REPORT: status 0x%lx", vcpu->mailbox->result[0]);
	memcpy(report, vcpu->mailbox->data, sizeof(*report));
	return 0;
}

int td_rtmr_extend(struct td_vcpu *vcpu, unsigned int index, const u8 data[SHA384_SIZE])
{
	int ret;

	put_data(vcpu, data, SHA384_SIZE);
	ret = td_do(vcpu, TD_CMD_RTMR_EXTEND, index);
	if (ret)
		return ret;
	if (vcpu->mailbox->result[0])
		return error(-EIO, "TDG.MR.RTMR.EXTEND of %u: status 0x%lx", index,
			     vcpu->mailbox->result[0]);
	return 0;
}

int td_end(struct td_vcpu *vcpu, u64 code, const char *text)
{
	enum td_stop stop;

	put_data(vcpu, text, strlen(text));
	stop = td_call(vcpu, TD_CMD_FATAL, code);
	if (stop != TD_STOP_FATAL)
		return error(-EIO, "vCPU %u: %s instead of the guest's end", vcpu->id,
			     td_stop_name(stop));
	if (vcpu->fatal_code != code || strncmp(vcpu->fatal_text, text, 64))
		return error(-EIO, "vCPU %u: ended with 0x%lx '%s' instead of 0x%lx '%s'",
			     vcpu->id, vcpu->fatal_code, vcpu->fatal_text, code, text);
	return 0;
}
