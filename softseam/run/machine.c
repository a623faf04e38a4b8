// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "machine.h"
#include "window.h"

#define MIB		UINT64_C(0x100000)

/* A CPU that Linux takes for an Intel server, without what TCG would warn about. */
#define CPU		"Skylake-Server,-erms,-pku,-pcid,-invpcid,-avx512f,-avx512bw,-avx512cd,-avx512dq," \
			"-avx512vl,-hle,-rtm,-tsc-deadline,-xsavec,+sha-ni"
/* What runs TDs, and room for the window's address, whatever RAM there is. */
#define CPU_FOR_TDS	",+svm,+npt,phys-bits=48"

/*
 * The kernel does not bring up TDX where it could hibernate.  On a busy machine
 * timer interrupts can be too late for its check of them; and a CPU whose clock's
 * watchdog waits for one that stops the machine waits for good, as jiffies, the
 * clock by then, do not go on meanwhile.
 */
#define KERNEL_ARGS	"nohibernate no_timer_check tsc=nowatchdog"

static void add_option(struct words *w, const char *option, const char *value)
{
	words_add(w, option);
	words_add(w, value);
}

/* In lists of QEMU's, a comma that belongs to a value is written twice. */
static char *escape(const char *text)
{
	char *escaped = calloc(2, strlen(text) + 1), *to = escaped;

	if (!escaped)
		fail("out of memory");
	while (*text) {
		if (*text == ',')
			*to++ = ',';
		*to++ = *text++;
	}
	return escaped;
}

/* The plugin maps RAM a second time, so it must be shared memory. */
static void add_memory(struct words *w, const struct request *r)
{
	unsigned int i, cpus = r->cpus / r->nodes;

	add_option(w, "-M", r->nodes == 1 ? "q35,memory-backend=ram0" : "q35");
	words_add(w, "-m");
	words_addf(w, "%uM", r->memory_mb);
	for (i = 0; i < r->nodes; i++) {
		words_add(w, "-object");
		words_addf(w, "memory-backend-memfd,id=ram%u,size=%uM,share=on", i,
			   r->memory_mb / r->nodes);
	}
	for (i = 0; r->nodes > 1 && i < r->nodes; i++) {
		words_add(w, "-numa");
		words_addf(w, "node,nodeid=%u,memdev=ram%u,cpus=%u-%u", i, i, i * cpus,
			   (i + 1) * cpus - 1);
	}
}

/* The size of PCI memory is a power of two. */
static unsigned int window_mb(const struct request *r)
{
	uint64_t size = MIB;

	while (size < window_need(r->memory_mb * MIB, r->cpus))
		size *= 2;
	return (unsigned int)(size / MIB);
}

static void add_window(struct words *w, const struct request *r)
{
	words_add(w, "-object");
	words_addf(w, "memory-backend-memfd,id=private,size=%uM,share=on", window_mb(r));
	add_option(w, "-device", "ivshmem-plain,memdev=private");
}

static void add_plugin(struct words *w, const struct request *r, const char *plugin)
{
	char *value, *text = escape(plugin), *longer;
	unsigned int i;

	value = words_format("file=%s", text);
	free(text);
	if (r->sockets > 1 && !request_seam(r, "packages")) {
		longer = words_format("%s,packages=%u", value, r->sockets);
		free(value);
		value = longer;
	}
	for (i = 0; i < r->nr_seam; i++) {
		text = escape(r->seam[i]);
		longer = words_format("%s,%s", value, text);
		free(text);
		free(value);
		value = longer;
	}
	add_option(w, "-plugin", value);
	free(value);
}

static void add_kernel(struct words *w, const struct request *r)
{
	const char *args = r->append ? r->append : "";

	add_option(w, "-kernel", r->kernel);
	if (r->initrd)
		add_option(w, "-initrd", r->initrd);
	if (r->kernel_args) {
		/* In front: behind "--" they would be for init. */
		words_add(w, "-append");
		words_addf(w, "%s%s%s", KERNEL_ARGS, *args ? " " : "", args);
	} else if (r->append) {
		add_option(w, "-append", args);
	}
}

void machine_command(struct words *w, const struct request *r, const char *qemu,
		     const char *plugin)
{
	char **more;

	words_add(w, qemu);
	add_option(w, "-accel", "tcg,thread=multi");
	add_option(w, "-cpu", r->tds ? CPU CPU_FOR_TDS : CPU);
	words_add(w, "-smp");
	words_addf(w, "%u,sockets=%u", r->cpus, r->sockets);
	add_memory(w, r);
	if (r->tds)
		add_window(w, r);
	if (request_has_plugin(r))
		add_plugin(w, r, plugin);
	if (r->kernel)
		add_kernel(w, r);
	for (more = r->more; *more; more++)
		words_add(w, *more);
}
