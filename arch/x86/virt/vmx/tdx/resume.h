/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Repeat interrupted SEAMCALLs.
 *
 * The TDX module polls for pending interrupts in the middle of some calls.
 * When there is one, the call ends with TDX_INTERRUPTED_RESUMABLE and the
 * host has to make it again after it took the interrupt.  What it has to pass
 * then depends on the leaf, and both kinds look the same at first:
 *
 *  - Most leaves keep their progress in the module and take the operands of
 *    the first call again.  What an interrupted call leaves in the registers
 *    is no operand.  This is "to reissue".
 *
 *  - A leaf that works through a list returns in RCX where to go on.  That
 *    value, and not the one of the first call, is the operand of the next
 *    call.  This is "to resume".
 *
 * The two cannot stand in for each other: a list that is reissued is refused,
 * because its first entries belong to the module already, and an object that
 * is resumed gets an operand that names nothing.
 */
#ifndef _X86_VIRT_TDX_RESUME_H
#define _X86_VIRT_TDX_RESUME_H

#include <linux/types.h>

struct tdx_module_args;

u64 tdx_seamcall_resume(u64 fn, struct tdx_module_args *args);
u64 tdx_seamcall_reissue(u64 fn, struct tdx_module_args *args);
u64 tdx_seamcall_reissue_limited(u64 fn, struct tdx_module_args *args,
				 unsigned int max_calls);

bool tdx_seamcall_interrupted(void);

u64 tdx_seamcall_once(u64 fn, struct tdx_module_args *args);

#endif /* _X86_VIRT_TDX_RESUME_H */
