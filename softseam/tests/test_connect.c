// SPDX-License-Identifier: GPL-2.0-only
/* TDX Connect's leaves that create and delete: each precondition, row by row. */
#include <string.h>

#include "feature_host.h"

#define IOMMU		0xFED90000ULL
#define FUNC		0x0103ULL
#define OUT		LIST2

#define ARRAY(hpa, nr)	((hpa) | (uint64_t)((nr) - 1) << 55)

#define SETUP()		{ .rax = TDH_IOMMU_SETUP, .rcx = IOMMU, .rdx = LIST }
#define CLEAR()		{ .rax = TDH_IOMMU_CLEAR, .rcx = 1, .rdx = OUT }
#define SPDM()		{ .rax = TDH_SPDM_CREATE, .rcx = FUNC, .rdx = ARRAY(LIST, 3) }
#define UNSPDM()	{ .rax = TDH_SPDM_DELETE, .rcx = 1, .rdx = OUT }
#define IDE()		{ .rax = TDH_IDE_STREAM_CREATE, .rcx = 0x108, .rdx = 1, \
			  .r8 = REGION_PG(0, 20) }
#define UNIDE()		{ .rax = TDH_IDE_STREAM_DELETE, .rcx = 1, .rdx = 2 }

/* Three pages a list, but for a stream's, which is one. */
#define COUNTS		"iommu_mt_pages", "3", "spdm_mt_pages", "3", "ide_mt_pages", "1"
#define ARGS		{ CONNECT, COUNTS }

/* IOMMU_MT: two blocks of 8K, then pages. */
static void fill_iommu_mt(struct host *h)
{
	uint64_t *slot = host_list(h, LIST);

	memset(slot, 0, 4096);
	slot[0] = REGION_PG(0, 10) | 2;
	slot[1] = REGION_PG(0, 6) | 2;
	slot[2] = REGION_PG(0, 3);
	slot[3] = REGION_PG(0, 1);
	slot[4] = REGION_PG(0, 2);
}

static void fill_array(struct host *h)
{
	for (unsigned int i = 0; i < PAGE_LIST_MAX; i++)
		host_list(h, LIST)[i] = REGION_PG(0, 30 + i);
}

static void iommu_ready(struct host *h)
{
	host_goto(h, STAGE_TDMRS);
	fill_iommu_mt(h);
}

static void spdm_ready(struct host *h)
{
	host_goto(h, STAGE_TDMRS);
	fill_array(h);
}

static void not_chosen(struct host *h)
{
	h->config.r9 = 0;
	iommu_ready(h);
}

static void keys_missing(struct host *h)
{
	host_goto(h, STAGE_CONFIG);
}

static void shut_down(struct host *h)
{
	host_goto(h, STAGE_SHUTDOWN);
}

static void iommu_live(struct host *h)
{
	iommu_ready(h);
	td_must(h, 0, (struct seam_regs)SETUP());
}

static void spdm_live(struct host *h)
{
	spdm_ready(h);
	td_must(h, 0, (struct seam_regs)SPDM());
}

static void ide_live(struct host *h)
{
	spdm_live(h);
	td_must(h, 0, (struct seam_regs)IDE());
}

static void interrupt(struct host *h, struct seam_regs regs)
{
	h->irq_after = 1;
	assert_status(host_status(h, 0, regs), TDX_INTERRUPTED_RESUMABLE);
}

static void setup_interrupted(struct host *h)
{
	iommu_ready(h);
	interrupt(h, (struct seam_regs)SETUP());
}

static void clear_interrupted(struct host *h)
{
	iommu_live(h);
	interrupt(h, (struct seam_regs)CLEAR());
}

static void spdm_interrupted(struct host *h)
{
	spdm_ready(h);
	interrupt(h, (struct seam_regs)SPDM());
}

static void unspdm_interrupted(struct host *h)
{
	spdm_live(h);
	interrupt(h, (struct seam_regs)UNSPDM());
}

TWIST(locked, lock_try_exclusive(&h->seam->connect.lock))

/* IOMMU_MT: the operand, then its slots */
TWIST(no_iommu, in->rcx = IOMMU + SZ_4K)
TWIST(iommu_zero, in->rcx = 0)
#define ROOT_TWISTS(reg)							\
	TWIST(reg ## _low_bit, in->reg |= 1)					\
	TWIST(reg ## _bit_11, in->reg |= 1 << 11)				\
	TWIST(reg ## _keyid, in->reg |= TD_KEYID(1))				\
	TWIST(reg ## _private, in->reg |= TD_KEYID(TD_HKID))			\
	TWIST(reg ## _above_maxpa, in->reg |= TD_KEYID(64))			\
	TWIST(reg ## _bit_52, in->reg |= 1ULL << 52)				\
	TWIST(reg ## _bit_53, in->reg |= 1ULL << 53)				\
	TWIST(reg ## _bit_54, in->reg |= 1ULL << 54)				\
	TWIST(reg ## _count, in->reg += 1ULL << 55)				\
	TWIST(reg ## _count_less, in->reg -= 1ULL << 55)			\
	TWIST(reg ## _zero, in->reg = 0)					\
	TWIST(reg ## _not_ram, h->not_ram = in->reg & PAGE_LIST_HPA)

ROOT_TWISTS(rdx)
ROOT_TWISTS(r8)

#define SLOT(h, i)	host_list(h, LIST)[i]
TWIST(block_no_count, SLOT(h, 0) &= ~0xFFFULL)
TWIST(block_one_page, SLOT(h, 1) -= 1)
TWIST(block_three_pages, SLOT(h, 1) += 1)
TWIST(block_odd, SLOT(h, 0) += SZ_4K)
TWIST(second_block_odd, SLOT(h, 1) += SZ_4K)
TWIST(block_null, SLOT(h, 1) = 0)
TWIST(page_with_count, SLOT(h, 3) |= 1)
TWIST(page_with_block_count, SLOT(h, 4) |= 2)
TWIST(unused_slot, SLOT(h, 5) = REGION_PG(0, 9))
TWIST(last_slot, SLOT(h, 511) = 1)
TWIST(slot_missing, SLOT(h, 4) = 0)

/* What any slot of any list can have */
#define SLOT_TWISTS(i)								\
	TWIST(slot ## i ## _keyid, SLOT(h, i) |= TD_KEYID(1))			\
	TWIST(slot ## i ## _bit_52, SLOT(h, i) |= 1ULL << 52)			\
	TWIST(slot ## i ## _bit_63, SLOT(h, i) |= 1ULL << 63)			\
	TWIST(slot ## i ## _no_tdmr, SLOT(h, i) = 3 * GB | (SLOT(h, i) & 0xFFF)) \
	TWIST(slot ## i ## _reserved, SLOT(h, i) = HOST_PAMT | (SLOT(h, i) & 0xFFF)) \
	TWIST(slot ## i ## _locked, lock_try_shared(&host_page(h, SLOT(h, i))->lock)) \
	TWIST(slot ## i ## _used, host_page(h, SLOT(h, i))->type = PT_EXT)	\
	TWIST(slot ## i ## _not_ram, h->not_ram = SLOT(h, i) & PAGE_LIST_HPA)

SLOT_TWISTS(0)
SLOT_TWISTS(2)

TWIST(slot2_low_bit, SLOT(h, 2) |= 1)

/* SPDM and IDE */
TWIST(segment_no_flag, in->rcx |= 1 << 16)
TWIST(segment, in->rcx |= 1 << 24 | 5 << 16)
TWIST(func_bit_25, in->rcx |= 1 << 25)
TWIST(func_bit_63, in->rcx |= 1ULL << 63)
TWIST(other_func, in->rcx = FUNC + 1)
TWIST(info_bit_9, in->rcx |= 1 << 9)
TWIST(info_bit_63, in->rcx |= 1ULL << 63)
TWIST(no_spdm, in->rdx = 7)
TWIST(iommu_is_no_spdm, in->rdx = 2;
      fill_iommu_mt(h);
      td_must(h, 0, (struct seam_regs)SETUP()))
TWIST(r9_wide, in->r9 = 1ULL << 32)
TWIST(r10_wide, in->r10 = 1ULL << 32)
TWIST(r11_wide, in->r11 = 1ULL << 63)
TWIST(r12_wide, in->r12 = 1ULL << 32)
TWIST(r13_wide, in->r13 = 1ULL << 40)
TWIST(r14_wide, in->r14 = 1ULL << 32)
TWIST(all_wide_as_allowed, in->r9 = in->r10 = in->r11 = in->r12 = in->r13 = in->r14 = UINT32_MAX)
TWIST(r8_used, host_page(h, in->r8)->type = PT_EXT)
TWIST(r8_locked, lock_try_exclusive(&host_page(h, in->r8)->lock))

/* Deleting */
TWIST(unknown_id, in->rcx = 9)
TWIST(id_zero, in->rcx = 0)
TWIST(unknown_stream, in->rdx = 9)
TWIST(session_is_no_stream, in->rdx = 1)
TWIST(r8_some_root, in->r8 = OUT)

/* Repetitions that differ */
TWIST(other_root, in->rdx = LIST2; memcpy(host_list(h, LIST2), host_list(h, LIST), 4096))
TWIST(clobbered_rcx, in->rcx = 0)
TWIST(clobbered_both, in->rcx = 0; in->rdx = 0)
TWIST(other_array, in->rdx = ARRAY(LIST2, 3))
TWIST(longer_array, in->rdx = ARRAY(LIST, 4))
TWIST(other_out, in->rdx = LIST)

#define ROW(call_, twist_, stage_, status_)					\
	{ #call_ "_" #twist_, ARGS, stage_, twist_, .in = call_(), .status = status_ }
#define RAM_ROW(call_, twist_, stage_, op)					\
	{ #call_ "_" #twist_, ARGS, stage_, twist_, .in = call_(),		\
	  .status = TDX_OPERAND_INVALID | op, .rule = "not-ram" }

#define COMMON_ROWS(call_, stage_, leaf)					\
	{ #call_ "_success", ARGS, stage_, .in = call_() },			\
	{ #call_ "_not_offered", { COUNTS }, not_chosen, .in = call_(),		\
	  .status = TDX_OPERAND_INVALID | OPERAND_RAX },			\
	{ #call_ "_not_chosen", ARGS, not_chosen, .in = call_(),		\
	  .status = TDX_OPERAND_INVALID | OPERAND_RAX },			\
	{ #call_ "_keys_missing", ARGS, keys_missing, .in = call_(),		\
	  .status = TDX_SYS_NOT_READY },					\
	{ #call_ "_shut_down", ARGS, shut_down, .in = call_(),			\
	  .status = TDX_SYS_SHUTDOWN },						\
	{ #call_ "_version_1", ARGS, stage_, .in = { .rax = leaf | 1 << 16 },	\
	  .status = TDX_OPERAND_INVALID | OPERAND_RAX },			\
	ROW(call_, locked, stage_, TDX_OPERAND_BUSY | OPERAND_RCX)

/* A register with an HPA_ARRAY_T, or with the address of a list alone. */
#define ROOT_ROWS(call, stage, reg, op)						\
	ROW(call, reg ## _low_bit, stage, TDX_OPERAND_INVALID | op),		\
	ROW(call, reg ## _bit_11, stage, TDX_OPERAND_INVALID | op),		\
	ROW(call, reg ## _keyid, stage, TDX_OPERAND_INVALID | op),		\
	ROW(call, reg ## _private, stage, TDX_OPERAND_INVALID | op),		\
	ROW(call, reg ## _above_maxpa, stage, TDX_OPERAND_INVALID | op),	\
	ROW(call, reg ## _bit_52, stage, TDX_OPERAND_INVALID | op),		\
	ROW(call, reg ## _bit_53, stage, TDX_OPERAND_INVALID | op),		\
	ROW(call, reg ## _bit_54, stage, TDX_OPERAND_INVALID | op),		\
	ROW(call, reg ## _count, stage, TDX_OPERAND_INVALID | op),		\
	RAM_ROW(call, reg ## _not_ram, stage, op)

#define SLOT_ROWS(call, stage, slot, op)					\
	ROW(call, slot ## _keyid, stage, TDX_OPERAND_INVALID | op),		\
	ROW(call, slot ## _bit_52, stage, TDX_OPERAND_INVALID | op),		\
	ROW(call, slot ## _bit_63, stage, TDX_OPERAND_INVALID | op),		\
	ROW(call, slot ## _no_tdmr, stage, TDX_OPERAND_ADDR_RANGE_ERROR | op),	\
	ROW(call, slot ## _reserved, stage, TDX_PAGE_METADATA_INCORRECT | op),	\
	ROW(call, slot ## _locked, stage, TDX_OPERAND_BUSY | op),		\
	ROW(call, slot ## _used, stage, TDX_PAGE_METADATA_INCORRECT | op),	\
	RAM_ROW(call, slot ## _not_ram, stage, op)

#define MT_ROW(twist)	ROW(SETUP, twist, iommu_ready, TDX_OPERAND_INVALID | OPERAND_RDX)

static const struct feature_row rows[] = {
	COMMON_ROWS(SETUP, iommu_ready, TDH_IOMMU_SETUP),
	ROW(SETUP, no_iommu, iommu_ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(SETUP, iommu_zero, iommu_ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	{ "SETUP_again", ARGS, iommu_live, .in = SETUP(), .status = TDX_OP_STATE_INCORRECT },
	ROOT_ROWS(SETUP, iommu_ready, rdx, OPERAND_RDX),
	MT_ROW(block_no_count), MT_ROW(block_one_page), MT_ROW(block_three_pages),
	MT_ROW(block_odd), MT_ROW(second_block_odd), MT_ROW(block_null),
	MT_ROW(page_with_count), MT_ROW(page_with_block_count), MT_ROW(unused_slot),
	MT_ROW(last_slot),
	ROW(SETUP, slot_missing, iommu_ready, TDX_PAGE_METADATA_INCORRECT | OPERAND_RDX),
	SLOT_ROWS(SETUP, iommu_ready, slot0, OPERAND_RDX),
	SLOT_ROWS(SETUP, iommu_ready, slot2, OPERAND_RDX),
	{ "SETUP_no_pair", { CONNECT_DPAMT, COUNTS }, iommu_ready, .in = SETUP(),
	  .status = TDX_MISSING_PAMT_PAGE_PAIR | OPERAND_RDX },
	{ "SETUP_repeated", ARGS, setup_interrupted, .in = SETUP() },
	ROW(SETUP, other_root, setup_interrupted, TDX_INVALID_RESUMPTION),
	ROW(SETUP, clobbered_rcx, setup_interrupted, TDX_INVALID_RESUMPTION),
	ROW(SETUP, clobbered_both, setup_interrupted, TDX_OPERAND_INVALID | OPERAND_RCX),

	COMMON_ROWS(CLEAR, iommu_live, TDH_IOMMU_CLEAR),
	ROW(CLEAR, unknown_id, iommu_live, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(CLEAR, id_zero, iommu_live, TDX_OPERAND_INVALID | OPERAND_RCX),
	{ "CLEAR_of_session", ARGS, spdm_live, .in = CLEAR(),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX },
	{ "CLEAR_of_unfinished", ARGS, setup_interrupted, .in = CLEAR(),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX },
	ROOT_ROWS(CLEAR, iommu_live, rdx, OPERAND_RDX),
	{ "CLEAR_no_out", { CONNECT, COUNTS, "connect_out", "off" }, iommu_live, rdx_zero,
	  .in = CLEAR() },
	{ "CLEAR_repeated", ARGS, clear_interrupted, .in = CLEAR() },
	ROW(CLEAR, other_out, clear_interrupted, TDX_INVALID_RESUMPTION),
	ROW(CLEAR, clobbered_rcx, clear_interrupted, TDX_INVALID_RESUMPTION),
	{ "SETUP_of_unfinished_clear", ARGS, clear_interrupted, .in = SETUP(),
	  .status = TDX_OP_STATE_INCORRECT },

	COMMON_ROWS(SPDM, spdm_ready, TDH_SPDM_CREATE),
	ROW(SPDM, segment, spdm_ready, TDX_SUCCESS),
	ROW(SPDM, segment_no_flag, spdm_ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(SPDM, func_bit_25, spdm_ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(SPDM, func_bit_63, spdm_ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	{ "SPDM_again", ARGS, spdm_live, .in = SPDM(), .status = TDX_OP_STATE_INCORRECT },
	ROW(SPDM, other_func, spdm_live, TDX_PAGE_METADATA_INCORRECT | OPERAND_RDX),
	ROOT_ROWS(SPDM, spdm_ready, rdx, OPERAND_RDX),
	ROW(SPDM, rdx_count_less, spdm_ready, TDX_OPERAND_INVALID | OPERAND_RDX),
	ROW(SPDM, rdx_zero, spdm_ready, TDX_OPERAND_INVALID | OPERAND_RDX),
	SLOT_ROWS(SPDM, spdm_ready, slot0, OPERAND_RDX),
	SLOT_ROWS(SPDM, spdm_ready, slot2, OPERAND_RDX),
	ROW(SPDM, slot2_low_bit, spdm_ready, TDX_OPERAND_INVALID | OPERAND_RDX),
	{ "SPDM_no_pair", { CONNECT_DPAMT, COUNTS }, spdm_ready, .in = SPDM(),
	  .status = TDX_MISSING_PAMT_PAGE_PAIR | OPERAND_RDX },
	{ "SPDM_repeated", ARGS, spdm_interrupted, .in = SPDM() },
	ROW(SPDM, other_array, spdm_interrupted, TDX_INVALID_RESUMPTION),
	ROW(SPDM, longer_array, spdm_interrupted, TDX_INVALID_RESUMPTION),
	ROW(SPDM, clobbered_rcx, spdm_interrupted, TDX_INVALID_RESUMPTION),

	/* The other format: first slot 0, then as many. */
	{ "SPDM_info", { CONNECT, COUNTS, "spdm_list", "info" }, spdm_ready, .in = SPDM() },
	{ "SPDM_info_bit_2", { CONNECT, COUNTS, "spdm_list", "info" }, spdm_ready,
	  .in = { .rax = TDH_SPDM_CREATE, .rcx = FUNC, .rdx = ARRAY(LIST, 3) | 4 },
	  .status = TDX_OPERAND_INVALID | OPERAND_RDX },
	{ "SPDM_info_first_1", { CONNECT, COUNTS, "spdm_list", "info" }, spdm_ready,
	  .in = { .rax = TDH_SPDM_CREATE, .rcx = FUNC, .rdx = ARRAY(LIST, 3) | 1 << 3 },
	  .status = TDX_OPERAND_INVALID | OPERAND_RDX },
	{ "SPDM_info_bit_54", { CONNECT, COUNTS, "spdm_list", "info" }, spdm_ready, rdx_bit_54,
	  .in = SPDM(), .status = TDX_OPERAND_INVALID | OPERAND_RDX },
	{ "SPDM_info_count", { CONNECT, COUNTS, "spdm_list", "info" }, spdm_ready, rdx_count,
	  .in = SPDM(), .status = TDX_OPERAND_INVALID | OPERAND_RDX },

	COMMON_ROWS(UNSPDM, spdm_live, TDH_SPDM_DELETE),
	ROW(UNSPDM, unknown_id, spdm_live, TDX_OPERAND_INVALID | OPERAND_RCX),
	{ "UNSPDM_of_iommu", ARGS, iommu_live, .in = UNSPDM(),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX },
	{ "UNSPDM_with_stream", ARGS, ide_live, .in = UNSPDM(), .status = TDX_OP_STATE_INCORRECT },
	ROOT_ROWS(UNSPDM, spdm_live, rdx, OPERAND_RDX),
	{ "UNSPDM_no_out", { CONNECT, COUNTS, "connect_out", "off" }, spdm_live, rdx_low_bit,
	  .in = UNSPDM() },
	{ "UNSPDM_repeated", ARGS, unspdm_interrupted, .in = UNSPDM() },
	ROW(UNSPDM, other_out, unspdm_interrupted, TDX_INVALID_RESUMPTION),
	ROW(UNSPDM, clobbered_rcx, unspdm_interrupted, TDX_INVALID_RESUMPTION),

	COMMON_ROWS(IDE, spdm_live, TDH_IDE_STREAM_CREATE),
	ROW(IDE, info_bit_9, spdm_live, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(IDE, info_bit_63, spdm_live, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(IDE, no_spdm, spdm_live, TDX_OPERAND_INVALID | OPERAND_RDX),
	ROW(IDE, iommu_is_no_spdm, spdm_live, TDX_OPERAND_INVALID | OPERAND_RDX),
	ROW(IDE, r9_wide, spdm_live, TDX_OPERAND_INVALID | OPERAND_R9),
	ROW(IDE, r10_wide, spdm_live, TDX_OPERAND_INVALID | OPERAND_R10),
	ROW(IDE, r11_wide, spdm_live, TDX_OPERAND_INVALID | OPERAND_R11),
	ROW(IDE, r12_wide, spdm_live, TDX_OPERAND_INVALID | OPERAND_R12),
	ROW(IDE, r13_wide, spdm_live, TDX_OPERAND_INVALID | OPERAND_R13),
	ROW(IDE, r14_wide, spdm_live, TDX_OPERAND_INVALID | OPERAND_R14),
	ROW(IDE, all_wide_as_allowed, spdm_live, TDX_SUCCESS),
	{ "IDE_again", ARGS, ide_live, .in = IDE(), .status = TDX_OP_STATE_INCORRECT },
	ROOT_ROWS(IDE, spdm_live, r8, OPERAND_R8),
	ROW(IDE, r8_count_less, spdm_live, TDX_OPERAND_INVALID | OPERAND_R8),
	ROW(IDE, r8_zero, spdm_live, TDX_PAGE_METADATA_INCORRECT | OPERAND_R8),
	ROW(IDE, r8_used, spdm_live, TDX_PAGE_METADATA_INCORRECT | OPERAND_R8),
	ROW(IDE, r8_locked, spdm_live, TDX_OPERAND_BUSY | OPERAND_R8),

	COMMON_ROWS(UNIDE, ide_live, TDH_IDE_STREAM_DELETE),
	ROW(UNIDE, unknown_id, ide_live, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(UNIDE, unknown_stream, ide_live, TDX_OPERAND_INVALID | OPERAND_RDX),
	ROW(UNIDE, session_is_no_stream, ide_live, TDX_OPERAND_INVALID | OPERAND_RDX),
	ROW(UNIDE, r8_some_root, ide_live, TDX_OPERAND_INVALID | OPERAND_R8),
	{ "UNIDE_no_out", { CONNECT, COUNTS, "connect_out", "off" }, ide_live, r8_some_root,
	  .in = UNIDE() },
};

int main(void)
{
	return run_feature_rows("connect", rows, ARRAY_SIZE(rows));
}
