/* SPDX-License-Identifier: GPL-2.0 */
/* TDX Module Extensions: memory for and start of add-on features. */
#ifndef _X86_VIRT_TDX_EXT_H
#define _X86_VIRT_TDX_EXT_H

#include <linux/types.h>

int tdx_ext_init(u64 tdx_features0);
int tdx_ext_update(void);

#endif /* _X86_VIRT_TDX_EXT_H */
