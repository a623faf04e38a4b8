// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>

#include "exit_name.h"
#include "vmx.h"

struct name {
	uint64_t number;
	const char *name;
};

static const struct name reasons[] = {
	{ VMX_TRIPLE_FAULT, "TRIPLE_FAULT" },
	{ VMX_INIT, "INIT" },
	{ VMX_OTHER_SMI, "OTHER_SMI" },
	{ VMX_EPT_VIOLATION, "EPT_VIOLATION" },
	{ VMX_EPT_MISCONFIG, "EPT_MISCONFIG" },
	{ VMX_TDCALL, "TDCALL" },
	{ VMX_ENTRY_FAILED | VMX_INVALID_STATE, "ENTRY_FAILED" },
};

static const struct name vmcalls[] = {
	{ VMX_CPUID, "CPUID" },
	{ VMX_HLT, "HLT" },
	{ VMX_IO, "IO" },
	{ VMX_MSR_READ, "RDMSR" },
	{ VMX_MSR_WRITE, "WRMSR" },
	{ VMX_EPT_VIOLATION, "MMIO" },
	{ 0x10000, "GetTdVmCallInfo" },
	{ 0x10001, "MapGPA" },
	{ 0x10002, "GetQuote" },
	{ 0x10003, "ReportFatalError" },
	{ 0x10004, "SetupEventNotifyInterrupt" },
};

static const char *look_up(const struct name *names, size_t nr, uint64_t number)
{
	for (size_t i = 0; i < nr; i++) {
		if (names[i].number == number)
			return names[i].name;
	}
	return NULL;
}

const char *exit_reason_name(uint64_t reason)
{
	return look_up(reasons, sizeof(reasons) / sizeof(reasons[0]), reason);
}

const char *vmcall_name(uint64_t function)
{
	return look_up(vmcalls, sizeof(vmcalls) / sizeof(vmcalls[0]), function);
}
