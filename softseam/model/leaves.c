// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of host-side leaves.  A row with a function is a leaf of this
 * module; a row with only a name is known to exist, and is answered as an
 * unknown leaf is.
 */
#include <stddef.h>

#include "leaves.h"

#define R(reg, meaning)	{ offsetof(struct seam_regs, reg), meaning }

static const struct leaf leaves[SEAM_MAX_LEAF] = {
	[0]  = { .name = "TDH.VP.ENTER" },
	[1]  = { .name = "TDH.MNG.ADDCX" },
	[2]  = { .name = "TDH.MEM.PAGE.ADD" },
	[3]  = { .name = "TDH.MEM.SEPT.ADD", .version = 1 },
	[4]  = { .name = "TDH.VP.ADDCX" },
	[5]  = { .name = "TDH.MEM.PAGE.RELOCATE" },
	[6]  = { .name = "TDH.MEM.PAGE.AUG" },
	[7]  = { .name = "TDH.MEM.RANGE.BLOCK" },
	[8]  = { .name = "TDH.MNG.KEY.CONFIG" },
	[9]  = { .name = "TDH.MNG.CREATE" },
	[10] = { .name = "TDH.VP.CREATE" },
	[11] = { .name = "TDH.MNG.RD", .version = 1 },
	[12] = { .name = "TDH.MEM.RD" },
	[13] = { .name = "TDH.MNG.WR" },
	[14] = { .name = "TDH.MEM.WR" },
	[15] = { .name = "TDH.MEM.PAGE.DEMOTE" },
	[16] = { .name = "TDH.MR.EXTEND" },
	[17] = { .name = "TDH.MR.FINALIZE" },
	[18] = { .name = "TDH.VP.FLUSH" },
	[19] = { .name = "TDH.MNG.VPFLUSHDONE" },
	[20] = { .name = "TDH.MNG.KEY.FREEID" },
	[21] = { .name = "TDH.MNG.INIT" },
	[22] = { .name = "TDH.VP.INIT", .version = 1 },
	[23] = { .name = "TDH.MEM.PAGE.PROMOTE", .version = 1 },
	[TDH_PHYMEM_PAGE_RDMD] = {
		.name = "TDH.PHYMEM.PAGE.RDMD",
		.run = tdh_phymem_page_rdmd,
		.in = { R(rcx, "page") },
		.out = { R(rcx, "type"), R(rdx, "owner"), R(r8, "size"), R(r9, "bepoch") },
	},
	[25] = { .name = "TDH.MEM.SEPT.RD" },
	[26] = { .name = "TDH.VP.RD", .version = 1 },
	[27] = { .name = "TDH.MNG.KEY.RECLAIMID" },
	[28] = { .name = "TDH.PHYMEM.PAGE.RECLAIM" },
	[29] = { .name = "TDH.MEM.PAGE.REMOVE" },
	[30] = { .name = "TDH.MEM.SEPT.REMOVE", .version = 1 },
	[TDH_SYS_KEY_CONFIG] = {
		.name = "TDH.SYS.KEY.CONFIG",
		.run = tdh_sys_key_config,
		.flags = LEAF_SYS | LEAF_EARLY,
	},
	[32] = { .name = "TDH.SYS.INFO" },
	[TDH_SYS_INIT] = {
		.name = "TDH.SYS.INIT",
		.run = tdh_sys_init,
		.flags = LEAF_SYS | LEAF_EARLY | LEAF_EXCLUSIVE,
		.in = { R(rcx, "attributes") },
	},
	[TDH_SYS_RD] = {
		.name = "TDH.SYS.RD",
		.run = tdh_sys_rd,
		.flags = LEAF_SYS | LEAF_EARLY | LEAF_LP_INIT,
		.in = { R(rdx, "field") },
		.out = { R(rdx, "next"), R(r8, "value") },
	},
	[TDH_SYS_LP_INIT] = {
		.name = "TDH.SYS.LP.INIT",
		.run = tdh_sys_lp_init,
		.flags = LEAF_SYS | LEAF_EARLY | LEAF_EXCLUSIVE,
	},
	[TDH_SYS_TDMR_INIT] = {
		.name = "TDH.SYS.TDMR.INIT",
		.run = tdh_sys_tdmr_init,
		.flags = LEAF_SYS,
		.in = { R(rcx, "tdmr") },
		.out = { R(rdx, "next") },
	},
	[37] = { .name = "TDH.SYS.RDALL" },
	[38] = { .name = "TDH.MEM.TRACK" },
	[39] = { .name = "TDH.MEM.RANGE.UNBLOCK" },
	[40] = { .name = "TDH.PHYMEM.CACHE.WB" },
	[41] = { .name = "TDH.PHYMEM.PAGE.WBINVD" },
	[42] = { .name = "TDH.MEM.SEPT.WR" },
	[43] = { .name = "TDH.VP.WR" },
	[44] = { .name = "TDH.SYS.LP.SHUTDOWN" },
	[TDH_SYS_CONFIG] = {
		.name = "TDH.SYS.CONFIG",
		.run = tdh_sys_config,
		.flags = LEAF_SYS | LEAF_EARLY | LEAF_EXCLUSIVE,
		.in = { R(rcx, "tdmrs"), R(rdx, "nr_tdmrs"), R(r8, "hkid") },
	},
	[52] = { .name = "TDH.SYS.SHUTDOWN" },
	[53] = { .name = "TDH.SYS.UPDATE" },
	[58] = { .name = "TDH.PHYMEM.PAMT.ADD" },
	[59] = { .name = "TDH.PHYMEM.PAMT.REMOVE" },
	[60] = { .name = "TDH.EXT.INIT" },
	[61] = { .name = "TDH.EXT.MEM.ADD" },
	[TDH_SYS_DISABLE] = {
		.name = "TDH.SYS.DISABLE",
		.run = tdh_sys_disable,
		.flags = LEAF_SYS | LEAF_EARLY | LEAF_EXCLUSIVE,
	},
	[98]  = { .name = "TDH.QUOTE.GET" },
	[100] = { .name = "TDH.QUOTE.INIT" },
	[128] = { .name = "TDH.IOMMU.SETUP" },
	[129] = { .name = "TDH.IOMMU.CLEAR" },
	[130] = { .name = "TDH.SPDM.CREATE" },
	[131] = { .name = "TDH.SPDM.DELETE" },
	[132] = { .name = "TDH.IDE.STREAM.CREATE" },
	[133] = { .name = "TDH.IDE.STREAM.BLOCK" },
	[134] = { .name = "TDH.IDE.STREAM.DELETE" },
	[135] = { .name = "TDH.IDE.STREAM.KM" },
	[142] = { .name = "TDH.SPDM.CONNECT" },
	[143] = { .name = "TDH.SPDM.DISCONNECT" },
	[144] = { .name = "TDH.SPDM.MNG" },
};

const struct leaf *leaf_get(uint64_t number)
{
	if (number >= ARRAY_SIZE(leaves) || !leaves[number].name)
		return NULL;
	return &leaves[number];
}

const char *seam_leaf_name(unsigned int number)
{
	const struct leaf *leaf = leaf_get(number);

	return leaf ? leaf->name : NULL;
}
