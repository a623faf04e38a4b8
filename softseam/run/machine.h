/* SPDX-License-Identifier: GPL-2.0-only */
/* The machine that softseam works on, as a command that starts QEMU. */
#ifndef SOFTSEAM_MACHINE_H
#define SOFTSEAM_MACHINE_H

#include "request.h"
#include "words.h"

/* @plugin is where the plugin is, if @r has one. */
void machine_command(struct words *w, const struct request *r, const char *qemu,
		     const char *plugin);

#endif
