// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "leaves.h"
#include "plain.h"
#include "sparse.h"

bool plain_init(struct seam *s, uint64_t end)
{
	s->plain = (struct plain){ 0 };
	if (s->machine.private_page || !end)
		return true;
	s->plain.mem = sparse_new(end);
	s->plain.bytes = end;
	return s->plain.mem;
}

void plain_free(struct plain *plain)
{
	sparse_free(plain->mem, plain->bytes);
	*plain = (struct plain){ 0 };
}

void *plain_at(const struct seam *s, uint64_t pa)
{
	if (s->plain.mem)
		return s->plain.mem + pa;
	return s->machine.private_page(s->machine.opaque, pa);
}

void plain_written(const struct seam *s, unsigned int cpu, uint64_t pa, uint64_t len)
{
	if (s->machine.private_written)
		s->machine.private_written(s->machine.opaque, cpu, pa, len);
}

void plain_drop(const struct seam *s, uint64_t pa, uint64_t bytes)
{
	if (s->plain.mem)
		sparse_drop(s->plain.mem + pa, bytes);
	else
		memset(plain_at(s, pa), 0, bytes);
}
