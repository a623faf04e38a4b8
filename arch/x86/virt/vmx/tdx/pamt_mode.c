// SPDX-License-Identifier: GPL-2.0
/* Dynamic or static PAMT? */
#define pr_fmt(fmt)	"virt/tdx: " fmt

#include <linux/init.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "pamt.h"
#include "tdx.h"

static bool force_static __initdata;

static int __init parse_tdx_pamt(char *arg)
{
	if (!strcmp(arg, "static"))
		force_static = true;
	else if (!strcmp(arg, "auto"))
		force_static = false;
	else
		pr_warn("tdx_pamt=%s: unknown, use \"auto\" or \"static\"\n", arg);

	return 1;
}
__setup("tdx_pamt=", parse_tdx_pamt);

/**
 * tdx_pamt_choose() - Decide whether to use Dynamic PAMT
 * @sysinfo: What the TDX module says about itself.
 *
 * A module that describes its Dynamic PAMT in a way that this kernel cannot
 * serve still works with static PAMT.
 *
 * Return: true if the PAMT is going to be dynamic.
 */
bool __init tdx_pamt_choose(const struct tdx_sys_info *sysinfo)
{
	const struct tdx_sys_info_tdmr *tdmr = &sysinfo->tdmr;

	if (!tdx_supports_dynamic_pamt(sysinfo))
		return false;

	if (force_static) {
		pr_info("Dynamic PAMT is available, not used because of tdx_pamt=static\n");
		return false;
	}

	/* What is in the bitmap is between the module and itself, but a byte is enough. */
	if (!tdmr->pamt_page_bitmap_entry_bits ||
	    tdmr->pamt_page_bitmap_entry_bits > BITS_PER_BYTE) {
		pr_warn("Dynamic PAMT wants %u bits per page, 1 to 8 are supported: using static PAMT\n",
			tdmr->pamt_page_bitmap_entry_bits);
		return false;
	}

	/* TDH.PHYMEM.PAMT.ADD takes two pages, so the entries have to fit. */
	if (tdmr->pamt_4k_entry_size != PAMT_4K_ENTRY_SIZE) {
		pr_warn("Dynamic PAMT has entries of %u bytes, %lu are supported: using static PAMT\n",
			tdmr->pamt_4k_entry_size, PAMT_4K_ENTRY_SIZE);
		return false;
	}

	return true;
}

#ifdef CONFIG_TDX_HOST_KUNIT_TEST
#include "tests/pamt_mode_kunit.c"
#endif
