/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can be wrong with operands that many leaves have, and the rows for it.
 *
 * A twist for an operand is named after its register.  Rows take the register,
 * its operand id, the stage, and a macro for the registers of a call that would
 * succeed.
 */
#ifndef SOFTSEAM_TESTS_TD_TWISTS_H
#define SOFTSEAM_TESTS_TD_TWISTS_H

#include "td_host.h"

#define DECLARE_TWIST(name)	void name(struct host *h, struct seam_regs *in)

#define DECLARE_REG_TWISTS(reg)			\
	DECLARE_TWIST(reg ## _misaligned);	\
	DECLARE_TWIST(reg ## _keyid);		\
	DECLARE_TWIST(reg ## _above_maxpa);	\
	DECLARE_TWIST(reg ## _no_tdmr);		\
	DECLARE_TWIST(reg ## _no_init);		\
	DECLARE_TWIST(reg ## _reserved);	\
	DECLARE_TWIST(reg ## _used);		\
	DECLARE_TWIST(reg ## _free);		\
	DECLARE_TWIST(reg ## _large);		\
	DECLARE_TWIST(reg ## _shared);		\
	DECLARE_TWIST(reg ## _exclusive);	\
	DECLARE_TWIST(reg ## _region);		\
	DECLARE_TWIST(reg ## _not_ram)

DECLARE_REG_TWISTS(rcx);
DECLARE_REG_TWISTS(rdx);
DECLARE_REG_TWISTS(r8);

/* State of the TD, of the tree, of the vCPU. */
DECLARE_TWIST(td_fatal);
DECLARE_TWIST(td_no_keys);
DECLARE_TWIST(td_few_pages);
DECLARE_TWIST(td_op_locked);
DECLARE_TWIST(td_op_uninit);
DECLARE_TWIST(td_op_init);
DECLARE_TWIST(td_op_runnable);
DECLARE_TWIST(tdr_locked_shared);
DECLARE_TWIST(tdr_locked_exclusive);
DECLARE_TWIST(gpa_low_bits);
DECLARE_TWIST(gpa_high_bits);
DECLARE_TWIST(gpa_shared);
DECLARE_TWIST(gpa_beyond);
DECLARE_TWIST(gpa_level_7);
DECLARE_TWIST(tree_shared);
DECLARE_TWIST(tree_exclusive);

#define ROW_AT(prefix, twist_, stage_, in_, status_)				\
	{ prefix #twist_, .stage = stage_, .twist = twist_, .in = in_(), .status = status_ }

/* Any page: [P] but for the type. */
#define ADDRESS_ROWS(reg, op, stage, in)					\
	ROW_AT("", reg ## _misaligned, stage, in, TDX_OPERAND_INVALID | op),	\
	ROW_AT("", reg ## _keyid, stage, in, TDX_OPERAND_INVALID | op),		\
	ROW_AT("", reg ## _above_maxpa, stage, in, TDX_OPERAND_INVALID | op),	\
	ROW_AT("", reg ## _no_tdmr, stage, in, TDX_OPERAND_ADDR_RANGE_ERROR | op), \
	ROW_AT("", reg ## _no_init, stage, in, TDX_OPERAND_ADDR_RANGE_ERROR | op), \
	ROW_AT("", reg ## _reserved, stage, in, TDX_PAGE_METADATA_INCORRECT | op), \
	ROW_AT("", reg ## _exclusive, stage, in, TDX_OPERAND_BUSY | op),	\
	ROW_AT("", reg ## _region, stage, in, TDX_OPERAND_BUSY | op)

/* A page that the module takes. */
#define FREE_PAGE_ROWS(reg, op, stage_, in_)					\
	ADDRESS_ROWS(reg, op, stage_, in_),					\
	ROW_AT("", reg ## _shared, stage_, in_, TDX_OPERAND_BUSY | op),		\
	ROW_AT("", reg ## _used, stage_, in_, TDX_PAGE_METADATA_INCORRECT | op), \
	ROW_AT("", reg ## _large, stage_, in_, TDX_PAGE_METADATA_INCORRECT | op), \
	{ #reg "_not_ram", .stage = stage_, .twist = reg ## _not_ram, .in = in_(),	\
	  .status = TDX_OPERAND_INVALID | op, .rule = "not-ram" }

/* A TDR or TDVPR, that the leaf locks shared or exclusive. */
#define CONTROL_SHARED_ROWS(reg, op, stage, in)					\
	ADDRESS_ROWS(reg, op, stage, in),					\
	ROW_AT("", reg ## _free, stage, in, TDX_PAGE_METADATA_INCORRECT | op)
#define CONTROL_EXCLUSIVE_ROWS(reg, op, stage, in)				\
	CONTROL_SHARED_ROWS(reg, op, stage, in),				\
	ROW_AT("", reg ## _shared, stage, in, TDX_OPERAND_BUSY | op)

/* The TD build state: [T] but for the operation state. */
#define TD_STATE_ROWS(stage, in)						\
	ROW_AT("", td_fatal, stage, in, TDX_TD_FATAL),				\
	ROW_AT("", td_no_keys, stage, in, TDX_TD_KEYS_NOT_CONFIGURED),		\
	ROW_AT("", td_few_pages, stage, in, TDX_TDCS_NOT_ALLOCATED)
#define OP_LOCKED_ROW(stage, in)						\
	ROW_AT("", td_op_locked, stage, in, TDX_OPERAND_BUSY | OPERAND_OP_STATE)
#define OP_STATE_ROW(state, stage, in)						\
	ROW_AT("", td_op_ ## state, stage, in, TDX_OP_STATE_INCORRECT)

/* GPA and level in RCX: [G] up to the walk. */
#define GPA_ROWS(stage, in)							\
	ROW_AT("", gpa_low_bits, stage, in, TDX_OPERAND_INVALID | OPERAND_RCX),	\
	ROW_AT("", gpa_high_bits, stage, in, TDX_OPERAND_INVALID | OPERAND_RCX), \
	ROW_AT("", gpa_shared, stage, in, TDX_OPERAND_INVALID | OPERAND_RCX),	\
	ROW_AT("", gpa_beyond, stage, in, TDX_OPERAND_INVALID | OPERAND_RCX),	\
	ROW_AT("", gpa_level_7, stage, in, TDX_OPERAND_INVALID | OPERAND_RCX)

#endif
