// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "seam.h"
#include "tcg_tlb.h"

/* More than the part of QEMU's struct CPUState that has the TLB. */
#define CPU_BYTES		(256u << 10)
#define PAGE_BYTES		4096u
#define DIRTY_MEMORY_CODE	1u

#define INSN_ENDBR64		"\xf3\x0f\x1e\xfa"
#define INSN_MOV_ESI		0xbe
#define INSN_MOV_ESI_ESI	"\x89\xf6"
#define INSN_JMP		0xe9
#define INSN_MOVABS_RAX		"\x48\xb8"
#define INSN_JMP_RAX		"\xff\xe0"
#define JUMP_BYTES		12

/* Who calls for a flush. */
enum caller {
	/* Not known to be one of the others: all that is kept may be wrong. */
	CALLER_OTHER,
	CALLER_VMRUN,
	CALLER_VMEXIT,
	CALLER_CR3,
	/* An instruction that writes some other register: CR0, CR4, PKRU. */
	CALLER_REGISTER,
};

/* Where a vCPU is.  ENTERING: in VMRUN, which still writes the guest's registers. */
enum place { IN_HOST, IN_SWITCH, ENTERING, IN_GUEST };

struct tcg_tlb {
	/* QEMU's struct CPUState. */
	char *cpu;
	enum place place;
	/* What is not in use now, each in the form that it has in struct CPUState. */
	char *kept[TCG_WORLDS];
	/* The generation when it was last in use; 0: it holds nothing of use. */
	uint64_t generation[TCG_WORLDS];
	/* The one in use is not to be used again. */
	bool spoiled;
};

/* What is known of this QEMU. */
static struct {
	void (*flush)(void *cpu, uint64_t map);
	uint32_t all;
	void *(*get_cpu)(int index);
	bool (*clear_dirty)(uint64_t start, uint64_t bytes, unsigned int client, unsigned long mask);
	/* Where the TLB is in struct CPUState; it begins with a lock. */
	size_t start, end;
} qemu;

static struct tcg_tlb tlbs[SEAM_MAX_CPUS];
static unsigned int nr_tlbs;
/* Rises whenever a TLB that is not in use may have become wrong. */
static _Atomic uint64_t generation = 1;

static const struct {
	const char *name;
	enum caller caller;
} known_callers[] = {
	{ "helper_vmrun", CALLER_VMRUN },
	{ "do_vmexit", CALLER_VMEXIT },
	{ "cpu_x86_update_cr0", CALLER_REGISTER },
	{ "cpu_x86_update_cr3", CALLER_CR3 },
	{ "cpu_x86_update_cr4", CALLER_REGISTER },
	{ "helper_write_crN", CALLER_REGISTER },
	{ "helper_xrstor", CALLER_REGISTER },
	{ "x86_cpu_gdb_write_register", CALLER_REGISTER },
};

#define NR_CALLERS	(sizeof(known_callers) / sizeof(known_callers[0]))

struct code {
	uintptr_t start, end;
};

/* The code of each of them, and all of QEMU's. */
static struct code caller_code[NR_CALLERS], program;

static bool is_in(const void *at, const struct code *code)
{
	return (uintptr_t)at >= code->start && (uintptr_t)at < code->end;
}

/*
 * Helpers that end in a flush jump there.  So what seems to be called by translated
 * code is an instruction, too.
 */
static enum caller caller_at(const void *at)
{
	size_t i;

	for (i = 0; i < NR_CALLERS; i++)
		if (is_in(at, &caller_code[i]))
			return known_callers[i].caller;
	return is_in(at, &program) ? CALLER_OTHER : CALLER_REGISTER;
}

static void lock_tlb(const struct tcg_tlb *t)
{
	atomic_int *lock = (atomic_int *)(void *)(t->cpu + qemu.start);

	while (atomic_exchange(lock, 1))
		while (atomic_load(lock))
			;
}

static void unlock_tlb(const struct tcg_tlb *t)
{
	atomic_store((atomic_int *)(void *)(t->cpu + qemu.start), 0);
}

/*
 * Exchange the TLB in use.  Another thread that marks a page as code visits the TLBs in
 * use, each under its lock, and raises the generation before and after that.  One that
 * it does not meet was put aside before the visit, with a generation that is older than
 * the second one, or is taken up after it, when the first is newer than its own.
 */
static void exchange(struct tcg_tlb *t, enum tcg_world from, enum tcg_world to)
{
	size_t skip = sizeof(atomic_int), bytes = qemu.end - qemu.start - skip;
	char *live = t->cpu + qemu.start + skip;
	uint64_t now;
	bool stale;

	lock_tlb(t);
	now = atomic_load(&generation);
	stale = t->generation[to] != now;
	t->generation[from] = t->spoiled ? 0 : now;
	t->spoiled = false;
	memcpy(t->kept[from], live, bytes);
	memcpy(live, t->kept[to], bytes);
	unlock_tlb(t);
	if (stale)
		qemu.flush(t->cpu, qemu.all);
}

static struct tcg_tlb *find(const void *cpu)
{
	unsigned int i;

	for (i = 0; i < nr_tlbs; i++)
		if (tlbs[i].cpu == cpu)
			return &tlbs[i];
	return NULL;
}

/* A flush because a register was written.  Returns true if it is to be done. */
static bool on_register(struct tcg_tlb *t, uint32_t map, enum caller caller)
{
	bool whole = map == qemu.all;

	if (caller == CALLER_VMEXIT && !whole && t->place >= ENTERING) {
		exchange(t, TCG_WORLD_GUEST, TCG_WORLD_SWITCH);
		t->place = IN_SWITCH;
	} else if (caller == CALLER_VMRUN && !whole && t->place == IN_SWITCH) {
		exchange(t, TCG_WORLD_SWITCH, TCG_WORLD_GUEST);
		t->place = ENTERING;
	} else if (t->place == ENTERING && whole && caller != CALLER_REGISTER) {
		/* CR3 is the last one. */
		t->place = IN_GUEST;
	} else {
		return t->place == IN_HOST || t->place == IN_GUEST;
	}
	return false;
}

static void flush(void *cpu, uint32_t map, const void *from)
{
	struct tcg_tlb *t = find(cpu);
	enum caller caller = caller_at(from);

	if (!t || caller == CALLER_OTHER)
		atomic_fetch_add(&generation, 1);
	else if (!on_register(t, map, caller))
		return;
	qemu.flush(cpu, map);
}

/* These three take the places of QEMU's. */
static void tlb_flush(void *cpu)
{
	flush(cpu, qemu.all, __builtin_return_address(0));
}

static void tlb_flush_by_mmuidx(void *cpu, uint32_t map)
{
	flush(cpu, map, __builtin_return_address(0));
}

/* A page is about to hold code that was translated: writes to it must be noticed. */
static void tlb_protect_code(uint64_t ram_addr)
{
	atomic_fetch_add(&generation, 1);
	qemu.clear_dirty(ram_addr & ~(uint64_t)(PAGE_BYTES - 1), PAGE_BYTES,
			 DIRTY_MEMORY_CODE, 0);
	atomic_fetch_add(&generation, 1);
}

static const uint8_t *skip_endbr(const uint8_t *code)
{
	return memcmp(code, INSN_ENDBR64, 4) ? code : code + 4;
}

static const uint8_t *jump_target(const uint8_t *code)
{
	int32_t distance;

	if (code[0] != INSN_JMP)
		return NULL;
	memcpy(&distance, code + 1, sizeof(distance));
	return code + 5 + distance;
}

/* Both flushes are one function that they jump to, and tlb_flush() says what all is. */
static bool find_flush(void)
{
	const uint8_t *whole = dlsym(RTLD_DEFAULT, "tlb_flush");
	const uint8_t *part = dlsym(RTLD_DEFAULT, "tlb_flush_by_mmuidx");
	const uint8_t *target;

	if (!whole || !part)
		return false;
	whole = skip_endbr(whole);
	part = skip_endbr(part);
	if (whole[0] != INSN_MOV_ESI || memcmp(part, INSN_MOV_ESI_ESI, 2))
		return false;
	memcpy(&qemu.all, whole + 1, sizeof(qemu.all));
	target = jump_target(whole + 5);
	if (!target || target != jump_target(part + 2))
		return false;
	memcpy(&qemu.flush, &target, sizeof(qemu.flush));
	return true;
}

/* The one function that tlb_protect_code() ends in. */
static bool find_clear_dirty(void)
{
	const uint8_t *protect = dlsym(RTLD_DEFAULT, "tlb_protect_code");
	const uint8_t *clear = dlsym(RTLD_DEFAULT, "physical_memory_test_and_clear_dirty");
	unsigned int i;

	if (!protect || !clear)
		return false;
	for (i = 0; i < 48; i++)
		if (jump_target(protect + i) == clear)
			break;
	memcpy(&qemu.clear_dirty, &clear, sizeof(qemu.clear_dirty));
	return i < 48 && i >= JUMP_BYTES;
}

/* The first object is the program itself. */
static int find_program(struct dl_phdr_info *info, size_t size, void *opaque)
{
	struct code *code = opaque;
	int i;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const Elf64_Phdr *segment = &info->dlpi_phdr[i];

		if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
			continue;
		code->start = info->dlpi_addr + segment->p_vaddr;
		code->end = code->start + segment->p_memsz;
	}
	return 1;
}

static bool find_callers(void)
{
	size_t i;

	dl_iterate_phdr(find_program, &program);

	for (i = 0; i < NR_CALLERS; i++) {
		void *at = dlsym(RTLD_DEFAULT, known_callers[i].name);
		const Elf64_Sym *symbol;
		void *extra = NULL;
		Dl_info info;

		if (!at || !dladdr1(at, &info, &extra, RTLD_DL_SYMENT) || !extra)
			return false;
		symbol = extra;
		caller_code[i].start = (uintptr_t)at;
		caller_code[i].end = (uintptr_t)at + symbol->st_size;
	}
	return true;
}

/* Initialise a TLB in memory filled with @byte, and see what of it has changed. */
static void mark_written(char *cpu, char byte, void (*init)(void *), void (*destroy)(void *),
			 size_t *start, size_t *end)
{
	size_t i;

	memset(cpu, byte, CPU_BYTES);
	init(cpu);
	for (i = 0; i < CPU_BYTES; i++) {
		if (cpu[i] == byte)
			continue;
		if (i < *start)
			*start = i;
		if (i >= *end)
			*end = i + 1;
	}
	destroy(cpu);
}

static bool find_layout(void)
{
	void (*init)(void *) = NULL, (*destroy)(void *) = NULL;
	void *at = dlsym(RTLD_DEFAULT, "tlb_init"), *gone = dlsym(RTLD_DEFAULT, "tlb_destroy");
	char *cpu;

	if (!at || !gone)
		return false;
	memcpy(&init, &at, sizeof(init));
	memcpy(&destroy, &gone, sizeof(destroy));
	cpu = malloc(CPU_BYTES);
	if (!cpu)
		return false;
	qemu.start = CPU_BYTES;
	qemu.end = 0;
	mark_written(cpu, 0, init, destroy, &qemu.start, &qemu.end);
	mark_written(cpu, 0x5a, init, destroy, &qemu.start, &qemu.end);
	free(cpu);
	qemu.end = (qemu.end + 7) & ~(size_t)7;
	return !(qemu.start & 7) && qemu.end > qemu.start + 4096 && qemu.end < CPU_BYTES / 2;
}

/* A TLB of its own for each world but the one that the vCPU starts with. */
static bool make_tlbs(struct tcg_tlb *t)
{
	void *at = dlsym(RTLD_DEFAULT, "tlb_init");
	void (*init)(void *) = NULL;
	char *cpu = calloc(1, CPU_BYTES);
	unsigned int world;

	memcpy(&init, &at, sizeof(init));
	for (world = 0; cpu && world < TCG_WORLDS; world++) {
		if (world != TCG_WORLD_HOST)
			init(cpu);
		t->kept[world] = malloc(qemu.end - qemu.start);
		if (!t->kept[world])
			break;
		memcpy(t->kept[world], cpu + qemu.start + sizeof(atomic_int),
		       qemu.end - qemu.start - sizeof(atomic_int));
	}
	free(cpu);
	return world == TCG_WORLDS;
}

static bool replace(const char *name, void (*by)(void))
{
	uint8_t *code = dlsym(RTLD_DEFAULT, name);
	uintptr_t page = (uintptr_t)code & ~(uintptr_t)(PAGE_BYTES - 1);
	/* The function can lie across two pages. */
	size_t bytes = (uintptr_t)code + JUMP_BYTES - page;

	if (mprotect((void *)page, bytes, PROT_READ | PROT_WRITE | PROT_EXEC))
		return false;
	memcpy(code, INSN_MOVABS_RAX, 2);
	memcpy(code + 2, &by, sizeof(by));
	memcpy(code + 10, INSN_JMP_RAX, 2);
	return !mprotect((void *)page, bytes, PROT_READ | PROT_EXEC);
}

bool tcg_tlb_take_over(unsigned int nr_cpus)
{
#ifdef __x86_64__
	void *get_cpu = dlsym(RTLD_DEFAULT, "qemu_get_cpu");
	unsigned int i;

	if (!get_cpu || !find_flush() || !find_clear_dirty() || !find_callers() || !find_layout())
		return false;
	memcpy(&qemu.get_cpu, &get_cpu, sizeof(qemu.get_cpu));
	for (i = 0; i < nr_cpus; i++) {
		tlbs[i].cpu = qemu.get_cpu((int)i);
		if (!tlbs[i].cpu || !make_tlbs(&tlbs[i]))
			return false;
	}
	nr_tlbs = nr_cpus;
	return replace("tlb_flush", (void (*)(void))tlb_flush) &&
	       replace("tlb_flush_by_mmuidx", (void (*)(void))tlb_flush_by_mmuidx) &&
	       replace("tlb_protect_code", (void (*)(void))tlb_protect_code);
#else
	(void)nr_cpus;
	return false;
#endif
}

struct tcg_tlb *tcg_tlb_of(unsigned int index)
{
	return index < nr_tlbs ? &tlbs[index] : NULL;
}

void tcg_tlb_leave_host(struct tcg_tlb *t)
{
	if (!t)
		return;
	exchange(t, TCG_WORLD_HOST, TCG_WORLD_SWITCH);
	t->place = IN_SWITCH;
}

void tcg_tlb_return_to_host(struct tcg_tlb *t)
{
	if (!t)
		return;
	exchange(t, TCG_WORLD_SWITCH, TCG_WORLD_HOST);
	t->place = IN_HOST;
}

void tcg_tlb_drop(struct tcg_tlb *t, enum tcg_world world)
{
	static const enum tcg_world in_use[] = {
		[IN_HOST] = TCG_WORLD_HOST, [IN_SWITCH] = TCG_WORLD_SWITCH,
		[ENTERING] = TCG_WORLD_GUEST, [IN_GUEST] = TCG_WORLD_GUEST,
	};

	if (!t)
		return;
	t->generation[world] = 0;
	if (in_use[t->place] == world)
		t->spoiled = true;
}

void tcg_tlb_reset(struct tcg_tlb *t)
{
	if (!t)
		return;
	t->place = IN_HOST;
	memset(t->generation, 0, sizeof(t->generation));
	t->spoiled = false;
	qemu.flush(t->cpu, qemu.all);
}
