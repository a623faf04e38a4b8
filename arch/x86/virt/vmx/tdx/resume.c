// SPDX-License-Identifier: GPL-2.0
/* Repeat interrupted SEAMCALLs, see resume.h. */
#define pr_fmt(fmt)	"virt/tdx: " fmt

#include <linux/atomic.h>
#include <linux/limits.h>
#include <kunit/static_stub.h>
#include <asm/shared/tdx_errno.h>

#include "resume.h"
#include "seamcall_internal.h"

/* How a call that was interrupted gets its operands for the next attempt. */
enum tdx_again {
	TDX_REISSUE,
	TDX_RESUME,
};

/* Number of calls that were interrupted and have not come to an end yet. */
static atomic_t nr_interrupted = ATOMIC_INIT(0);

/**
 * tdx_seamcall_once() - Make a SEAMCALL that can be interrupted, once
 * @fn: Leaf number.
 * @args: Operands; on return, the registers as the module left them.
 *
 * All repeated calls go through here, which is where the tests take them over.
 * It passes every register that any leaf uses, because the cost of the few
 * that a leaf ignores does not show in calls that are long enough to be
 * interrupted.
 *
 * Return: The status of the call.
 */
u64 tdx_seamcall_once(u64 fn, struct tdx_module_args *args)
{
	KUNIT_STATIC_STUB_REDIRECT(tdx_seamcall_once, fn, args);

	return seamcall_saved_ret(fn, args);
}

static u64 seamcall_repeat(u64 fn, struct tdx_module_args *args,
			   enum tdx_again again, unsigned long max_calls)
{
	struct tdx_module_args next = *args;
	bool interrupted = false;
	u64 ret;

	for (;;) {
		ret = tdx_seamcall_once(fn, args);
		if (ret != TDX_INTERRUPTED_RESUMABLE || !--max_calls)
			break;

		if (!interrupted)
			atomic_inc(&nr_interrupted);
		interrupted = true;

		if (again == TDX_RESUME)
			next.rcx = args->rcx;
		*args = next;
	}

	if (interrupted)
		atomic_dec(&nr_interrupted);

	return ret;
}

/**
 * tdx_seamcall_resume() - Make a SEAMCALL that returns where to go on
 * @fn: Leaf number.
 * @args: Operands; on return, the registers as the last call left them.
 *
 * For leaves that work through a list.  While the call is interrupted, it is
 * made again with the value that it returned in RCX, and with the original
 * value of all other operands.
 *
 * Return: The status of the last call, never TDX_INTERRUPTED_RESUMABLE.
 */
u64 tdx_seamcall_resume(u64 fn, struct tdx_module_args *args)
{
	return seamcall_repeat(fn, args, TDX_RESUME, ULONG_MAX);
}

/**
 * tdx_seamcall_reissue() - Make a SEAMCALL that keeps its progress in the module
 * @fn: Leaf number.
 * @args: Operands; on return, the registers as the last call left them.
 *
 * While the call is interrupted, it is made again with its original operands.
 *
 * Return: The status of the last call, never TDX_INTERRUPTED_RESUMABLE.
 */
u64 tdx_seamcall_reissue(u64 fn, struct tdx_module_args *args)
{
	return seamcall_repeat(fn, args, TDX_REISSUE, ULONG_MAX);
}

/**
 * tdx_seamcall_reissue_limited() - tdx_seamcall_reissue() with interrupts off
 * @fn: Leaf number.
 * @args: Operands; on return, the registers as the last call left them.
 * @max_calls: How often to make the call at most, not 0.
 *
 * An interrupt that cannot be taken stays pending, and can interrupt every
 * attempt.  Most leaves do not promise to get anywhere then, so that the
 * caller has to say how often is enough.
 *
 * Return: The status of the last call, TDX_INTERRUPTED_RESUMABLE if that one
 * was interrupted as well.
 */
u64 tdx_seamcall_reissue_limited(u64 fn, struct tdx_module_args *args,
				 unsigned int max_calls)
{
	return seamcall_repeat(fn, args, TDX_REISSUE, max_calls);
}

/**
 * tdx_seamcall_interrupted() - Is there a SEAMCALL that waits to be repeated?
 *
 * A task can be preempted between two attempts.  The module that made the
 * first one has to see the last one.
 *
 * Return: true while a call is interrupted.  The answer only lasts where no
 * other task can run, as in stop_machine().
 */
bool tdx_seamcall_interrupted(void)
{
	return atomic_read(&nr_interrupted);
}
