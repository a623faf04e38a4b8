// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <linux/elf.h>
#include "image.h"
#include "kvm_tdx.h"

#define PAGE_SIZE		4096UL
#define GB4			(4UL << 30)
#define MAX_FILE		(16UL << 20)
/* Nobody promised the guest zeroes in pages that are not measured. */
#define GARBAGE			0xa5

static u64 page_down(u64 x)
{
	return x & -PAGE_SIZE;
}

static u64 page_up(u64 x)
{
	return page_down(x + PAGE_SIZE - 1);
}

/* Returns the region's memory or NULL. */
static u8 *add_region(struct td_image *image, u64 start, u64 end, bool measured)
{
	struct td_region *region = &image->regions[image->nr_regions];
	u8 *data;

	if (image->nr_regions == TD_MAX_REGIONS)
		return NULL;
	data = mmap(NULL, end - start, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return NULL;
	memset(data, measured ? 0 : GARBAGE, end - start);

	*region = (struct td_region){ start, end - start, data, measured };
	image->nr_regions++;
	return data;
}

static int add_segment(struct td_image *image, const u8 *elf, const struct elf64_phdr *ph)
{
	u64 start = page_down(ph->p_vaddr);
	u64 end = page_up(ph->p_vaddr + ph->p_memsz);
	u64 file_end = ph->p_filesz ? page_up(ph->p_vaddr + ph->p_filesz) : start;
	u8 *data;

	if (file_end > start) {
		data = add_region(image, start, file_end, true);
		if (!data)
			return -ENOMEM;
		memcpy(data + (ph->p_vaddr - start), elf + ph->p_offset, ph->p_filesz);
	}
	if (end > file_end && !add_region(image, file_end, end, false))
		return -ENOMEM;
	return 0;
}

static const char *bad_header(const u8 *elf, size_t size)
{
	const struct elf64_hdr *eh = (const void *)elf;

	if (size < sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG) ||
	    eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_machine != EM_X86_64)
		return "not an x86-64 ELF file";
	if (eh->e_phentsize != sizeof(struct elf64_phdr) || eh->e_phoff > size ||
	    eh->e_phnum * sizeof(struct elf64_phdr) > size - eh->e_phoff)
		return "truncated";
	return NULL;
}

static const char *bad_segment(const struct elf64_phdr *ph, size_t size)
{
	if (ph->p_offset > size || ph->p_filesz > size - ph->p_offset)
		return "truncated";
	if (ph->p_filesz > ph->p_memsz || ph->p_vaddr >= GB4 || ph->p_memsz > GB4 - ph->p_vaddr)
		return "a segment is not below 4 GB";
	return NULL;
}

static int refuse(struct td_image *image, const char *why)
{
	td_image_free(image);
	return error(-EINVAL, "payload: %s", why);
}

int td_image_from_elf(struct td_image *image, const void *elf, size_t size)
{
	const char *bad = bad_header(elf, size);
	const struct elf64_hdr *eh = elf;
	const struct elf64_phdr *ph;

	memset(image, 0, sizeof(*image));
	if (bad)
		return refuse(image, bad);

	ph = elf + eh->e_phoff;
	for (unsigned int i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type != PT_LOAD || !ph[i].p_memsz)
			continue;
		bad = bad_segment(&ph[i], size);
		if (bad)
			return refuse(image, bad);
		if (add_segment(image, elf, &ph[i]))
			return refuse(image, "too many segments, or no memory for them");
	}
	return image->nr_regions ? 0 : refuse(image, "nothing to load in it");
}

int td_image_from_file(struct td_image *image, const char *path)
{
	FILE *file = fopen(path, "rbe");
	struct stat st;
	void *elf;
	int ret;

	if (!file || fstat(fileno(file), &st)) {
		ret = error(-errno, "payload: %s: %s", path, strerror(errno));
		if (file)
			fclose(file);
		return ret;
	}

	elf = st.st_size <= (off_t)MAX_FILE ? malloc(st.st_size) : NULL;
	if (!elf || fread(elf, 1, st.st_size, file) != (size_t)st.st_size)
		ret = error(-EIO, "payload: cannot read %s", path);
	else
		ret = td_image_from_elf(image, elf, st.st_size);
	free(elf);
	fclose(file);
	return ret;
}

int td_image_builtin(struct td_image *image)
{
	return td_image_from_elf(image, payload_start, payload_end - payload_start);
}

void td_image_free(struct td_image *image)
{
	for (unsigned int i = 0; i < image->nr_regions; i++)
		munmap(image->regions[i].data, image->regions[i].size);
	image->nr_regions = 0;
}

u64 td_image_start(const struct td_image *image)
{
	u64 start = GB4;

	for (unsigned int i = 0; i < image->nr_regions; i++)
		if (image->regions[i].gpa < start)
			start = image->regions[i].gpa;
	return start;
}
