// SPDX-License-Identifier: GPL-2.0-only
/* Names of completion statuses and operands, both ways. */
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>
#include <string.h>

#include "seam.h"
#include "status.h"

/* What RAX[31:0] holds. */
enum detail {
	DETAIL_NUMBER,
	DETAIL_OPERAND,
	DETAIL_MSR,
	/* TDMR index, then reserved area index. */
	DETAIL_TDMR,
	/* TDMR index, then PAMT level, then the other TDMR's index. */
	DETAIL_PAMT,
};

struct status_name {
	uint64_t status;
	const char *name;
	enum detail detail;
};

#define S(status, detail) { status, #status, DETAIL_ ## detail }

static const struct status_name statuses[] = {
	S(TDX_SUCCESS, NUMBER),
	S(TDX_NON_RECOVERABLE_VCPU, NUMBER),
	S(TDX_NON_RECOVERABLE_TD, NUMBER),
	S(TDX_INTERRUPTED_RESUMABLE, NUMBER),
	S(TDX_INTERRUPTED_RESTARTABLE, NUMBER),
	S(TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE, NUMBER),
	S(TDX_INVALID_RESUMPTION, NUMBER),
	S(TDX_NON_RECOVERABLE_TD_WRONG_APIC_MODE, NUMBER),
	S(TDX_OPERAND_INVALID, OPERAND),
	S(TDX_OPERAND_ADDR_RANGE_ERROR, OPERAND),
	S(TDX_OPERAND_BUSY, OPERAND),
	S(TDX_PREVIOUS_TLB_EPOCH_BUSY, NUMBER),
	S(TDX_SYS_BUSY, NUMBER),
	S(TDX_RND_NO_ENTROPY, NUMBER),
	S(TDX_OPERAND_BUSY_HOST_PRIORITY, OPERAND),
	S(TDX_HOST_PRIORITY_BUSY_TIMEOUT, NUMBER),
	S(TDX_PAGE_METADATA_INCORRECT, OPERAND),
	S(TDX_PAGE_NOT_FREE, OPERAND),
	S(TDX_HPA_RANGE_NOT_FREE, OPERAND),
	S(TDX_NO_PAMT_PAGE_PAIR, OPERAND),
	S(TDX_PAMT_PAGE_NOT_EMPTY, OPERAND),
	S(TDX_INTERRUPTED_PAMT, NUMBER),
	S(TDX_MISSING_PAMT_PAGE_PAIR, OPERAND),
	S(TDX_TD_ASSOCIATED_PAGES_EXIST, NUMBER),
	S(TDX_SYS_INIT_NOT_PENDING, NUMBER),
	S(TDX_SYS_LP_INIT_NOT_DONE, NUMBER),
	S(TDX_SYS_LP_INIT_DONE, NUMBER),
	S(TDX_SYS_NOT_READY, NUMBER),
	S(TDX_SYS_SHUTDOWN, NUMBER),
	S(TDX_SYS_KEY_CONFIG_NOT_PENDING, NUMBER),
	S(TDX_SYS_LP_INIT_NOT_PENDING, NUMBER),
	S(TDX_SYS_CONFIG_NOT_PENDING, NUMBER),
	S(TDX_TD_FATAL, NUMBER),
	S(TDX_TDCS_NOT_ALLOCATED, NUMBER),
	S(TDX_LIFECYCLE_STATE_INCORRECT, NUMBER),
	S(TDX_OP_STATE_INCORRECT, NUMBER),
	S(TDX_TD_NO_VCPUS, NUMBER),
	S(TDX_TDCX_NUM_INCORRECT, NUMBER),
	S(TDX_X2APIC_ID_NOT_UNIQUE, NUMBER),
	S(TDX_VCPU_STATE_INCORRECT, NUMBER),
	S(TDX_VCPU_ASSOCIATED, NUMBER),
	S(TDX_VCPU_NOT_ASSOCIATED, NUMBER),
	S(TDX_MAX_VCPUS_EXCEEDED, NUMBER),
	S(TDX_NO_VALID_VE_INFO, NUMBER),
	S(TDX_TSC_ROLLBACK, NUMBER),
	S(TDX_TD_VMCS_FIELD_NOT_INITIALIZED, NUMBER),
	S(TDX_KEY_GENERATION_FAILED, NUMBER),
	S(TDX_TD_KEYS_NOT_CONFIGURED, NUMBER),
	S(TDX_KEY_STATE_INCORRECT, NUMBER),
	S(TDX_KEY_CONFIGURED, NUMBER),
	S(TDX_WBCACHE_NOT_COMPLETE, NUMBER),
	S(TDX_HKID_NOT_FREE, NUMBER),
	S(TDX_NO_HKID_READY_TO_WBCACHE, NUMBER),
	S(TDX_WBCACHE_RESUME_ERROR, NUMBER),
	S(TDX_FLUSHVP_NOT_DONE, NUMBER),
	S(TDX_NUM_ACTIVATED_HKIDS_NOT_SUPPORTED, NUMBER),
	S(TDX_INCORRECT_CPUID_VALUE, NUMBER),
	S(TDX_INCONSISTENT_MSR, MSR),
	S(TDX_INCORRECT_MSR_VALUE, MSR),
	S(TDX_INVALID_TDMR, TDMR),
	S(TDX_NON_ORDERED_TDMR, TDMR),
	S(TDX_TDMR_OUTSIDE_CMRS, TDMR),
	S(TDX_TDMR_ALREADY_INITIALIZED, NUMBER),
	S(TDX_INVALID_PAMT, PAMT),
	S(TDX_PAMT_OUTSIDE_CMRS, PAMT),
	S(TDX_PAMT_OVERLAP, PAMT),
	S(TDX_INVALID_RESERVED_IN_TDMR, TDMR),
	S(TDX_NON_ORDERED_RESERVED_IN_TDMR, TDMR),
	S(TDX_CMR_LIST_INVALID, NUMBER),
	S(TDX_EPT_WALK_FAILED, OPERAND),
	S(TDX_EPT_ENTRY_NOT_PRESENT, OPERAND),
	S(TDX_GPA_RANGE_NOT_BLOCKED, OPERAND),
	S(TDX_GPA_RANGE_ALREADY_BLOCKED, OPERAND),
	S(TDX_TLB_TRACKING_NOT_DONE, OPERAND),
	S(TDX_PAGE_ALREADY_ACCEPTED, NUMBER),
	S(TDX_PAGE_SIZE_MISMATCH, NUMBER),
	S(TDX_EPT_ENTRY_STATE_INCORRECT, OPERAND),
	S(TDX_EPT_PAGE_NOT_FREE, OPERAND),
	S(TDX_METADATA_FIELD_ID_INCORRECT, NUMBER),
	S(TDX_METADATA_FIELD_NOT_WRITABLE, NUMBER),
	S(TDX_METADATA_FIELD_NOT_READABLE, NUMBER),
	S(TDX_METADATA_FIELD_VALUE_NOT_VALID, NUMBER),
	S(TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT, NUMBER),
	S(TDX_EXT_MEMORY_POOL_FULL, NUMBER),
	S(TDX_SPDM_SESSION_KEY_REQUIRE_REFRESH, NUMBER),
	S(TDX_SPDM_REQUEST, NUMBER),
};

#undef S

struct operand_name {
	uint32_t operand;
	const char *name;
};

#define O(name) { OPERAND_ ## name, #name }

static const struct operand_name operands[] = {
	O(RAX), O(RCX), O(RDX), O(R8), O(R9), O(R10), O(R11), O(R12), O(R13),
	O(R14),
	O(ATTRIBUTES), O(XFAM), O(CONFIG_FLAGS), O(EPTP), O(MAX_VCPUS),
	O(CPUID), O(TSC_FREQ), O(NUM_L2), O(ARCH_CAP), O(TDR), O(SEPT_TREE), O(RTMR),
	O(TD_EPOCH), O(OP_STATE), O(KOT), O(KET), O(WBCACHE),
};

#undef O

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct status_name *find_status(uint64_t status)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		if (statuses[i].status == (status & TDX_STATUS_MASK))
			return &statuses[i];
	}
	return NULL;
}

const char *seam_status_name(uint64_t status)
{
	const struct status_name *s = find_status(status);

	return s ? s->name : NULL;
}

static bool same(const char *full, const char *name, size_t len)
{
	return strlen(full) == len && !strncasecmp(full, name, len);
}

bool seam_status_by_name(const char *name, size_t len, uint64_t *status)
{
	size_t prefix = strlen("TDX_");

	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		if (same(statuses[i].name, name, len) ||
		    same(statuses[i].name + prefix, name, len)) {
			*status = statuses[i].status;
			return true;
		}
	}
	return false;
}

bool seam_operand_by_name(const char *name, size_t len, uint32_t *operand)
{
	for (size_t i = 0; i < ARRAY_SIZE(operands); i++) {
		if (same(operands[i].name, name, len)) {
			*operand = operands[i].operand;
			return true;
		}
	}
	return false;
}

static const char *operand_name(uint32_t operand)
{
	for (size_t i = 0; i < ARRAY_SIZE(operands); i++) {
		if (operands[i].operand == operand)
			return operands[i].name;
	}
	return NULL;
}

static int format_pamt(char *buf, size_t len, const char *name, uint32_t detail)
{
	static const char *const level[] = { "4K", "2M", "1G" };
	uint32_t size = detail >> 8 & 0xff;
	uint32_t other = detail >> 16;

	return snprintf(buf, len, "%s|TDMR %" PRIu32 " PAMT %s, TDMR %" PRIu32,
			name, detail & 0xff,
			size < ARRAY_SIZE(level) ? level[size] : "?", other);
}

int seam_format_status(char *buf, size_t len, uint64_t status)
{
	const struct status_name *s = find_status(status);
	uint32_t detail = (uint32_t)status;
	const char *op;

	if (!s)
		return snprintf(buf, len, "0x%016" PRIx64, status);

	switch (s->detail) {
	case DETAIL_OPERAND:
		op = operand_name(detail);
		if (op)
			return snprintf(buf, len, "%s|%s", s->name, op);
		break;
	case DETAIL_MSR:
		return snprintf(buf, len, "%s|MSR 0x%" PRIx32, s->name, detail);
	case DETAIL_TDMR:
		return snprintf(buf, len, "%s|TDMR %" PRIu32 " area %" PRIu32,
				s->name, detail & 0xff, detail >> 8);
	case DETAIL_PAMT:
		return format_pamt(buf, len, s->name, detail);
	case DETAIL_NUMBER:
		break;
	}

	if (!detail)
		return snprintf(buf, len, "%s", s->name);
	return snprintf(buf, len, "%s|0x%" PRIx32, s->name, detail);
}
