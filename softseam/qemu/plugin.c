// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plugin as QEMU sees it: which instructions of the guest are watched, and
 * what happens when one of them is about to execute.
 */
#include <string.h>

#include "execute.h"
#include "report.h"
#include "run_td.h"
#include "tcg_tlb.h"

/* QEMU refuses to load a plugin made for an interface that it does not have. */
PLUGIN_EXPORT int qemu_plugin_version = PLUGIN_API_VERSION;

PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id,
				      const struct qemu_plugin_info *info,
				      int argc, char **argv);

#define RESET_VECTOR		0xfffffff0ull
#define GUEST_PAGE_MASK		0xfffull
#define CPUID_LEN		2
#define CR0_PROTECTED		UINT64_C(1)

static struct platform the_platform;

/* Everything watched so far: a site is the same for all its translations. */
static GHashTable *sites;
static GMutex sites_lock;

/* What a callback for an instruction was called from. */
#define TCG_CODE	__builtin_return_address(0)

static struct vcpu *this_vcpu(struct platform *p, unsigned int index, const void *from)
{
	struct vcpu *v = p->vcpu[index];
	unsigned int power_on = atomic_load(&p->power_on);

	if (v->power_on != power_on) {
		vcpu_reset(v);
		tcg_tlb_reset(tcg_tlb_of(index));
		v->power_on = power_on;
	}
	v->called_from = from;
	return v;
}

/*
 * Where the instruction of @site is for the code that executes it.  QEMU translates
 * a page of memory once, whatever it is mapped at: each process has the C library at
 * an address of its own, and @site has that of the first.  While a block executes,
 * RIP is right but for the offset in the page.
 */
static uint64_t pc_now(struct vcpu *v, const struct site *site)
{
	return (vcpu_read(v, REG_RIP) & ~GUEST_PAGE_MASK) | (site->pc & GUEST_PAGE_MASK);
}

static void finish(struct vcpu *v, struct site *site, uint64_t pc, const struct outcome *o)
{
	uint64_t next = pc + site->insn.len;

	switch (o->kind) {
	case OUTCOME_TO_TCG:
		return;
	case OUTCOME_GP:
		vcpu_raise_gp(v, pc);
	case OUTCOME_PF:
		vcpu_raise_pf(v, pc, o->va);
	case OUTCOME_DONE:
		if (o->sets_flags)
			next = flags_deliver(v, site, o->flags, next);
		vcpu_jump(v, next);
	}
}

static void finish_here(struct vcpu *v, struct site *site, const struct outcome *o)
{
	if (o->kind != OUTCOME_TO_TCG)
		finish(v, site, pc_now(v, site), o);
}

static struct outcome execute(struct vcpu *v, struct site *site)
{
	switch (site->insn.kind) {
	case INSN_RDMSR:
	case INSN_WRMSR:
		return msr_execute(v, site);
	case INSN_MOV_TO_CR4:
	case INSN_MOV_FROM_CR4:
		return cr4_execute(v, site);
	case INSN_MOVDIR64B:
		return movdir64b_execute(v, site);
	case INSN_CLFLUSH:
		return clflush_execute(v, site);
	case INSN_WBINVD:
		/* Only noted: TCG has no caches to write back. */
		if (vcpu_in_kernel(v))
			platform_wbinvd(site->platform, v);
		return outcome_to_tcg();
	default:
		return vmx_execute(v, site);
	}
}

static void on_execute(unsigned int index, void *userdata)
{
	struct site *site = userdata;
	struct vcpu *v = this_vcpu(site->platform, index, TCG_CODE);
	struct outcome o = td_active(v) ? td_execute(v, site) : execute(v, site);

	finish_here(v, site, &o);
}

/* What matters in TDs only. */
static void on_execute_in_td(unsigned int index, void *userdata)
{
	struct site *site = userdata;
	struct vcpu *v = this_vcpu(site->platform, index, TCG_CODE);
	struct outcome o;

	if (!td_active(v))
		return;
	o = td_execute(v, site);
	finish_here(v, site, &o);
}

static void on_world_stopped(unsigned int index, void *userdata)
{
	struct vcpu *v = this_vcpu(userdata, index, TCG_CODE);

	if (td_active(v))
		td_stopped(v);
}

static void on_world_left(unsigned int index, void *userdata)
{
	struct vcpu *v = this_vcpu(userdata, index, TCG_CODE);
	const struct outcome o = outcome_flags(false, false);
	struct site *site;

	if (!td_active(v))
		return;
	site = td_left(v);
	finish(v, site, site->pc, &o);
}

static void on_world_probed(unsigned int index, void *userdata)
{
	struct vcpu *v = this_vcpu(userdata, index, TCG_CODE);

	if (td_active(v))
		td_probed(v);
}

static void on_cpuid(unsigned int index, void *userdata)
{
	struct site *site = userdata;
	struct vcpu *v = this_vcpu(site->platform, index, TCG_CODE);

	if (!td_active(v))
		cpuid_before(v, site);
}

static void on_after_cpuid(unsigned int index, void *userdata)
{
	struct site *site = userdata;
	struct vcpu *v = this_vcpu(site->platform, index, TCG_CODE);

	if (!td_active(v))
		cpuid_after(v, site, site->pc);
}

/* Start over with a block that begins here, and so goes on behind the CPUID. */
static void on_restart_block(unsigned int index, void *userdata)
{
	struct site *site = userdata;
	struct vcpu *v = this_vcpu(site->platform, index, TCG_CODE);

	vcpu_jump(v, pc_now(v, site));
}

static void on_reset_vector(unsigned int index, void *userdata)
{
	struct site *site = userdata;
	struct vcpu *v = site->platform->vcpu[index];

	/* TDs start at this address, too, but never in real mode. */
	if (index == 0 && !(vcpu_read(v, REG_CR0) & CR0_PROTECTED))
		platform_power_on(site->platform);
}

static guint site_hash(gconstpointer key)
{
	const struct site *site = key;

	return g_int64_hash(&site->pc) ^ site->insn.kind;
}

static gboolean site_equal(gconstpointer a, gconstpointer b)
{
	const struct site *x = a, *y = b;

	return x->pc == y->pc && !memcmp(&x->insn, &y->insn, sizeof(x->insn));
}

static struct site *get_site(struct platform *p, uint64_t pc,
			     const struct insn *insn)
{
	struct site *site = g_new0(struct site, 1), *known;

	site->platform = p;
	site->pc = pc;
	memcpy(&site->insn, insn, sizeof(*insn));

	g_mutex_lock(&sites_lock);
	known = g_hash_table_lookup(sites, site);
	if (known) {
		g_free(site);
		site = known;
	} else {
		g_hash_table_add(sites, site);
	}
	g_mutex_unlock(&sites_lock);
	return site;
}

static struct site *get_plain_site(struct platform *p, uint64_t pc)
{
	struct insn insn;

	memset(&insn, 0, sizeof(insn));
	return get_site(p, pc, &insn);
}

/* Could this be one of ours?  Every instruction of the guest comes by here. */
static bool has_escape_byte(const uint8_t *code, size_t len)
{
	return memchr(code, 0x0f, MIN(len, (size_t)6));
}

/*
 * TCG's size is right for what it knows.  For what it does not know it can be
 * short, and the rest comes from memory.
 */
static bool decode_whole(const struct qemu_plugin_insn *qinsn, const uint8_t *code,
			 size_t avail, struct insn *insn)
{
	GByteArray *more;

	if (insn_decode(code, avail, insn))
		return true;
	if (!insn->cut_off)
		return false;

	more = g_byte_array_new();
	if (qemu_plugin_read_memory_vaddr(qemu_plugin_insn_vaddr(qinsn), more,
					  INSN_MAX_LEN))
		insn_decode(more->data, more->len, insn);
	g_byte_array_free(more, TRUE);
	return insn->kind != INSN_OTHER;
}

static bool decode_translated(const struct qemu_plugin_insn *qinsn,
			      struct insn *insn)
{
	uint8_t code[INSN_MAX_LEN];
	size_t size = qemu_plugin_insn_size(qinsn);
	size_t avail = qemu_plugin_insn_data(qinsn, code, sizeof(code));

	if (!has_escape_byte(code, avail) ||
	    !decode_whole(qinsn, code, avail, insn))
		return false;
	if (insn_known_to_tcg(insn->kind))
		return insn->len == size;
	return insn->prefix_len < size && insn->len >= size;
}

static void watch_cpuid(struct platform *p, struct qemu_plugin_tb *tb, size_t i,
			struct site *site)
{
	struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
	struct qemu_plugin_insn *next;

	if (i + 1 < qemu_plugin_tb_n_insns(tb)) {
		next = qemu_plugin_tb_get_insn(tb, i + 1);
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_cpuid,
				QEMU_PLUGIN_CB_R_REGS, site);
		qemu_plugin_register_vcpu_insn_exec_cb(next, on_after_cpuid,
				QEMU_PLUGIN_CB_RW_REGS,
				get_plain_site(p, qemu_plugin_insn_vaddr(next)));
	} else if (i > 0) {
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_restart_block,
				QEMU_PLUGIN_CB_RW_REGS_PC, site);
	} else {
		/* The page ends here: see watch_page_start(). */
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_cpuid,
				QEMU_PLUGIN_CB_R_REGS, site);
	}
}

/* A block ends with its page, so a CPUID can be the last of the page before. */
static void watch_page_start(struct platform *p, struct qemu_plugin_insn *insn)
{
	uint64_t pc = qemu_plugin_insn_vaddr(insn);

	if ((pc & GUEST_PAGE_MASK) < CPUID_LEN)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_after_cpuid,
				QEMU_PLUGIN_CB_RW_REGS, get_plain_site(p, pc));
}

/*
 * The code of the world switch is told by the memory it is in.  No TD has that among
 * its pages, whatever linear addresses it uses.
 */
static bool watch_world(struct platform *p, struct qemu_plugin_insn *qinsn)
{
	const char *at = p->window ?
		window_code_at(p->window, qemu_plugin_insn_haddr(qinsn)) : NULL;
	qemu_plugin_vcpu_cb on = at == world_stopped ? on_world_stopped :
				 at == world_left ? on_world_left :
				 at == world_probed ? on_world_probed : NULL;

	if (on)
		qemu_plugin_register_vcpu_insn_exec_cb(qinsn, on, QEMU_PLUGIN_CB_RW_REGS_PC, p);
	return at;
}

static bool is_of_tds(enum insn_kind kind)
{
	switch (kind) {
	case INSN_CPUID:
	case INSN_RDTSC:
	case INSN_RDTSCP:
	case INSN_TDCALL:
	case INSN_XSETBV:
	case INSN_MOV_TO_CR3:
		return true;
	default:
		return false;
	}
}

/*
 * An instruction alone in its block may be one that is single-stepped, or that
 * stands in the shadow of STI.  What is done in place of TCG ends neither, so the
 * guest stops there.
 */
static void watch_in_td(struct qemu_plugin_tb *tb, struct qemu_plugin_insn *qinsn,
			struct site *site)
{
	bool keeps_to_itself = qemu_plugin_tb_n_insns(tb) == 1;
	bool can_stop = site->insn.kind != INSN_XSETBV && site->insn.kind != INSN_MOV_TO_CR3;

	if (!keeps_to_itself || !can_stop)
		qemu_plugin_register_vcpu_insn_exec_cb(qinsn, on_execute_in_td,
				QEMU_PLUGIN_CB_RW_REGS_PC, site);
}

static void watch_insn(struct platform *p, struct qemu_plugin_tb *tb, size_t i)
{
	struct qemu_plugin_insn *qinsn = qemu_plugin_tb_get_insn(tb, i);
	uint64_t pc = qemu_plugin_insn_vaddr(qinsn);
	struct insn insn;
	struct site *site;

	if (pc == RESET_VECTOR)
		qemu_plugin_register_vcpu_insn_exec_cb(qinsn, on_reset_vector,
				QEMU_PLUGIN_CB_RW_REGS, get_plain_site(p, pc));
	if (!decode_translated(qinsn, &insn))
		return;
	if (insn.kind == INSN_CLFLUSH && !seam_wants_clflush(&p->opt.seam))
		return;

	site = get_site(p, pc, &insn);
	if (insn.kind == INSN_CPUID)
		watch_cpuid(p, tb, i, site);
	if (is_of_tds(insn.kind))
		watch_in_td(tb, qinsn, site);
	else
		qemu_plugin_register_vcpu_insn_exec_cb(qinsn, on_execute,
				QEMU_PLUGIN_CB_RW_REGS_PC, site);
}

static void on_translate(struct qemu_plugin_tb *tb, void *userdata)
{
	struct platform *p = userdata;
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	watch_page_start(p, qemu_plugin_tb_get_insn(tb, 0));
	for (i = 0; i < n; i++)
		if (!watch_world(p, qemu_plugin_tb_get_insn(tb, i)))
			watch_insn(p, tb, i);
}

static void on_vcpu_init(unsigned int index, void *userdata)
{
	struct platform *p = userdata;

	if (index >= p->opt.seam.nr_cpus)
		fatal("CPU %u was plugged in; softseam needs all CPUs from the start",
		      index);
	p->vcpu[index] = vcpu_new(index);
}

static void on_exception(unsigned int index, enum qemu_plugin_discon_type type,
			 uint64_t from_pc, uint64_t to_pc, void *userdata)
{
	struct platform *p = userdata;

	(void)type;
	(void)to_pc;
	vcpu_exception(this_vcpu(p, index, NULL), from_pc);
}

/*
 * In the code of the world switch that is an NMI: the host handles it there, with
 * translations of its own that the switch must not keep.
 */
static void on_interrupt(unsigned int index, enum qemu_plugin_discon_type type,
			 uint64_t from_pc, uint64_t to_pc, void *userdata)
{
	struct platform *p = userdata;

	(void)type;
	(void)from_pc;
	(void)to_pc;
	if (td_active(this_vcpu(p, index, NULL)))
		tcg_tlb_drop(tcg_tlb_of(index), TCG_WORLD_SWITCH);
}

static void on_qemu_exit(void *userdata)
{
	platform_exit(userdata);
}

static bool is_supported(const struct qemu_plugin_info *info)
{
	return info->system_emulation && !strcmp(info->target_name, "x86_64") &&
	       info->version.min <= PLUGIN_API_VERSION &&
	       info->version.cur >= PLUGIN_API_VERSION;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_plugin_info *info,
			int argc, char **argv)
{
	struct platform *p = &the_platform;
	char err[512];

	if (!is_supported(info)) {
		report("needs qemu-system-x86_64 with plugin interface %d (QEMU 11.1)",
		       PLUGIN_API_VERSION);
		return 1;
	}
	if (!platform_init(p, argc, argv, (unsigned int)info->smp_vcpus, err, sizeof(err))) {
		report("%s", err);
		return 1;
	}

	sites = g_hash_table_new(site_hash, site_equal);
	qemu_plugin_register_vcpu_init_cb(id, on_vcpu_init, p);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate, p);
	qemu_plugin_register_vcpu_discon_cb(id, QEMU_PLUGIN_DISCON_EXCEPTION,
					    on_exception, p);
	qemu_plugin_register_vcpu_discon_cb(id, QEMU_PLUGIN_DISCON_INTERRUPT,
					    on_interrupt, p);
	qemu_plugin_register_atexit_cb(id, on_qemu_exit, p);
	return 0;
}
