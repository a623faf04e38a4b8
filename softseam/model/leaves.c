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
	[TDH_VP_ENTER] = {
		.name = "TDH.VP.ENTER",
		.run = tdh_vp_enter,
		.flags = LEAF_GUEST,
		.in = { R(rcx, "tdvpr") },
		.out = { R(rcx, "qualification"), R(rdx, "extended"), R(r8, "gpa"),
			 R(r9, "interruption") },
	},
	[TDH_MNG_ADDCX] = {
		.name = "TDH.MNG.ADDCX",
		.run = tdh_mng_addcx,
		.in = { R(rcx, "page"), R(rdx, "tdr") },
	},
	[TDH_MEM_PAGE_ADD] = {
		.name = "TDH.MEM.PAGE.ADD",
		.run = tdh_mem_page_add,
		.in = { R(rcx, "gpa"), R(rdx, "tdr"), R(r8, "page"), R(r9, "source") },
		.out = { R(rcx, "entry"), R(rdx, "state") },
	},
	[TDH_MEM_SEPT_ADD] = {
		.name = "TDH.MEM.SEPT.ADD",
		.run = tdh_mem_sept_add,
		.in = { R(rcx, "gpa"), R(rdx, "tdr"), R(r8, "page") },
		.out = { R(rcx, "entry"), R(rdx, "state") },
	},
	[TDH_VP_ADDCX] = {
		.name = "TDH.VP.ADDCX",
		.run = tdh_vp_addcx,
		.in = { R(rcx, "page"), R(rdx, "tdvpr") },
	},
	[5]  = { .name = "TDH.MEM.PAGE.RELOCATE" },
	[TDH_MEM_PAGE_AUG] = {
		.name = "TDH.MEM.PAGE.AUG",
		.run = tdh_mem_page_aug,
		.in = { R(rcx, "gpa"), R(rdx, "tdr"), R(r8, "page") },
		.out = { R(rcx, "entry"), R(rdx, "state") },
	},
	[TDH_MEM_RANGE_BLOCK] = {
		.name = "TDH.MEM.RANGE.BLOCK",
		.run = tdh_mem_range_block,
		.in = { R(rcx, "gpa"), R(rdx, "tdr") },
		.out = { R(rcx, "entry"), R(rdx, "state") },
	},
	[TDH_MNG_KEY_CONFIG] = {
		.name = "TDH.MNG.KEY.CONFIG",
		.run = tdh_mng_key_config,
		.in = { R(rcx, "tdr") },
	},
	[TDH_MNG_CREATE] = {
		.name = "TDH.MNG.CREATE",
		.run = tdh_mng_create,
		.in = { R(rcx, "page"), R(rdx, "hkid") },
	},
	[TDH_VP_CREATE] = {
		.name = "TDH.VP.CREATE",
		.run = tdh_vp_create,
		.in = { R(rcx, "page"), R(rdx, "tdr") },
	},
	[TDH_MNG_RD] = {
		.name = "TDH.MNG.RD",
		.run = tdh_mng_rd,
		.version = 1,
		.in = { R(rcx, "tdr"), R(rdx, "field") },
		.out = { R(rdx, "next"), R(r8, "value") },
	},
	[12] = { .name = "TDH.MEM.RD" },
	[13] = { .name = "TDH.MNG.WR" },
	[14] = { .name = "TDH.MEM.WR" },
	[15] = { .name = "TDH.MEM.PAGE.DEMOTE" },
	[TDH_MR_EXTEND] = {
		.name = "TDH.MR.EXTEND",
		.run = tdh_mr_extend,
		.in = { R(rcx, "gpa"), R(rdx, "tdr") },
		.out = { R(rcx, "entry"), R(rdx, "state") },
	},
	[TDH_MR_FINALIZE] = {
		.name = "TDH.MR.FINALIZE",
		.run = tdh_mr_finalize,
		.in = { R(rcx, "tdr") },
	},
	[TDH_VP_FLUSH] = {
		.name = "TDH.VP.FLUSH",
		.run = tdh_vp_flush,
		.in = { R(rcx, "tdvpr") },
	},
	[TDH_MNG_VPFLUSHDONE] = {
		.name = "TDH.MNG.VPFLUSHDONE",
		.run = tdh_mng_vpflushdone,
		.in = { R(rcx, "tdr") },
	},
	[TDH_MNG_KEY_FREEID] = {
		.name = "TDH.MNG.KEY.FREEID",
		.run = tdh_mng_key_freeid,
		.in = { R(rcx, "tdr") },
	},
	[TDH_MNG_INIT] = {
		.name = "TDH.MNG.INIT",
		.run = tdh_mng_init,
		.in = { R(rcx, "tdr"), R(rdx, "params") },
		.out = { R(rcx, "leaf") },
	},
	[TDH_VP_INIT] = {
		.name = "TDH.VP.INIT",
		.run = tdh_vp_init,
		.version = 1,
		.in = { R(rcx, "tdvpr"), R(rdx, "initial_rcx"), R(r8, "x2apic_id") },
	},
	[23] = { .name = "TDH.MEM.PAGE.PROMOTE", .version = 1 },
	[TDH_PHYMEM_PAGE_RDMD] = {
		.name = "TDH.PHYMEM.PAGE.RDMD",
		.run = tdh_phymem_page_rdmd,
		.in = { R(rcx, "page") },
		.out = { R(rcx, "type"), R(rdx, "owner"), R(r8, "size"), R(r9, "bepoch") },
	},
	[25] = { .name = "TDH.MEM.SEPT.RD" },
	[TDH_VP_RD] = {
		.name = "TDH.VP.RD",
		.run = tdh_vp_rd,
		.version = 1,
		.in = { R(rcx, "tdvpr"), R(rdx, "field") },
		.out = { R(rdx, "next"), R(r8, "value") },
	},
	[27] = { .name = "TDH.MNG.KEY.RECLAIMID" },
	[TDH_PHYMEM_PAGE_RECLAIM] = {
		.name = "TDH.PHYMEM.PAGE.RECLAIM",
		.run = tdh_phymem_page_reclaim,
		.in = { R(rcx, "page") },
		.out = { R(rcx, "type"), R(rdx, "owner"), R(r8, "size"), R(r9, "hint") },
	},
	[TDH_MEM_PAGE_REMOVE] = {
		.name = "TDH.MEM.PAGE.REMOVE",
		.run = tdh_mem_page_remove,
		.in = { R(rcx, "gpa"), R(rdx, "tdr") },
		.out = { R(rcx, "page"), R(rdx, "state") },
	},
	[TDH_MEM_SEPT_REMOVE] = {
		.name = "TDH.MEM.SEPT.REMOVE",
		.run = tdh_mem_sept_remove,
		.in = { R(rcx, "gpa"), R(rdx, "tdr") },
		.out = { R(rcx, "page"), R(rdx, "state") },
	},
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
	[TDH_MEM_TRACK] = {
		.name = "TDH.MEM.TRACK",
		.run = tdh_mem_track,
		.in = { R(rcx, "tdr") },
	},
	[TDH_MEM_RANGE_UNBLOCK] = {
		.name = "TDH.MEM.RANGE.UNBLOCK",
		.run = tdh_mem_range_unblock,
		.in = { R(rcx, "gpa"), R(rdx, "tdr") },
		.out = { R(rcx, "entry"), R(rdx, "state") },
	},
	[TDH_PHYMEM_CACHE_WB] = {
		.name = "TDH.PHYMEM.CACHE.WB",
		.run = tdh_phymem_cache_wb,
		.in = { R(rcx, "resume") },
	},
	[TDH_PHYMEM_PAGE_WBINVD] = {
		.name = "TDH.PHYMEM.PAGE.WBINVD",
		.run = tdh_phymem_page_wbinvd,
		.in = { R(rcx, "page") },
	},
	[42] = { .name = "TDH.MEM.SEPT.WR" },
	[TDH_VP_WR] = {
		.name = "TDH.VP.WR",
		.run = tdh_vp_wr,
		.in = { R(rcx, "tdvpr"), R(rdx, "field"), R(r8, "value"), R(r9, "mask") },
		.out = { R(r8, "old") },
	},
	[44] = { .name = "TDH.SYS.LP.SHUTDOWN" },
	[TDH_SYS_CONFIG] = {
		.name = "TDH.SYS.CONFIG",
		.run = tdh_sys_config,
		.flags = LEAF_SYS | LEAF_EARLY | LEAF_EXCLUSIVE,
		.version = 1,
		.version_features = FEATURE_EXT,
		.in = { R(rcx, "tdmrs"), R(rdx, "nr_tdmrs"), R(r8, "hkid"), R(r9, "features") },
	},
	[52] = { .name = "TDH.SYS.SHUTDOWN" },
	[53] = { .name = "TDH.SYS.UPDATE" },
	[TDH_PHYMEM_PAMT_ADD] = {
		.name = "TDH.PHYMEM.PAMT.ADD",
		.run = tdh_phymem_pamt_add,
		.features = FEATURE_DYNAMIC_PAMT,
		.in = { R(rcx, "region"), R(rdx, "page0"), R(r8, "page1") },
	},
	[TDH_PHYMEM_PAMT_REMOVE] = {
		.name = "TDH.PHYMEM.PAMT.REMOVE",
		.run = tdh_phymem_pamt_remove,
		.features = FEATURE_DYNAMIC_PAMT,
		.in = { R(rcx, "region") },
		.out = { R(rdx, "page0"), R(r8, "page1") },
	},
	[TDH_EXT_INIT] = {
		.name = "TDH.EXT.INIT",
		.run = tdh_ext_init,
		.features = FEATURE_EXT,
	},
	[TDH_EXT_MEM_ADD] = {
		.name = "TDH.EXT.MEM.ADD",
		.run = tdh_ext_mem_add,
		.features = FEATURE_EXT,
		.in = { R(rcx, "pages") },
		.out = { R(rcx, "left") },
	},
	[TDH_SYS_DISABLE] = {
		.name = "TDH.SYS.DISABLE",
		.run = tdh_sys_disable,
		.flags = LEAF_SYS | LEAF_EARLY | LEAF_EXCLUSIVE,
	},
	[98]  = { .name = "TDH.QUOTE.GET" },
	[100] = { .name = "TDH.QUOTE.INIT" },
	[TDH_IOMMU_SETUP] = {
		.name = "TDH.IOMMU.SETUP",
		.run = tdh_iommu_setup,
		.features = FEATURE_TDXCONNECT,
		.in = { R(rcx, "reg_base"), R(rdx, "iommu_mt") },
		.out = { R(rcx, "iommu") },
	},
	[TDH_IOMMU_CLEAR] = {
		.name = "TDH.IOMMU.CLEAR",
		.run = tdh_iommu_clear,
		.features = FEATURE_TDXCONNECT,
		.in = { R(rcx, "iommu"), R(rdx, "root") },
	},
	[TDH_SPDM_CREATE] = {
		.name = "TDH.SPDM.CREATE",
		.run = tdh_spdm_create,
		.features = FEATURE_TDXCONNECT,
		.in = { R(rcx, "func"), R(rdx, "pages") },
		.out = { R(rcx, "spdm") },
	},
	[TDH_SPDM_DELETE] = {
		.name = "TDH.SPDM.DELETE",
		.run = tdh_spdm_delete,
		.features = FEATURE_TDXCONNECT,
		.in = { R(rcx, "spdm"), R(rdx, "root") },
		.out = { R(rcx, "pages") },
	},
	[TDH_IDE_STREAM_CREATE] = {
		.name = "TDH.IDE.STREAM.CREATE",
		.run = tdh_ide_stream_create,
		.features = FEATURE_TDXCONNECT,
		.in = { R(rcx, "info"), R(rdx, "spdm"), R(r8, "pages"), R(r9, "control"),
			R(r10, "rid1"), R(r11, "rid2"), R(r12, "addr1"), R(r13, "addr2"),
			R(r14, "addr3") },
		.out = { R(rcx, "stream"), R(rdx, "ide") },
	},
	[133] = { .name = "TDH.IDE.STREAM.BLOCK" },
	[TDH_IDE_STREAM_DELETE] = {
		.name = "TDH.IDE.STREAM.DELETE",
		.run = tdh_ide_stream_delete,
		.features = FEATURE_TDXCONNECT,
		.in = { R(rcx, "spdm"), R(rdx, "stream"), R(r8, "root") },
		.out = { R(rcx, "pages") },
	},
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
