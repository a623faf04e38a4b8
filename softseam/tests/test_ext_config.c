// SPDX-License-Identifier: GPL-2.0-only
/* TDH.SYS.CONFIG version 1: the choice of add-on features. */
#include "feature_host.h"

#define CONFIG(features)	{ .rax = TDH_SYS_CONFIG | 1 << 16, .rcx = HOST_ARRAY, \
				  .rdx = HOST_TDMRS, .r8 = HOST_HKID, .r9 = (features) }

static const struct row config_rows[] = {
	{ "v1_success", { EXT }, STAGE_LPS, .in = CONFIG(FEATURE_QUOTE) },
	{ "v1_nothing_chosen", { EXT }, STAGE_LPS, .in = CONFIG(0) },
	{ "v1_ext_says_nothing", { EXT }, STAGE_LPS, .in = CONFIG(FEATURE_EXT) },
	{ "v1_not_offered", .stage = STAGE_LPS, .in = CONFIG(0),
	  .status = TDX_OPERAND_INVALID | OPERAND_RAX },
	{ "v2", { EXT }, STAGE_LPS, .in = { .rax = TDH_SYS_CONFIG | 2 << 16 },
	  .status = TDX_OPERAND_INVALID | OPERAND_RAX },
	{ "v1_feature_not_offered", { EXT }, STAGE_LPS, .in = CONFIG(FEATURE_TDXCONNECT),
	  .status = TDX_OPERAND_INVALID | OPERAND_R9 },
	{ "v1_no_add_on", { EXT }, STAGE_LPS, .in = CONFIG(FEATURE_NO_RBP_MOD),
	  .status = TDX_OPERAND_INVALID | OPERAND_R9 },
	{ "v1_unknown_bit", { EXT }, STAGE_LPS, .in = CONFIG(1ULL << 63),
	  .status = TDX_OPERAND_INVALID | OPERAND_R9 },
	{ "v0_ignores_r9", { EXT }, STAGE_LPS,
	  .in = { .rax = TDH_SYS_CONFIG, .rcx = HOST_ARRAY, .rdx = HOST_TDMRS, .r8 = HOST_HKID,
		  .r9 = ~0ULL } },
};

int main(void)
{
	return run_rows("ext_config", config_rows, ARRAY_SIZE(config_rows));
}
