/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_TDX_FAIL_NTH_H
#define SELFTEST_TDX_FAIL_NTH_H

/*
 * The @nth allocation that the kernel makes from now on for this thread fails.  0
 * does nothing.  Needs a kernel with CONFIG_FAILSLAB or CONFIG_FAIL_PAGE_ALLOC,
 * which say in debugfs which allocations can fail.
 *
 * Returns 0 or a negative errno, with the reason in last_error().
 */
int fail_nth(unsigned int nth);

/* How many allocations there were for this thread since; @nth if one failed. */
unsigned int fail_nth_count(unsigned int nth);

#endif
