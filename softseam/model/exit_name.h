/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of the reasons for which a vCPU leaves a TD. */
#ifndef SOFTSEAM_EXIT_NAME_H
#define SOFTSEAM_EXIT_NAME_H

#include <stdint.h>

/* NULL if it has none. */
const char *exit_reason_name(uint64_t reason);
/* Of a TDG.VP.VMCALL with R10 = 0 and @function in R11. */
const char *vmcall_name(uint64_t function);

#endif
