/* SPDX-License-Identifier: GPL-2.0-only */
/* A race in TCG that TDs cannot live with. */
#ifndef SOFTSEAM_TCG_RACE_H
#define SOFTSEAM_TCG_RACE_H

#include <stdbool.h>

/*
 * Whatever CPU loads x87 registers that hold no unmasked exception, TCG clears the
 * IGNNE flag of CPU 0, in its hflags2, with no lock.  A VMRUN or VMEXIT that CPU 0
 * does at that moment is undone in part: the guest runs without nested paging, or
 * the host with it.  The world switch loads x87 registers ten thousands of times
 * a second, so that happens within minutes.
 *
 * Nothing sets that flag but the interrupt of an x87 in a PC of the 1980s.  So let
 * the function that clears it return at once.  Returns false where QEMU does not
 * have that function, or does not let us.
 */
bool tcg_race_close(void);

#endif
