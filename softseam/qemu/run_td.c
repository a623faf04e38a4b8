// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "gprs.h"
#include "guest.h"
#include "report.h"
#include "run_td.h"
#include "tcg_tlb.h"
#include "tsc.h"
#include "window.h"

/* A slot of the user's half, for as long as no user runs. */
#define WORLD_VA		UINT64_C(0x7f8000000000)
#define WORLD_SLOT		255
#define CODE_VA			WORLD_VA
#define DATA_VA			(WORLD_VA + 4096)
#define DATA_PAGES		4

#define PTE_PRESENT		UINT64_C(1)
#define PTE_WRITE		UINT64_C(2)
#define CR3_ADDRESS		UINT64_C(0x000ffffffffff000)
#define PAGE_TABLE_BYTES	4096

#define EFLAGS_IF		(UINT64_C(1) << 9)
#define EFER_SVME		(UINT64_C(1) << 12)
#define XSTATE_BV_SSE		UINT64_C(2)

/* Neighbours that are mapped along with the page that was missed. */
#define MAP_AROUND		(64 * TLB_PAGE_4K)

bool td_active(const struct vcpu *v)
{
	return v->td.site;
}

static uint64_t code_va(const char *at)
{
	return CODE_VA + (uint64_t)(at - world_code);
}

static struct window_lp *lp_of(const struct vcpu *v)
{
	return window_lp(v->td.site->platform->window, v->index);
}

static void save_host(struct vcpu *v)
{
	unsigned int i;

	for (i = 0; i < REG_GPRS; i++)
		v->td.gpr[i] = vcpu_read(v, i);
	v->td.cr3 = vcpu_read(v, REG_CR3);
	v->td.efer = vcpu_read(v, REG_EFER);
	v->td.eflags = vcpu_read(v, REG_EFLAGS);
}

/* The general registers are left to the end of SEAMCALL. */
static void restore_host(struct vcpu *v)
{
	vcpu_write(v, REG_EFER, v->td.efer);
	vcpu_write(v, REG_CR3, v->td.cr3);
	vcpu_write(v, REG_EFLAGS, v->td.eflags);
	vcpu_write(v, REG_RSP, v->td.gpr[REG_RSP]);
	tcg_tlb_return_to_host(tcg_tlb_of(v->index));
}

/* The host's own tables, with the world switch where users have something else. */
static uint64_t world_cr3(const struct window *w, struct window_lp *lp, const void *host_root)
{
	uint64_t (*table)[512] = lp->page_table;
	unsigned int i;

	memcpy(table[0], host_root, PAGE_TABLE_BYTES);
	table[0][WORLD_SLOT] = window_pa(w, table[1]) | PTE_PRESENT | PTE_WRITE;
	table[1][0] = window_pa(w, table[2]) | PTE_PRESENT | PTE_WRITE;
	table[2][0] = window_pa(w, table[3]) | PTE_PRESENT | PTE_WRITE;
	table[3][0] = window_code_pa(w) | PTE_PRESENT;
	for (i = 0; i < DATA_PAGES; i++)
		table[3][1 + i] = (window_pa(w, lp) + i * 4096ull) | PTE_PRESENT | PTE_WRITE;
	return window_pa(w, table[0]);
}

static void load_gprs(struct world *world, const struct seam_regs *r)
{
	const uint64_t gpr[NR_WORLD_GPRS] = {
		r->rax, r->rcx, r->rdx, r->rbx, 0, r->rbp, r->rsi, r->rdi,
		r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15,
	};

	memcpy(world->gpr, gpr, sizeof(gpr));
}

/* RAX is in the VMCB. */
static void save_gprs(const struct world *world, struct seam_regs *r)
{
	const uint64_t *gpr = world->gpr;

	*r = (struct seam_regs){
		.rax = r->rax,
		.rcx = gpr[GPR_RCX], .rdx = gpr[GPR_RDX], .rbx = gpr[GPR_RBX],
		.rbp = gpr[GPR_RBP], .rsi = gpr[GPR_RSI], .rdi = gpr[GPR_RDI],
		.r8 = gpr[GPR_R8], .r9 = gpr[GPR_R9], .r10 = gpr[GPR_R10],
		.r11 = gpr[GPR_R11], .r12 = gpr[GPR_R12], .r13 = gpr[GPR_R13],
		.r14 = gpr[GPR_R14], .r15 = gpr[GPR_R15],
	};
}

/* XMM registers that the host passes to the guest. */
static void take_host_xmm(struct vcpu *v, struct guest_run *run)
{
	uint64_t xstate_bv;
	unsigned int i;

	if (!run->xmm_from_host)
		return;
	for (i = 0; i < NR_XMM; i++)
		if (run->xmm_from_host & 1u << i)
			vcpu_read_xmm(v, i, run->cpu.xsave + XSAVE_XMM + 16 * i);
	memcpy(&xstate_bv, run->cpu.xsave + XSAVE_HEADER, sizeof(xstate_bv));
	xstate_bv |= XSTATE_BV_SSE;
	memcpy(run->cpu.xsave + XSAVE_HEADER, &xstate_bv, sizeof(xstate_bv));
	run->xmm_from_host = 0;
}

/* The world switch left all of them zero. */
static void give_host_xmm(struct vcpu *v, uint16_t mask)
{
	const uint8_t *xsave = lp_of(v)->xsave;
	uint64_t xstate_bv;
	unsigned int i;

	memcpy(&xstate_bv, xsave + XSAVE_HEADER, sizeof(xstate_bv));
	if (!(xstate_bv & XSTATE_BV_SSE))
		return;
	for (i = 0; i < NR_XMM; i++)
		if (mask & 1u << i)
			vcpu_write_xmm(v, i, xsave + XSAVE_XMM + 16 * i);
}

/* Translations are of use on the LP that made them, for the vCPU it made them for. */
static void refresh_tlb(struct vcpu *v, const struct guest_run *run)
{
	if (v->td.tlb_id != run->tlb_id || v->td.tlb_epoch != run->tlb_epoch) {
		tlb_flush(&v->td.tlb);
		tcg_tlb_drop(tcg_tlb_of(v->index), TCG_WORLD_GUEST);
	}
	v->td.tlb_id = run->tlb_id;
	v->td.tlb_epoch = run->tlb_epoch;
}

static struct vcpu_paging paging_of(const struct guest_cpu *cpu)
{
	return (struct vcpu_paging){ cpu->cr0, cpu->cr3, cpu->cr4, cpu->efer };
}

/* A write that the module did for the guest: it drops translations as the CPU's do. */
static bool paging_differs(const struct vcpu_paging *last, const struct guest_cpu *cpu)
{
	return last->cr0 != cpu->cr0 || last->cr3 != cpu->cr3 || last->cr4 != cpu->cr4 ||
	       last->efer != cpu->efer;
}

/* What changes from one stop to the next. */
static void load_vmcb(struct vcpu *v, struct guest_run *run)
{
	const struct window *w = v->td.site->platform->window;
	struct window_lp *lp = lp_of(v);
	const struct vmcb_tables tables = {
		.iopm = window_iopm_pa(w),
		.msrpm = window_msrpm_pa(w),
		.nested_cr3 = v->td.tlb.pa,
	};

	vmcb_load(&lp->guest_vmcb, run, &tables);
	load_gprs(&lp->world, &run->cpu.gpr);
	if (run->drop_linear || paging_differs(&v->td.paging, &run->cpu))
		tcg_tlb_drop(tcg_tlb_of(v->index), TCG_WORLD_GUEST);
	run->drop_linear = false;
}

static void load_guest(struct vcpu *v, struct guest_run *run)
{
	const struct window *w = v->td.site->platform->window;
	struct window_lp *lp = lp_of(v);

	load_vmcb(v, run);
	lp->world.guest_vmcb = window_pa(w, &lp->guest_vmcb);
	lp->world.host_vmcb = window_pa(w, lp->host_vmcb);
	lp->world.host_save = window_pa(w, lp->host_save);
	lp->world.xfam = run->xfam;
	lp->world.xcr0 = run->cpu.xcr0;
	lp->world.tsc_aux = run->cpu.tsc_aux;
	memcpy(lp->world.dr, run->cpu.dr, sizeof(lp->world.dr));
	memcpy(lp->xsave, run->cpu.xsave, sizeof(lp->xsave));
}

static void save_vmcb(struct vcpu *v, struct guest_run *run, struct guest_exit *exit)
{
	const struct window_lp *lp = lp_of(v);

	vmcb_save(&lp->guest_vmcb, &run->cpu, exit);
	save_gprs(&lp->world, &run->cpu.gpr);
	v->td.paging = paging_of(&run->cpu);
}

static void save_guest(struct vcpu *v, struct guest_run *run, struct guest_exit *exit)
{
	const struct window_lp *lp = lp_of(v);

	save_vmcb(v, run, exit);
	run->cpu.xcr0 = lp->world.xcr0;
	memcpy(run->cpu.dr, lp->world.dr, sizeof(run->cpu.dr));
	memcpy(run->cpu.xsave, lp->xsave, sizeof(lp->xsave));
}

static void __attribute__((noreturn)) run_guest(struct vcpu *v, struct guest_run *run)
{
	refresh_tlb(v, run);
	load_guest(v, run);
	vcpu_jump(v, code_va(world_code));
}

/* From the host into the address space of the world switch. */
static void leave_host(struct vcpu *v, struct site *site)
{
	struct platform *p = site->platform;
	const void *host_root;

	save_host(v);
	host_root = ram_pointer(p->ram, v->td.cr3 & CR3_ADDRESS, PAGE_TABLE_BYTES);
	if (!host_root)
		fatal("the page tables of CPU %u, at 0x%" PRIx64 ", are not in RAM",
		      v->index, v->td.cr3);
	v->td.site = site;
	tcg_tlb_leave_host(tcg_tlb_of(v->index));
	vcpu_write(v, REG_CR3, world_cr3(p->window, lp_of(v), host_root));
	vcpu_write(v, REG_RSP, DATA_VA);
	vcpu_write(v, REG_EFLAGS, v->td.eflags & ~EFLAGS_IF);
}

void td_enter(struct vcpu *v, struct site *site)
{
	struct platform *p = site->platform;
	struct guest_run *run = seam_guest(p->seam, v->index);
	struct window_lp *lp = window_lp(p->window, v->index);

	leave_host(v, site);
	if (!v->td.tlb.table)
		tlb_init(&v->td.tlb, lp->tlb, sizeof(lp->tlb), window_pa(p->window, lp->tlb));
	take_host_xmm(v, run);
	vcpu_write(v, REG_EFER, v->td.efer | EFER_SVME);
	run_guest(v, run);
}

void td_probe(struct vcpu *v, struct site *site)
{
	struct platform *p = site->platform;

	leave_host(v, site);
	memcpy(lp_of(v), p->probe.entry, p->probe.nr * sizeof(p->probe.entry[0]));
	vcpu_jump(v, code_va(world_probe));
}

void td_probed(struct vcpu *v)
{
	const struct site *site = v->td.site;
	struct platform *p = site->platform;
	unsigned int i;
	uint64_t tsc;

	memcpy(p->probe.entry, lp_of(v), p->probe.nr * sizeof(p->probe.entry[0]));
	memcpy(&tsc, lp_of(v)->world_page + WORLD_PROBE_TSC, sizeof(tsc));
	p->probe.tsc_offset = tsc - tsc_read();
	p->probe.done = true;
	restore_host(v);
	for (i = 0; i < REG_GPRS; i++)
		vcpu_write(v, i, v->td.gpr[i]);
	v->td.site = NULL;
	vcpu_jump(v, site->pc);
}

static bool allows(const struct guest_map *map, const struct guest_exit *exit)
{
	return (!exit->write || map->writable) && (!exit->fetch || map->executable);
}

static void insert(struct vcpu *v, const struct guest_map *map)
{
	const struct window *w = v->td.site->platform->window;
	struct tlb_page page = {
		.gpa = map->gpa,
		.pa = map->is_private ? window_private_pa(w, map->pa) : map->pa,
		.size = map->size,
		.writable = map->writable,
		.executable = map->executable,
	};

	if (tlb_insert(&v->td.tlb, &page))
		return;
	tlb_flush(&v->td.tlb);
	tlb_insert(&v->td.tlb, &page);
}

/* Returns false if what the guest wants is not there or not allowed. */
static bool map_page(struct vcpu *v, const struct guest_exit *exit)
{
	struct seam *seam = v->td.site->platform->seam;
	uint64_t start = exit->gpa & ~(MAP_AROUND - 1), gpa;
	struct guest_map map;

	if (!seam_guest_map(seam, v->index, exit->gpa, &map) || !allows(&map, exit))
		return false;
	if (map.size == TLB_PAGE_2M) {
		insert(v, &map);
		return true;
	}
	for (gpa = start; gpa < start + MAP_AROUND; gpa += TLB_PAGE_4K)
		if (seam_guest_map(seam, v->index, gpa, &map) && map.size == TLB_PAGE_4K)
			insert(v, &map);
	return true;
}

/* Back into the guest, with what is still in the CPU. */
static void __attribute__((noreturn)) resume_guest(struct vcpu *v, struct guest_run *run)
{
	load_vmcb(v, run);
	vcpu_jump(v, code_va(world_resume));
}

void td_stopped(struct vcpu *v)
{
	struct platform *p = v->td.site->platform;
	struct guest_run *run = seam_guest(p->seam, v->index);
	struct guest_exit exit;

	save_vmcb(v, run, &exit);
	if (exit.why == GUEST_STOP_MEMORY && map_page(v, &exit)) {
		run->inject = exit.vectoring;
		resume_guest(v, run);
	}
	if (seam_guest_try(p->seam, v->index, &exit))
		resume_guest(v, run);
	vcpu_jump(v, code_va(world_leave));
}

struct site *td_left(struct vcpu *v)
{
	struct site *site = v->td.site;
	struct platform *p = site->platform;
	struct guest_run *run = seam_guest(p->seam, v->index);
	struct guest_result result;
	struct guest_exit exit;

	save_guest(v, run, &exit);
	if (platform_guest_exit(p, v, &exit, &result) == SEAM_END_RUN_GUEST)
		run_guest(v, run);

	restore_host(v);
	give_host_xmm(v, result.xmm);
	gprs_write(v, &result.regs, GPRS_ALL);
	v->td.site = NULL;
	return site;
}

void td_invept(struct vcpu *v)
{
	v->td.tlb_id = 0;
}
