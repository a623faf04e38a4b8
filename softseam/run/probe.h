/* SPDX-License-Identifier: GPL-2.0-only */
/* Is this a QEMU that softseam works with?  QEMU itself is asked. */
#ifndef SOFTSEAM_PROBE_H
#define SOFTSEAM_PROBE_H

#include <stdbool.h>

/* Ends the program if @qemu is not there or will not do. */
void probe_qemu(const char *qemu, bool with_plugin);

#endif
