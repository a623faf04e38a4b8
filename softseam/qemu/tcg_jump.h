/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What QEMU's state needs before a callback jumps out of translated code, which
 * qemu_plugin_set_pc() does without.
 *
 * TCG computes arithmetic flags when somebody asks, and from what, its translated
 * code alone knows: env->cc_op is written where that code goes somewhere else.  A
 * jump without a word leaves the operation of some earlier instruction with the
 * operands of a later one.  Whoever wants the flags next, and be it an interrupt or
 * #VMEXIT that saves them, then finds other flags, too: any bit of an operand can
 * come to stand for IF, TF or NT.
 *
 * VMRUN with an interrupt to inject delivers it, and still leaves its vector as the
 * exception that is pending.  Nobody looks at that but for the next jump out of
 * translated code, which delivers the interrupt once more, whatever IF is.
 */
#ifndef SOFTSEAM_TCG_JUMP_H
#define SOFTSEAM_TCG_JUMP_H

#include <stdbool.h>

/* Whether tcg_jump_settle() does what it should: not with every build of QEMU. */
bool tcg_jump_is_safe(void);

/* Before CPU @index jumps from a callback that returns to @from in translated code. */
void tcg_jump_settle(unsigned int index, const void *from);

#endif
