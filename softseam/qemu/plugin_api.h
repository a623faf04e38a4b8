/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of QEMU's TCG plugin interface, version 7, that softseam uses.
 * Distributions do not package the header.  QEMU exports these symbols to the
 * plugins it loads, so declarations are all that is needed.
 */
#ifndef SOFTSEAM_PLUGIN_API_H
#define SOFTSEAM_PLUGIN_API_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLUGIN_API_VERSION	7
#define PLUGIN_EXPORT		__attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_register;

/* What QEMU tells qemu_plugin_install().  Valid only during that call. */
struct qemu_plugin_info {
	const char *target_name;
	struct {
		int min, cur;
	} version;
	bool system_emulation;
	int smp_vcpus;
	int max_vcpus;
};

/* What an execution callback may do with the registers of its vCPU. */
enum qemu_plugin_cb_flags {
	QEMU_PLUGIN_CB_NO_REGS,
	QEMU_PLUGIN_CB_R_REGS,
	QEMU_PLUGIN_CB_RW_REGS,
	QEMU_PLUGIN_CB_RW_REGS_PC,
};

enum qemu_plugin_discon_type {
	QEMU_PLUGIN_DISCON_INTERRUPT	= 1,
	QEMU_PLUGIN_DISCON_EXCEPTION	= 2,
	QEMU_PLUGIN_DISCON_HOSTCALL	= 4,
};

/* QEMU may append fields: an array of these has a stride of its own. */
struct qemu_plugin_reg_descriptor {
	struct qemu_plugin_register *handle;
	const char *name;
	const char *feature;
};

typedef void (*qemu_plugin_udata_cb)(void *userdata);
typedef void (*qemu_plugin_vcpu_cb)(unsigned int vcpu, void *userdata);
typedef void (*qemu_plugin_tb_cb)(struct qemu_plugin_tb *tb, void *userdata);
typedef void (*qemu_plugin_discon_cb)(unsigned int vcpu,
				      enum qemu_plugin_discon_type type,
				      uint64_t from_pc, uint64_t to_pc,
				      void *userdata);

/* Registration */
void qemu_plugin_register_vcpu_init_cb(qemu_plugin_id_t id,
				       qemu_plugin_vcpu_cb cb, void *userdata);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   qemu_plugin_tb_cb cb, void *userdata);
void qemu_plugin_register_vcpu_discon_cb(qemu_plugin_id_t id,
					 enum qemu_plugin_discon_type types,
					 qemu_plugin_discon_cb cb,
					 void *userdata);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id,
				    qemu_plugin_udata_cb cb, void *userdata);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    qemu_plugin_vcpu_cb cb,
					    enum qemu_plugin_cb_flags flags,
					    void *userdata);

/* Translation: only valid inside the tb_trans callback. */
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
						 size_t idx);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *dest,
			     size_t len);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
/* Where QEMU itself has the instruction in memory; NULL if it is not in RAM. */
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);

/* Registers and memory of the vCPU whose thread calls. */
GArray *qemu_plugin_get_registers(void);
bool qemu_plugin_read_register(struct qemu_plugin_register *handle,
			       GByteArray *buf);
bool qemu_plugin_write_register(struct qemu_plugin_register *handle,
				GByteArray *buf);
void qemu_plugin_set_pc(uint64_t pc) __attribute__((noreturn));
bool qemu_plugin_read_memory_vaddr(uint64_t addr, GByteArray *data, size_t len);
bool qemu_plugin_write_memory_vaddr(uint64_t addr, GByteArray *data);
bool qemu_plugin_translate_vaddr(uint64_t vaddr, uint64_t *hwaddr);
/* Zero is success. */
int qemu_plugin_read_memory_hwaddr(uint64_t addr, GByteArray *data, size_t len);
int qemu_plugin_write_memory_hwaddr(uint64_t addr, GByteArray *data);

#endif
