// SPDX-License-Identifier: GPL-2.0-only
/* TDH.SYS.CONFIG: each precondition, their order, and what success does. */
#include "host.h"

#define CONFIG_OF(array, nr)	{ .rax = TDH_SYS_CONFIG, .rcx = (array), .rdx = (nr), \
				  .r8 = HOST_HKID }
#define CONFIG()		CONFIG_OF(HOST_ARRAY, HOST_TDMRS)
#define PRIVATE_KEYID	((uint64_t)HOST_HKID << HOST_HPA_BITS)
#define SHARED_KEYID	(1ULL << HOST_HPA_BITS)
#define ABOVE_MAXPA	(1ULL << (HOST_HPA_BITS + 6))
#define NOT_RAM		(3 * GB)

/* RAX[31:0] */
#define AREA(tdmr, area)		((tdmr) | (area) << 8)
#define AT(tdmr, level, other)	((tdmr) | (uint64_t)(level) << 8 | (uint64_t)(other) << 16)

/* Operands and state */
TWIST(array_misaligned, in->rcx += 8)
TWIST(array_private, in->rcx |= PRIVATE_KEYID)
TWIST(array_above_maxpa, in->rcx |= ABOVE_MAXPA)
TWIST(array_shared_keyid, in->rcx |= SHARED_KEYID)
TWIST(array_not_ram, in->rcx = NOT_RAM)
TWIST(no_tdmrs, in->rdx = 0)
TWIST(too_many_tdmrs, in->rdx = MAX_TDMRS + 1)
TWIST(keyid_zero, in->r8 = 0)
TWIST(keyid_shared, in->r8 = HOST_HKID - 1)
TWIST(keyid_beyond, in->r8 = HOST_HKID + 32)
TWIST(keyid_last, in->r8 = HOST_HKID + 31)
TWIST(keyid_option_bits, in->r8 |= 1 << 16)
TWIST(keyid_high_bits, in->r8 |= 1ULL << 63)
TWIST(kot_locked, lock_try_exclusive(&h->seam->kot.lock))
TWIST(sys_locked_shared, lock_try_shared(&h->seam->sys_lock))
TWIST(sys_locked_exclusive, lock_try_exclusive(&h->seam->sys_lock))
TWIST(lp_missing, h->seam->nr_lps_init--)
TWIST(entry_misaligned, host_array(h)[0] += 256)
TWIST(entry_private, host_array(h)[0] |= PRIVATE_KEYID)
TWIST(entry_above_maxpa, host_array(h)[0] |= ABOVE_MAXPA)
TWIST(entry_not_ram, host_array(h)[0] = NOT_RAM)
TWIST(last_entry_misaligned, host_array(h)[2] += 1)
TWIST(first_entry_shared_keyid, host_array(h)[0] |= SHARED_KEYID)
TWIST(array_bad_in_wrong_state, in->rcx = 1)
TWIST(count_bad_and_keyid_bad, in->rdx = 0; in->r8 = 0)
TWIST(array_bad_and_count_bad, in->rcx = 1; in->rdx = 0)

/* The TDMR itself */
TWIST(tdmr_wraps, host_tdmr(h, 0)->size = 0 - GB; host_tdmr(h, 0)->base = 2 * GB)
TWIST(later_tdmr_wraps, host_tdmr(h, 2)->size = 0 - GB)
TWIST(tdmr_descends, host_tdmr(h, 2)->base = 0)
TWIST(tdmr_overlaps, host_tdmr(h, 2)->base = 2 * GB)
TWIST(tdmr_same, *host_tdmr(h, 1) = *host_tdmr(h, 0))
TWIST(base_misaligned, host_tdmr(h, 1)->base += 2 * MB)
TWIST(size_misaligned, host_tdmr(h, 1)->size -= 4096)
TWIST(size_zero, host_tdmr(h, 0)->size = 0)
TWIST(base_keyid, host_tdmr(h, 2)->base |= SHARED_KEYID)
TWIST(end_keyid, host_tdmr(h, 2)->size = 1ULL << HOST_HPA_BITS)

/* Its reserved areas */
static void reserve(struct host *h, unsigned int area, uint64_t offset, uint64_t size)
{
	host_tdmr(h, 1)->reserved[area] = (struct seam_range){ offset, size };
}

TWIST(null_first, reserve(h, 1, 0, 4096))
TWIST(null_between, reserve(h, 0, 0, 4096); reserve(h, 2, 8192, 4096))
TWIST(null_before_last, for (unsigned int i = 0; i < 16; i++) reserve(h, i, i * 4096, 4096);
      reserve(h, 14, 0, 0))
TWIST(area_descends, reserve(h, 0, 8192, 4096); reserve(h, 1, 0, 4096))
TWIST(area_overlaps, reserve(h, 0, 0, 8192); reserve(h, 1, 4096, 4096))
TWIST(last_area_overlaps, for (unsigned int i = 0; i < 16; i++) reserve(h, i, i * 4096, 4096);
      reserve(h, 15, 14 * 4096, 4096))
TWIST(offset_misaligned, reserve(h, 0, 2048, 4096))
TWIST(area_misaligned, reserve(h, 0, 0, 2048))
TWIST(area_outside, reserve(h, 0, 2 * GB - 4096, 8192))
TWIST(area_behind, reserve(h, 0, 2 * GB, 4096))
TWIST(area_wraps, reserve(h, 0, 4096, 0 - SZ_4K))
TWIST(second_area_bad, reserve(h, 0, 0, 4096); reserve(h, 1, 4096, 2 * GB))
TWIST(whole_tdmr_reserved, reserve(h, 0, 0, 2 * GB))
TWIST(areas_touch, reserve(h, 0, 0, 4096); reserve(h, 1, 4096, 4096))
TWIST(sixteen_areas, for (unsigned int i = 0; i < 16; i++) reserve(h, i, i * 8192, 4096))

/* Its PAMT areas, at each level */
#define PAMT_TWISTS(level)								\
	TWIST(level ## _wraps, host_tdmr(h, 1)->level.size = 0 - SZ_4K)			\
	TWIST(level ## _base, host_tdmr(h, 1)->level.base += 512)			\
	TWIST(level ## _unit, host_tdmr(h, 1)->level.size += 512)			\
	TWIST(level ## _keyid, host_tdmr(h, 1)->level.base |= SHARED_KEYID)		\
	TWIST(level ## _high, host_tdmr(h, 1)->level.base = SHARED_KEYID - 4096;	\
	      host_tdmr(h, 1)->level.size += 4096)					\
	TWIST(level ## _small, host_tdmr(h, 1)->level.size -= 4096)			\
	TWIST(level ## _on_other, host_tdmr(h, 1)->level.base = host_tdmr(h, 0)->pamt_1g.base) \
	TWIST(level ## _on_memory, host_tdmr(h, 1)->level.base = 2 * GB)		\
	TWIST(level ## _on_earlier, host_tdmr(h, 1)->level.base = 512 * MB)		\
	TWIST(level ## _on_later, host_tdmr(h, 1)->level.base = 4 * GB + 512 * MB)	\
	TWIST(level ## _no_cmr, host_tdmr(h, 1)->level.base = 512 * GB)			\
	TWIST(level ## _leaves_cmr, host_tdmr(h, 1)->level.base = 6 * GB - 4096;	\
	      host_tdmr(h, 1)->level.size += 4096; in->rdx = 2)

PAMT_TWISTS(pamt_1g)
PAMT_TWISTS(pamt_2m)
PAMT_TWISTS(pamt_4k)

TWIST(pamt_4k_on_own_2m, host_tdmr(h, 1)->pamt_4k.base = host_tdmr(h, 1)->pamt_2m.base)
TWIST(pamt_4k_on_own_1g,
      host_tdmr(h, 1)->pamt_1g.base = range_end(host_tdmr(h, 1)->pamt_4k) - 4096)
TWIST(pamt_2m_on_own_1g, host_tdmr(h, 1)->pamt_1g = host_tdmr(h, 1)->pamt_2m)

/* Memory outside CMRs */
TWIST(tail_not_reserved, host_tdmr(h, 1)->size += 1 * GB;
      host_tdmr(h, 1)->pamt_4k = (struct seam_range){ HOST_PAMT + 32 * MB, 16 * MB };
      host_tdmr(h, 1)->pamt_2m = (struct seam_range){ HOST_PAMT + 48 * MB, 1 * MB })
TWIST(head_not_reserved, host_tdmr(h, 0)->reserved[0].size = 0)
TWIST(head_partly_reserved, host_tdmr(h, 0)->reserved[0].size -= 4096)

/* Two rules broken at once: the first in the interface's order is told. */
TWIST(wraps_and_descends, host_tdmr(h, 2)->base = 2 * GB; host_tdmr(h, 2)->size = 0 - GB)
TWIST(descends_and_misaligned, host_tdmr(h, 2)->base = 4096)
TWIST(misaligned_and_area, base_misaligned(h, in); offset_misaligned(h, in))
TWIST(null_and_area, reserve(h, 0, 2048, 4096); reserve(h, 2, 0, 4096))
TWIST(area_order_and_alignment, reserve(h, 0, 8192, 4096); reserve(h, 1, 2048, 4096))
TWIST(area_and_pamt, offset_misaligned(h, in); pamt_1g_small(h, in))
TWIST(pamt_1g_and_2m, pamt_1g_small(h, in); pamt_2m_small(h, in))
TWIST(pamt_2m_and_4k, pamt_2m_small(h, in); pamt_4k_small(h, in))
TWIST(pamt_size_and_overlap, pamt_4k_small(h, in); pamt_1g_on_other(h, in))
TWIST(overlap_and_cmr, pamt_4k_on_other(h, in); pamt_1g_no_cmr(h, in))
TWIST(pamt_cmr_and_tdmr_cmr, head_not_reserved(h, in);
      host_tdmr(h, 0)->pamt_2m.base = 512 * GB)
TWIST(tdmr_and_next_entry, base_misaligned(h, in); last_entry_misaligned(h, in))

#define ROW(twist_, status_) \
	{ .name = #twist_, .stage = STAGE_LPS, .twist = twist_, .in = CONFIG(), .status = status_ }

#define PAMT_ROWS(field, level)							\
	ROW(field ## _wraps, TDX_INVALID_PAMT | AT(1, level, 0)),		\
	ROW(field ## _base, TDX_INVALID_PAMT | AT(1, level, 0)),		\
	ROW(field ## _unit, TDX_INVALID_PAMT | AT(1, level, 0)),		\
	ROW(field ## _keyid, TDX_INVALID_PAMT | AT(1, level, 0)),		\
	ROW(field ## _high, TDX_INVALID_PAMT | AT(1, level, 0)),		\
	ROW(field ## _small, TDX_INVALID_PAMT | AT(1, level, 0)),		\
	ROW(field ## _on_other, TDX_PAMT_OVERLAP | AT(1, level, 0)),		\
	ROW(field ## _on_memory, TDX_PAMT_OVERLAP | AT(1, level, 1)),		\
	ROW(field ## _on_earlier, TDX_PAMT_OVERLAP | AT(1, level, 0)),	\
	ROW(field ## _on_later, TDX_PAMT_OVERLAP | AT(1, level, 2)),		\
	ROW(field ## _no_cmr, TDX_PAMT_OUTSIDE_CMRS | AT(1, level, 0)),	\
	ROW(field ## _leaves_cmr, TDX_PAMT_OUTSIDE_CMRS | AT(1, level, 0))

static const struct row rows[] = {
	{ "success", .stage = STAGE_LPS, .in = CONFIG() },
	{ "state_pending", .in = CONFIG(), .status = TDX_SYS_CONFIG_NOT_PENDING },
	{ "state_no_lp", .stage = STAGE_INIT, .in = CONFIG(),
	  .status = TDX_SYS_CONFIG_NOT_PENDING },
	ROW(lp_missing, TDX_SYS_CONFIG_NOT_PENDING),
	{ "state_config_done", .stage = STAGE_CONFIG, .in = CONFIG(),
	  .status = TDX_SYS_CONFIG_NOT_PENDING },
	{ "state_ready", .stage = STAGE_READY, .in = CONFIG(),
	  .status = TDX_SYS_CONFIG_NOT_PENDING },
	{ "state_before_operands", .twist = array_bad_in_wrong_state, .in = CONFIG(),
	  .status = TDX_SYS_CONFIG_NOT_PENDING },
	ROW(sys_locked_shared, TDX_SYS_BUSY),
	ROW(sys_locked_exclusive, TDX_SYS_BUSY),

	ROW(array_misaligned, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(array_private, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(array_above_maxpa, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(array_shared_keyid, TDX_SUCCESS),
	{ "array_not_ram", .stage = STAGE_LPS, .twist = array_not_ram, .in = CONFIG(),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX, .rule = "not-ram" },
	ROW(no_tdmrs, TDX_OPERAND_INVALID | OPERAND_RDX),
	ROW(too_many_tdmrs, TDX_OPERAND_INVALID | OPERAND_RDX),
	ROW(keyid_zero, TDX_OPERAND_INVALID | OPERAND_R8),
	ROW(keyid_shared, TDX_OPERAND_INVALID | OPERAND_R8),
	ROW(keyid_beyond, TDX_OPERAND_INVALID | OPERAND_R8),
	ROW(keyid_last, TDX_SUCCESS),
	ROW(keyid_option_bits, TDX_OPERAND_INVALID | OPERAND_R8),
	ROW(keyid_high_bits, TDX_OPERAND_INVALID | OPERAND_R8),
	ROW(array_bad_and_count_bad, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(count_bad_and_keyid_bad, TDX_OPERAND_INVALID | OPERAND_RDX),
	ROW(kot_locked, TDX_OPERAND_BUSY | OPERAND_KOT),
	ROW(entry_misaligned, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(entry_private, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(entry_above_maxpa, TDX_OPERAND_INVALID | OPERAND_RCX),
	{ "entry_not_ram", .stage = STAGE_LPS, .twist = entry_not_ram, .in = CONFIG(),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX, .rule = "not-ram" },
	ROW(last_entry_misaligned, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(first_entry_shared_keyid, TDX_SUCCESS),

	ROW(tdmr_wraps, TDX_INVALID_TDMR | 0),
	ROW(later_tdmr_wraps, TDX_INVALID_TDMR | 2),
	ROW(tdmr_descends, TDX_NON_ORDERED_TDMR | 2),
	ROW(tdmr_overlaps, TDX_NON_ORDERED_TDMR | 2),
	ROW(tdmr_same, TDX_NON_ORDERED_TDMR | 1),
	ROW(base_misaligned, TDX_INVALID_TDMR | 1),
	ROW(size_misaligned, TDX_INVALID_TDMR | 1),
	ROW(size_zero, TDX_INVALID_TDMR | 0),
	ROW(base_keyid, TDX_INVALID_TDMR | 2),
	ROW(end_keyid, TDX_INVALID_TDMR | 2),

	ROW(null_first, TDX_NON_ORDERED_RESERVED_IN_TDMR | AREA(1, 0)),
	ROW(null_between, TDX_NON_ORDERED_RESERVED_IN_TDMR | AREA(1, 1)),
	ROW(null_before_last, TDX_NON_ORDERED_RESERVED_IN_TDMR | AREA(1, 14)),
	ROW(area_descends, TDX_NON_ORDERED_RESERVED_IN_TDMR | AREA(1, 1)),
	ROW(area_overlaps, TDX_NON_ORDERED_RESERVED_IN_TDMR | AREA(1, 1)),
	ROW(last_area_overlaps, TDX_NON_ORDERED_RESERVED_IN_TDMR | AREA(1, 15)),
	ROW(offset_misaligned, TDX_INVALID_RESERVED_IN_TDMR | AREA(1, 0)),
	ROW(area_misaligned, TDX_INVALID_RESERVED_IN_TDMR | AREA(1, 0)),
	ROW(area_outside, TDX_INVALID_RESERVED_IN_TDMR | AREA(1, 0)),
	ROW(area_behind, TDX_INVALID_RESERVED_IN_TDMR | AREA(1, 0)),
	ROW(area_wraps, TDX_INVALID_RESERVED_IN_TDMR | AREA(1, 0)),
	ROW(second_area_bad, TDX_INVALID_RESERVED_IN_TDMR | AREA(1, 1)),
	ROW(whole_tdmr_reserved, TDX_SUCCESS),
	ROW(areas_touch, TDX_SUCCESS),
	ROW(sixteen_areas, TDX_SUCCESS),

	PAMT_ROWS(pamt_1g, PS_1G),
	PAMT_ROWS(pamt_2m, PS_2M),
	PAMT_ROWS(pamt_4k, PS_4K),
	ROW(pamt_4k_on_own_2m, TDX_PAMT_OVERLAP | AT(1, PS_4K, 1)),
	ROW(pamt_4k_on_own_1g, TDX_PAMT_OVERLAP | AT(1, PS_4K, 1)),
	ROW(pamt_2m_on_own_1g, TDX_PAMT_OVERLAP | AT(1, PS_2M, 1)),

	ROW(tail_not_reserved, TDX_TDMR_OUTSIDE_CMRS | 1),
	ROW(head_not_reserved, TDX_TDMR_OUTSIDE_CMRS | 0),
	ROW(head_partly_reserved, TDX_TDMR_OUTSIDE_CMRS | 0),

	ROW(wraps_and_descends, TDX_INVALID_TDMR | 2),
	ROW(descends_and_misaligned, TDX_NON_ORDERED_TDMR | 2),
	ROW(misaligned_and_area, TDX_INVALID_TDMR | 1),
	ROW(null_and_area, TDX_INVALID_RESERVED_IN_TDMR | AREA(1, 0)),
	ROW(area_order_and_alignment, TDX_NON_ORDERED_RESERVED_IN_TDMR | AREA(1, 1)),
	ROW(area_and_pamt, TDX_INVALID_RESERVED_IN_TDMR | AREA(1, 0)),
	ROW(pamt_1g_and_2m, TDX_INVALID_PAMT | AT(1, PS_1G, 0)),
	ROW(pamt_2m_and_4k, TDX_INVALID_PAMT | AT(1, PS_2M, 0)),
	ROW(pamt_size_and_overlap, TDX_INVALID_PAMT | AT(1, PS_4K, 0)),
	ROW(overlap_and_cmr, TDX_PAMT_OVERLAP | AT(1, PS_4K, 0)),
	ROW(pamt_cmr_and_tdmr_cmr, TDX_PAMT_OUTSIDE_CMRS | AT(0, PS_2M, 0)),
	ROW(tdmr_and_next_entry, TDX_INVALID_TDMR | 1),
};

static void success_changes_state(void **state)
{
	struct host *h = *state;
	struct seam_stats st;
	uint64_t pamt = 0;

	host_start(h);
	host_goto(h, STAGE_CONFIG);
	for (unsigned int i = 0; i < HOST_TDMRS; i++) {
		const struct tdmr_info *t = host_tdmr(h, i);

		pamt += t->pamt_4k.size + t->pamt_2m.size + t->pamt_1g.size;
	}

	seam_get_stats(h->seam, &st);
	assert_int_equal(st.sys_state, SYS_SYSCONFIG_DONE);
	assert_int_equal(st.nr_tdmrs, HOST_TDMRS);
	assert_int_equal(st.pamt_bytes, pamt);
	assert_int_equal(st.keyids_total, 32);
	assert_int_equal(st.keyids_in_use, 1);
	assert_int_equal(h->seam->kot.state[HOST_HKID], KOT_RESERVED);
	assert_int_equal(h->seam->tdmr[0].nr_reserved, 1);
	assert_int_equal(h->seam->tdmr[1].nr_reserved, 0);
	assert_int_equal(h->seam->tdmr[2].reserved[0].base, HOST_PAMT);
}

/* A refused SYS.CONFIG can be corrected. */
static void retry_after_error(void **state)
{
	struct host *h = *state;
	struct seam_regs in = CONFIG();

	host_start(h);
	host_goto(h, STAGE_LPS);
	host_tdmr(h, 2)->size += 1;
	assert_status(host_status(h, 0, in), TDX_INVALID_TDMR | 2);
	host_tdmr(h, 2)->size -= 1;
	assert_status(host_status(h, 0, in), TDX_SUCCESS);
}

/* Nothing of a refused SYS.CONFIG shows through a smaller one that succeeds. */
static void retry_with_less(void **state)
{
	struct seam_regs less = CONFIG_OF(HOST_ARRAY, 2), all = CONFIG();
	struct seam_regs rdmd = { .rax = TDH_PHYMEM_PAGE_RDMD, .rcx = 4 * GB };
	struct host *h = *state;
	struct seam_stats st;

	host_start(h);
	host_goto(h, STAGE_LPS);
	reserve(h, 0, 0, 4096);
	host_tdmr(h, 2)->size = 1;
	assert_status(host_status(h, 0, all), TDX_INVALID_TDMR | 2);
	reserve(h, 0, 0, 0);
	assert_status(host_status(h, 0, less), TDX_SUCCESS);

	seam_get_stats(h->seam, &st);
	assert_int_equal(st.nr_tdmrs, 2);
	assert_int_equal(st.pamt_bytes, 3 * (4 * MB + 8192) + 2 * SZ_4K);
	assert_int_equal(h->seam->tdmr[1].nr_reserved, 0);

	host_status(h, 0, (struct seam_regs){ .rax = TDH_SYS_KEY_CONFIG });
	host_status(h, 3, (struct seam_regs){ .rax = TDH_SYS_KEY_CONFIG });
	host_status(h, 0, (struct seam_regs){ .rax = TDH_SYS_TDMR_INIT, .rcx = 1 * GB });
	assert_status(host_status(h, 0, rdmd), TDX_OPERAND_ADDR_RANGE_ERROR | OPERAND_RCX);
	rdmd.rcx = 1 * GB;
	host_call(h, 0, &rdmd);
	assert_status(rdmd.rax, TDX_SUCCESS);
	assert_int_equal(rdmd.rcx, PT_NDA);
}

/* The last GiB that addresses without KeyID bits can reach. */
static void tdmr_at_the_end(void **state)
{
	struct seam_regs in = CONFIG_OF(HOST_ARRAY, 1);
	uint64_t last = (1ULL << HOST_HPA_BITS) - GB;
	struct host *h = *state;

	h->cfg.cmr[2] = (struct seam_range){ last, GB };
	h->cfg.nr_cmrs = 3;
	host_tdmr(h, 0)->base = last;
	host_tdmr(h, 0)->reserved[0].size = 0;
	host_start(h);
	host_goto(h, STAGE_LPS);
	assert_status(host_status(h, 0, in), TDX_SUCCESS);
}

/* CMRs that the module will refuse do not count as memory. */
static void odd_cmrs_cost_nothing(void **state)
{
	struct host *h = *state;

	h->cfg.nr_cmrs = 4;
	h->cfg.cmr[0] = (struct seam_range){ 0, GB };
	h->cfg.cmr[1] = (struct seam_range){ 1ULL << HOST_HPA_BITS, GB };
	h->cfg.cmr[2] = (struct seam_range){ 0 - SZ_4K, 3 * GB };
	h->cfg.cmr[3] = (struct seam_range){ 5 * GB, 0 };
	host_start(h);
	assert_int_equal(h->seam->pamt.end, GB);
}

static void violation_tells_address(void **state)
{
	struct host *h = *state;
	struct seam_regs in = CONFIG();

	host_start(h);
	host_goto(h, STAGE_LPS);
	host_array(h)[1] = NOT_RAM;
	assert_status(host_status(h, 3, in), TDX_OPERAND_INVALID | OPERAND_RCX);
	assert_int_equal(h->violation_pa, NOT_RAM);
	assert_string_equal(h->violation_text,
			    "TDH.SYS.CONFIG reads 320 bytes at 0xc0000000, which is not RAM");
}

static void violation_needs_no_callback(void **state)
{
	struct host *h = *state;
	struct seam_regs in = CONFIG_OF(NOT_RAM, HOST_TDMRS);
	struct seam_stats st;

	h->machine.violation = NULL;
	host_start(h);
	host_goto(h, STAGE_LPS);
	assert_status(host_status(h, 0, in), TDX_OPERAND_INVALID | OPERAND_RCX);
	seam_get_stats(h->seam, &st);
	assert_int_equal(st.violations, 1);
}

/* 64 TDMRs, every one with its PAMT in the memory below the first. */
static void sixty_four_tdmrs(void **state)
{
	struct seam_regs in = CONFIG_OF(HOST_ARRAY, MAX_TDMRS);
	struct host *h = *state;
	uint64_t pamt = 4 * GB;

	h->cfg.nr_cmrs = 1;
	h->cfg.cmr[0] = (struct seam_range){ 4 * GB, 200 * GB };
	for (unsigned int i = 0; i < MAX_TDMRS; i++) {
		struct tdmr_info *t = host_tdmr(h, i);

		*t = (struct tdmr_info){ .base = (8 + i) * GB, .size = GB };
		t->pamt_4k = (struct seam_range){ pamt, 4 * MB };
		t->pamt_2m = (struct seam_range){ pamt + 4 * MB, 8192 };
		t->pamt_1g = (struct seam_range){ pamt + 5 * MB, 4096 };
		host_array(h)[i] = HOST_INFO + i * TDMR_INFO_ALIGN;
		pamt += 8 * MB;
	}

	host_start(h);
	host_goto(h, STAGE_LPS);
	assert_status(host_status(h, 0, in), TDX_SUCCESS);
	assert_int_equal(h->seam->nr_tdmrs, MAX_TDMRS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(success_changes_state),
		host_test(retry_after_error),
		host_test(retry_with_less),
		host_test(tdmr_at_the_end),
		host_test(odd_cmrs_cost_nothing),
		host_test(violation_tells_address),
		host_test(violation_needs_no_callback),
		host_test(sixty_four_tdmrs),
	};
	int failed = run_rows("sys_config", rows, ARRAY_SIZE(rows));

	return failed + cmocka_run_group_tests_name("sys_config_state", tests, NULL, NULL);
}
