/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Large zeroed areas of which little is used: address space only, to which the
 * system gives memory when it is first written.
 */
#ifndef SOFTSEAM_SPARSE_H
#define SOFTSEAM_SPARSE_H

#include <stddef.h>
#include <sys/mman.h>

/* Returns NULL if the system cannot give the address space. */
static inline void *sparse_new(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* @p may be NULL. */
static inline void sparse_free(void *p, size_t bytes)
{
	if (p)
		munmap(p, bytes);
}

/* Give the memory of a part back: it reads as zero again. */
static inline void sparse_drop(void *p, size_t bytes)
{
	madvise(p, bytes, MADV_DONTNEED);
}

#endif
