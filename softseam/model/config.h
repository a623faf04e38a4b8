/* SPDX-License-Identifier: GPL-2.0-only */
/* The configuration: completion and its arguments. */
#ifndef SOFTSEAM_CONFIG_H
#define SOFTSEAM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "seam.h"

/*
 * Check @cfg as a whole and fill in what follows from the rest: maxpa and the
 * package of each CPU.  Returns false with one line in @err.
 */
bool config_complete(struct seam_config *cfg, char *err, size_t errlen);

#endif
