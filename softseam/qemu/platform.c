// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <time.h>

#include "execute.h"
#include "msr.h"
#include "platform.h"
#include "ram.h"
#include "report.h"
#include "stats.h"
#include "symbols.h"
#include "tcg_race.h"
#include "tcg_tlb.h"
#include "trace.h"
#include "tsc.h"

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

static void machine_cpuid(void *opaque, unsigned int cpu, uint32_t leaf, uint32_t subleaf,
			  uint32_t out[4])
{
	struct platform *p = opaque;
	struct cpuid_result r;

	(void)cpu;
	probe_lookup(&p->probe, leaf, subleaf, out);
	r = (struct cpuid_result){ out[0], out[1], out[2], out[3] };
	cpuid_adjust(&p->opt, leaf, subleaf, &r);
	out[0] = r.eax;
	out[1] = r.ebx;
	out[2] = r.ecx;
	out[3] = r.edx;
}

static uint64_t machine_rdtsc(void *opaque, unsigned int cpu)
{
	struct platform *p = opaque;

	(void)cpu;
	return tsc_read() + p->probe.tsc_offset;
}

static bool machine_can_run_guest(void *opaque, unsigned int cpu)
{
	struct platform *p = opaque;
	static atomic_bool said;
	char reason[WINDOW_REASON] = "";
	const char *missing = probe_missing(&p->probe);

	(void)cpu;
	if (!p->window)
		snprintf(reason, sizeof(reason), "%s", p->no_window);
	else if (missing)
		snprintf(reason, sizeof(reason), "the CPUs cannot run guests; add %s to -cpu",
			 missing);
	else
		window_locate(p->window, reason, sizeof(reason));

	if (reason[0] && !atomic_exchange(&said, true))
		report("TDs cannot run: %s", reason);
	return !reason[0];
}

static void *machine_private_page(void *opaque, uint64_t pa)
{
	struct platform *p = opaque;

	return window_private(p->window, pa);
}

/*
 * QEMU keeps translations of code: it has to hear of new code that no CPU wrote.
 * Where the CPUs do not see the window, none executed anything there.
 */
static void machine_private_written(void *opaque, unsigned int cpu, uint64_t pa, uint64_t len)
{
	struct platform *p = opaque;
	char reason[WINDOW_REASON];
	GByteArray *buf;

	(void)cpu;
	if (!window_locate(p->window, reason, sizeof(reason)))
		return;
	buf = g_byte_array_new();
	g_byte_array_append(buf, window_private(p->window, pa), (guint)len);
	qemu_plugin_write_memory_hwaddr(window_private_pa(p->window, pa), buf);
	g_byte_array_free(buf, TRUE);
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

static void flush_files(void *opaque)
{
	struct platform *p = opaque;

	if (p->trace)
		trace_flush(p->trace);
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
		.cpuid = p->window ? machine_cpuid : NULL,
		.rdtsc = machine_rdtsc,
		.can_run_guest = machine_can_run_guest,
		.private_page = p->window ? machine_private_page : NULL,
		.private_written = p->window ? machine_private_written : NULL,
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

	if (!p->ram) {
		p->ram = ram_open(p->opt.ram);
		p->window = window_open(p->ram, p->opt.seam.nr_cpus, p->no_window,
					sizeof(p->no_window));
		if (p->window && p->opt.seam.nr_cpus > 1 && !tcg_race_close())
			report("a race in this QEMU stays open: TDs that run on CPU 0 can fail");
		if (p->window && p->opt.own_tlbs && !tcg_tlb_take_over(p->opt.seam.nr_cpus))
			report("the TLBs of this QEMU are unknown: TDs run, but several times slower");
	}
	if (p->window)
		window_forget(p->window);
	probe_init(&p->probe);
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
	report_before_fatal(flush_files, p);
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

enum seam_end platform_guest_exit(struct platform *p, struct vcpu *v,
				  const struct guest_exit *exit,
				  struct guest_result *result)
{
	enum seam_end how = seam_guest_exit(p->seam, v->index, exit, result);

	if (how == SEAM_END_DONE)
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
