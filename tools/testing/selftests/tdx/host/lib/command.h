/* SPDX-License-Identifier: GPL-2.0 */
/* What the host can have a guest do.  See guest/mailbox.h. */
#ifndef TDX_HOST_COMMAND_H
#define TDX_HOST_COMMAND_H

#include "td.h"
#include "tdreport.h"

/*
 * Run one command and return why the vCPU stopped; TD_STOP_DOORBELL means that
 * the command is done and its results are in the mailbox.
 */
enum td_stop td_send(struct td_vcpu *vcpu, enum td_command command, const u64 *args);
#define td_call(vcpu, command, ...) \
	td_send(vcpu, command, (const u64[TD_MAILBOX_ARGS]) { __VA_ARGS__ })

/* The same, but everything except done is an error: 0 or -errno. */
int td_must(struct td_vcpu *vcpu, enum td_command command, const u64 *args);
#define td_do(vcpu, command, ...) \
	td_must(vcpu, command, (const u64[TD_MAILBOX_ARGS]) { __VA_ARGS__ })

int td_print(struct td_vcpu *vcpu, const char *text);

/* Accept all of [@gpa, @gpa + @size) as 4 KB pages. */
int td_accept(struct td_vcpu *vcpu, u64 gpa, u64 size);
int td_fill(struct td_vcpu *vcpu, u64 gpa, u64 size, u64 stride, u64 seed, bool shared);
/* Error unless the guest finds what td_fill() with the same arguments wrote. */
int td_check(struct td_vcpu *vcpu, u64 gpa, u64 size, u64 stride, u64 seed, bool shared);

/* MapGPA; TD_SHARE leaves memory shared, TD_UNSHARE private and not accepted. */
enum td_map { TD_UNSHARE, TD_SHARE };
int td_map_gpa(struct td_vcpu *vcpu, u64 gpa, u64 size, enum td_map how);

/* The same patterns, written and checked by the host on the shared side. */
int td_host_fill(struct td *td, u64 gpa, u64 size, u64 stride, u64 seed);
int td_host_check(struct td *td, u64 gpa, u64 size, u64 stride, u64 seed);

int td_report(struct td_vcpu *vcpu, const u8 data[TDREPORT_DATA_SIZE], struct tdreport *report);
int td_rtmr_extend(struct td_vcpu *vcpu, unsigned int index, const u8 data[SHA384_SIZE]);

/* Have the guest end itself with ReportFatalError, and see that KVM says so. */
int td_end(struct td_vcpu *vcpu, u64 code, const char *text);

#endif
