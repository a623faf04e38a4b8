// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <time.h>

#include "msr.h"
#include "platform.h"
#include "ram.h"
#include "report.h"
#include "stats.h"
#include "symbols.h"
#include "trace.h"

#define NS_PER_S		UINT64_C(1000000000)
#define STATS_INTERVAL_NS	NS_PER_S

/* How far up the stack to look for the caller of a SEAMCALL stub. */
#define CALLER_STACK_WORDS	16

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void *machine_ram(void *opaque, uint64_t pa, uint64_t len)
{
	struct platform *p = opaque;

	return ram_pointer(p->ram, pa, len);
}

static uint64_t machine_now(void *opaque)
{
	struct platform *p = opaque;

	return monotonic_ns() - p->start_ns;
}

static uint64_t machine_rdmsr(void *opaque, unsigned int cpu, uint32_t msr)
{
	struct platform *p = opaque;

	return msr_peek(&p->opt.seam, p->vcpu[cpu], msr);
}

static void write_stats(struct platform *p)
{
	g_mutex_lock(&p->stats_lock);
	if (p->stats && p->seam)
		stats_write(p->stats, p->seam);
	g_mutex_unlock(&p->stats_lock);
}

static void machine_violation(void *opaque, const struct seam_violation *viol)
{
	struct platform *p = opaque;

	report("violation: %s: %s (cpu %u)", viol->rule, viol->text, viol->cpu);
	if (p->stats)
		stats_violation(p->stats, viol);
	if (p->trace)
		trace_violation(p->trace, viol, machine_now(p));
}

/* What is found at the end, no SEAMCALL found. */
static const char *machine_caller(void *opaque, unsigned int cpu)
{
	struct platform *p = opaque;

	return p->ended ? NULL : p->vcpu[cpu]->caller;
}

static void machine_event(void *opaque, const struct seam_event *e)
{
	struct platform *p = opaque;

	if (p->trace)
		trace_seamcall(p->trace, e, p->vcpu[e->cpu]->caller);
}

/* One thread a period writes the file; the others go on. */
static void refresh_stats(struct platform *p)
{
	uint64_t now, next;

	if (!p->stats)
		return;
	now = machine_now(p);
	next = atomic_load(&p->next_stats);
	if (now >= next &&
	    atomic_compare_exchange_strong(&p->next_stats, &next,
					   now + STATS_INTERVAL_NS))
		write_stats(p);
}

static void discard_files(void *opaque)
{
	struct platform *p = opaque;

	trace_discard(p->trace);
	stats_discard(p->stats);
	p->trace = NULL;
	p->stats = NULL;
}

static bool open_files(struct platform *p, char *err, size_t errlen)
{
	struct options *opt = &p->opt;

	if (opt->symbols) {
		p->symbols = symbols_load(opt->symbols, err, errlen);
		if (!p->symbols)
			return false;
	}
	if (opt->trace || opt->trace_json) {
		p->trace = trace_open(opt->trace, opt->trace_json, err, errlen);
		if (!p->trace)
			return false;
	}
	if (opt->stats) {
		p->stats = stats_open(opt->stats, err, errlen);
		if (!p->stats)
			return false;
	}
	return true;
}

static struct seam *new_seam(struct platform *p, const struct seam_config *cfg,
			     char *err, size_t errlen)
{
	const struct seam_machine machine = {
		.opaque = p,
		.ram = machine_ram,
		.now = machine_now,
		.rdmsr = machine_rdmsr,
		.violation = machine_violation,
		.event = p->trace ? machine_event : NULL,
		.caller = machine_caller,
		.reports_wbinvd = true,
		.reports_clflush = true,
		.reports_movdir64b = true,
	};

	return seam_new(cfg, &machine, err, errlen);
}

/* Where RAM lies is not known yet, but all else is: try it. */
static bool check_config(struct platform *p, char *err, size_t errlen)
{
	struct seam_config cfg = p->opt.seam;
	struct seam *seam;

	if (!cfg.nr_cmrs)
		cfg.cmr[cfg.nr_cmrs++] = (struct seam_range){ 0, UINT64_C(1) << 30 };
	seam = new_seam(p, &cfg, err, errlen);
	if (!seam)
		return false;
	seam_free(seam);
	return true;
}

bool platform_init(struct platform *p, int argc, char **argv,
		   unsigned int nr_cpus, char *err, size_t errlen)
{
	g_mutex_init(&p->stats_lock);
	p->start_ns = monotonic_ns();
	if (!options_parse(&p->opt, argc, argv, nr_cpus, err, errlen) ||
	    !check_config(p, err, errlen))
		return false;
	if (!open_files(p, err, errlen)) {
		discard_files(p);
		return false;
	}
	report_before_fatal(discard_files, p);
	return true;
}

static struct seam *power_on_seam(struct platform *p)
{
	struct seam_config cfg = p->opt.seam;
	struct seam *seam;
	char err[256];

	if (!cfg.nr_cmrs)
		cfg.nr_cmrs = ram_ranges(p->ram, cfg.cmr);
	seam = new_seam(p, &cfg, err, sizeof(err));
	if (!seam)
		fatal("%s", err);
	return seam;
}

void platform_power_on(struct platform *p)
{
	struct seam *old = p->seam, *new;

	if (!p->ram)
		p->ram = ram_open(p->opt.ram);
	new = power_on_seam(p);

	g_mutex_lock(&p->stats_lock);
	p->seam = new;
	if (p->stats)
		stats_reset(p->stats);
	g_mutex_unlock(&p->stats_lock);
	if (old)
		seam_free(old);

	atomic_fetch_add(&p->power_on, 1);
	/* From here on, files tell something. */
	report_before_fatal(NULL, NULL);
	write_stats(p);
}

void platform_exit(struct platform *p)
{
	p->ended = true;
	if (p->seam)
		seam_report_leaks(p->seam);
	write_stats(p);
	if (p->trace)
		trace_close(p->trace);
}

void platform_wbinvd(struct platform *p, const struct vcpu *v)
{
	if (p->seam)
		seam_wbinvd(p->seam, v->index);
}

void platform_clflush(struct platform *p, struct vcpu *v, uint64_t va)
{
	uint64_t pa = 0;

	if (p->seam && vcpu_translate(v, va, &pa))
		seam_clflush(p->seam, v->index, pa);
}

void platform_movdir64b(struct platform *p, struct vcpu *v, uint64_t va)
{
	uint64_t pa = 0;

	if (p->seam && p->opt.seam.erratum && vcpu_translate(v, va, &pa))
		seam_movdir64b(p->seam, v->index, pa);
}

void platform_vmxoff(struct platform *p)
{
	write_stats(p);
}

/*
 * The SEAMCALL stubs of the kernel are leaf functions that at most save some
 * registers, so the first code address on the stack is where they return to.
 */
static const char *find_caller(struct platform *p, struct vcpu *v)
{
	uint64_t stack[CALLER_STACK_WORDS];
	unsigned int i;

	if (!p->symbols ||
	    !vcpu_load(v, vcpu_read(v, REG_RSP), stack, sizeof(stack)))
		return NULL;
	for (i = 0; i < CALLER_STACK_WORDS; i++) {
		const char *name = symbols_lookup(p->symbols, stack[i]);

		if (name)
			return name;
	}
	return NULL;
}

enum seam_end platform_seamcall(struct platform *p, struct vcpu *v,
				struct seam_regs *regs)
{
	enum seam_end how;

	v->caller = find_caller(p, v);
	how = seam_call(p->seam, v->index, regs);
	refresh_stats(p);
	return how;
}

void platform_check_package(struct platform *p, const struct vcpu *v,
			    unsigned int package)
{
	const struct seam_config *cfg = &p->opt.seam;

	if (package == cfg->package[v->index])
		return;
	fatal("CPU %u is in package %u of the machine, but in package %u by packages=%u; packages= must be the sockets= of -smp",
	      v->index, package, cfg->package[v->index], cfg->nr_packages);
}
