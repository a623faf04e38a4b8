/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * softseam: a TDX module in software.  This header is all that a machine
 * emulator, a unit test or a fuzzer needs to know of it.
 *
 * One struct seam is one platform: its packages, KeyIDs and memory ranges, and
 * the TDX module loaded on it.  The model has no globals, starts no threads and
 * touches the machine only through struct seam_machine.
 *
 * Calls for different CPUs may run at the same time on different threads; calls
 * for one CPU may not.  Inside, the model locks as the TDX module does: locks
 * are tried, never waited for, and a lost race is OPERAND_BUSY for the host.
 */
#ifndef SOFTSEAM_SEAM_H
#define SOFTSEAM_SEAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SEAM_MAX_CPUS		256
#define SEAM_MAX_PACKAGES	8
#define SEAM_MAX_CMRS		32
#define SEAM_MAX_IOMMUS		16
#define SEAM_MAX_INJECTIONS	32
#define SEAM_MAX_LEAF		192

struct seam;

/* The general registers that SEAMCALL reads and writes.  RSP is never touched. */
struct seam_regs {
	uint64_t rax, rcx, rdx, rbx, rbp, rsi, rdi;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
};

/* How the SEAMCALL instruction ended. */
enum seam_end {
	/* RAX holds the completion status, CF is 0. */
	SEAM_END_DONE,
	/* CF is 1, no register changed: no module is loaded. */
	SEAM_END_VMFAILINVALID,
	/* The instruction raises #GP(0); only error injection asks for it. */
	SEAM_END_GP,
	/* The instruction raises #UD; only error injection asks for it. */
	SEAM_END_UD,
	/* Not yet: run the vCPU that seam_guest() tells of.  See guest.h. */
	SEAM_END_RUN_GUEST,
};

/* Something that the host did and that real hardware would punish. */
struct seam_violation {
	unsigned int cpu;
	/* A short constant, e.g. "host-write": what tests look for. */
	const char *rule;
	/* Physical address, or ~0 when the rule is not about memory. */
	uint64_t pa;
	/* One line for people, complete with owner, values and caller. */
	const char *text;
	/* The host function that made the SEAMCALL; NULL if unknown or none. */
	const char *caller;
};

/* One SEAMCALL, as told to the trace callback after it ended. */
struct seam_event {
	unsigned int cpu;
	/* Nanoseconds from the machine's now(). */
	uint64_t start, end;
	const struct seam_regs *in, *out;
	enum seam_end how;
	/* The result was dictated by an injection. */
	bool injected;
};

/*
 * What the model asks of the machine around it.  ram() and now() are required;
 * any other callback may be NULL, and then answers as its comment says.
 */
struct seam_machine {
	void *opaque;

	/* Host RAM at [@pa, @pa + @len), or NULL if that is not all RAM. */
	void *(*ram)(void *opaque, uint64_t pa, uint64_t len);

	/* A monotonic clock in nanoseconds. */
	uint64_t (*now)(void *opaque);

	/* Is an interrupt waiting for @cpu?  NULL: never. */
	bool (*irq_pending)(void *opaque, unsigned int cpu);

	/*
	 * MSR @msr of @cpu: 3Bh, 87h or 480h.  NULL: equal on all CPUs and as
	 * the model wants it.
	 */
	uint64_t (*rdmsr)(void *opaque, unsigned int cpu, uint32_t msr);

	/* TSC of @cpu, at cfg.tsc_khz.  NULL: follows now(). */
	uint64_t (*rdtsc)(void *opaque, unsigned int cpu);

	/*
	 * CPUID of @cpu as the host kernel sees it: EAX, EBX, ECX, EDX.
	 * NULL: a built-in sample CPU.
	 */
	void (*cpuid)(void *opaque, unsigned int cpu, uint32_t leaf,
		      uint32_t subleaf, uint32_t out[4]);

	/* The host broke a rule.  NULL: only counted. */
	void (*violation)(void *opaque, const struct seam_violation *v);

	/*
	 * Name of the host function that made the SEAMCALL in progress on @cpu;
	 * it stays valid.  NULL, or a result of NULL: not known.
	 */
	const char *(*caller)(void *opaque, unsigned int cpu);

	/* A SEAMCALL ended.  NULL: no trace. */
	void (*event)(void *opaque, const struct seam_event *e);

	/*
	 * The machine calls seam_wbinvd().  false: the rules about dirty cache
	 * lines cannot be checked.
	 */
	bool reports_wbinvd;
	/* The same for seam_clflush() and seam_movdir64b(). */
	bool reports_clflush, reports_movdir64b;

	/*
	 * Can @cpu run a guest?  NULL: no machine that can.  TDH.VP.ENTER then
	 * says that entry failed.
	 */
	bool (*can_run_guest)(void *opaque, unsigned int cpu);

	/*
	 * Where the contents of the private page at @pa are kept, contiguous
	 * within 2M and zero at first.  NULL: in memory of the model's own.
	 */
	void *(*private_page)(void *opaque, uint64_t pa);

	/* The module wrote contents of private pages.  NULL: no matter. */
	void (*private_written)(void *opaque, unsigned int cpu, uint64_t pa, uint64_t len);
};

struct seam_range {
	uint64_t base, size;
};

/*
 * Replace the results of some calls of @leaf; what such a call would have done
 * does not happen.
 */
struct seam_injection {
	uint16_t leaf;
	/* From this call on, the first being 1; 0: any call. */
	uint32_t nth;
	/* 0: each call; else the chance of each call, drawn from the seed. */
	uint8_t percent;
	/* At most this often; 0: no limit. */
	uint32_t count;
	enum seam_end how;
	/* RAX, for SEAM_END_DONE. */
	uint64_t status;
};

/*
 * IA32_ARCH_CAPABILITIES of a TDX platform: not subject to RDCL, L1TF, MDS, page size
 * changes, TAA, SBDR, FBSDP and PSDP; enhanced IBRS, DOITM.
 */
#define SEAM_ARCH_CAPABILITIES	0xF16BULL

/* Frequencies of TDs' TSC come in units of this, and that of a TDX platform is one. */
#define SEAM_TSC_UNIT_KHZ	25000U

struct seam_config {
	/* false: every SEAMCALL ends in VMfailInvalid. */
	bool module_loaded;
	uint64_t features0;
	uint16_t major, minor, update;

	/* Physical address bits below the KeyID bits. */
	unsigned int hpa_bits;
	/* With the KeyID bits; 0: just enough for the KeyIDs. */
	unsigned int maxpa;

	/* IA32_MKTME_KEYID_PARTITIONING: shared KeyIDs, then private ones. */
	uint32_t nr_mktme_keyids, nr_tdx_keyids;

	/* Frequency of the TSC, a multiple of SEAM_TSC_UNIT_KHZ. */
	uint32_t tsc_khz;
	/* Most levels of EPT that the CPUs have: 4 or 5. */
	unsigned int ept_levels;

	unsigned int nr_cpus;
	unsigned int nr_packages;
	/* Package of each CPU; without a map they are split into even blocks. */
	bool package_map;
	uint8_t package[SEAM_MAX_CPUS];

	/* What the firmware says is convertible memory, ascending. */
	unsigned int nr_cmrs;
	struct seam_range cmr[SEAM_MAX_CMRS];

	/* The part has the partial-write machine check erratum. */
	bool erratum;

	/*
	 * With add-on features, the Extensions need this many pages, and say
	 * that TDH.EXT.INIT is required.
	 */
	uint32_t ext_pool_pages;
	bool ext_required;

	/* Registers of the IOMMUs that support TDX Connect. */
	unsigned int nr_iommus;
	uint64_t iommu[SEAM_MAX_IOMMUS];
	/* Pages that each object of TDX Connect takes. */
	uint32_t iommu_mt_pages, spdm_mt_pages, ide_mt_pages;
	/* TDH.SPDM.CREATE takes an HPA_LIST_INFO, not an HPA_ARRAY_T. */
	bool spdm_list_info;
	/* Leaves that delete want to be told where to list the pages. */
	bool connect_out;

	/*
	 * Calls that take long end in INTERRUPTED_RESUMABLE after this many
	 * steps or pages; 0: only when an interrupt is pending.
	 */
	uint32_t interrupt_every;

	/* TDH.SYS.TDMR.INIT does this much per call; 0: a TDMR in one call. */
	uint64_t tdmr_init_step;

	unsigned int nr_injections;
	struct seam_injection injection[SEAM_MAX_INJECTIONS];
	/* What random injections draw from. */
	uint64_t seed;
};

/*
 * Sets every field to its default: module 1.5.16 with FEATURES0 140000h, 31
 * shared and 32 private KeyIDs above 40 address bits, one CPU, no CMRs, no
 * injections.  The caller has to set nr_cpus, and CMRs if no argument does.
 */
void seam_config_init(struct seam_config *cfg);

/* Bits of a physical address with its KeyID: MAXPA of the CPU. */
unsigned int seam_config_maxpa(const struct seam_config *cfg);

/*
 * Apply one "key=value" argument, e.g. ("features0", "0x140000").
 * Returns 0, -ENOENT if @key is none of the model's, or -EINVAL with one line
 * in @err that says what was wrong and what is accepted.
 */
int seam_config_set(struct seam_config *cfg, const char *key, const char *value,
		    char *err, size_t errlen);

/*
 * Returns NULL with one line in @err if the configuration makes no sense.
 * Copies @cfg and @machine.
 */
struct seam *seam_new(const struct seam_config *cfg,
		      const struct seam_machine *machine,
		      char *err, size_t errlen);
void seam_free(struct seam *seam);

/* Execute SEAMCALL on @cpu, less than nr_cpus, with the registers in @regs. */
enum seam_end seam_call(struct seam *seam, unsigned int cpu,
			struct seam_regs *regs);

/*
 * The machine ends, no call runs any more: report what the host never took back,
 * a violation for each TD and each Dynamic PAMT pair that serves no page, and
 * pages that it never reset.  Returns their number.
 */
unsigned int seam_report_leaks(struct seam *seam);

/*
 * From now on, replace the results of some calls, in addition to what the
 * configuration says and instead of what was set here before.  @text is as in
 * the argument inject=, and its calls count from now.  Returns false, with what
 * is wrong in @why, and nothing changes, if it makes no sense.
 */
bool seam_inject(struct seam *seam, const char *text, const char **why);
/* Stop that.  Returns how many calls were answered by what was set last. */
uint64_t seam_inject_stop(struct seam *seam);

/* @cpu executed WBINVD. */
void seam_wbinvd(struct seam *seam, unsigned int cpu);
/* Does anything depend on seam_clflush() with this configuration? */
bool seam_wants_clflush(const struct seam_config *cfg);
/* @cpu executed CLFLUSH or CLFLUSHOPT on the cache line with @pa. */
void seam_clflush(struct seam *seam, unsigned int cpu, uint64_t pa);
/* @cpu overwrote the 64 bytes at @pa with MOVDIR64B. */
void seam_movdir64b(struct seam *seam, unsigned int cpu, uint64_t pa);

/* Names as the TDX documents print them, e.g. "TDH.SYS.CONFIG"; NULL if unknown. */
const char *seam_leaf_name(unsigned int leaf);
/* Name of a completion status without its operand, e.g. "TDX_OPERAND_BUSY". */
const char *seam_status_name(uint64_t status);
/*
 * Write @status as people read it: name, '|', and what RAX[31:0] means for
 * this status.  Returns what snprintf() would.
 */
int seam_format_status(char *buf, size_t len, uint64_t status);

/* What happened so far. */
struct seam_leaf_count {
	uint64_t calls, errors, injected, ns;
};

struct seam_stats {
	struct seam_leaf_count leaf[SEAM_MAX_LEAF];
	/* Calls of leaf numbers that do not exist. */
	uint64_t unknown;
	uint64_t violations;
	/* 0..4: PENDING, SYSINIT_DONE, SYSCONFIG_DONE, READY, SHUTDOWN. */
	unsigned int sys_state;
	unsigned int nr_tdmrs;
	/* Bytes of memory the host gave for PAMT in SYS.CONFIG. */
	uint64_t pamt_bytes;
	uint32_t keyids_total, keyids_in_use;
	/* TDs that exist, and pages of 4K that the module owns. */
	uint32_t tds;
	uint64_t pages_owned;
	/* Pairs of pages that the host lent for Dynamic PAMT. */
	uint64_t pamt_pairs;
	/* Pages in the memory pool of the Extensions. */
	uint32_t ext_pool_pages;
	/* Objects of TDX Connect. */
	uint32_t iommus, spdm_sessions, ide_streams;
};

void seam_get_stats(struct seam *seam, struct seam_stats *st);

/* Write the counters as one JSON object.  Returns 0 or -EIO. */
int seam_write_json(struct seam *seam, FILE *f);

/*
 * Format @e as one line of a trace, without newline: CPU, time, leaf, operands
 * by meaning, status by name, outputs, duration.  Returns what snprintf() would.
 */
int seam_format_event(char *buf, size_t len, const struct seam_event *e);

/* The parts of such a line, for other formats. */

/*
 * The @nth operand of @e, or its @nth output: what it means, and its value.
 * Returns false if there are not so many.
 */
bool seam_event_operand(const struct seam_event *e, bool output, unsigned int nth,
			const char **meaning, uint64_t *value);

/* Why the vCPU that @e ran left its TD; NULL if it ran none, or for no known reason. */
const char *seam_event_exit(const struct seam_event *e);
/* What the TD asked of the host when it left; NULL if nothing, or nothing known. */
const char *seam_event_vmcall(const struct seam_event *e);

#endif
