/* SPDX-License-Identifier: GPL-2.0 */
/* What a TD holds when it starts. */
#ifndef TDX_HOST_IMAGE_H
#define TDX_HOST_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#define TD_MAX_REGIONS		8

/* Whole pages. */
struct td_region {
	u64 gpa;
	u64 size;
	u8 *data;
	bool measured;
};

struct td_image {
	unsigned int nr_regions;
	struct td_region regions[TD_MAX_REGIONS];
};

/*
 * An ELF executable whose segments lie below 4 GB.  Pages with content in the
 * file are to be measured; pages without are not, and hold garbage.
 */
int td_image_from_elf(struct td_image *image, const void *elf, size_t size);
int td_image_from_file(struct td_image *image, const char *path);
/* The payload that is part of this program; blob.S holds it. */
extern const u8 payload_start[], payload_end[];

int td_image_builtin(struct td_image *image);
void td_image_free(struct td_image *image);

/* The lowest GPA. */
u64 td_image_start(const struct td_image *image);

#endif
