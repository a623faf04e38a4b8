// SPDX-License-Identifier: GPL-2.0
/* Runs a vCPU and answers the exits that are routine. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <linux/kvm_para.h>
#include "kvm_tdx.h"
#include "td.h"

#define KICK_SIGNAL		SIGUSR1

/* Go on running. */
#define HANDLED			(-1)

/* Indices of ReportFatalError's registers in the system event's data. */
enum { RDX = 2, RBX = 3, RSI = 6, RDI = 7, R8, R9, R12 = 12, R14 = 14, R15 };

static const char *const stop_names[] = {
	[TD_STOP_DOORBELL] = "doorbell",
	[TD_STOP_FATAL] = "fatal error",
	[TD_STOP_SHUTDOWN] = "shutdown",
	[TD_STOP_MEMORY_FAULT] = "memory fault",
	[TD_STOP_KICKED] = "kicked",
	[TD_STOP_ERROR] = "error",
};

const char *td_stop_name(enum td_stop stop)
{
	return stop_names[stop];
}

static int unexpected(struct td_vcpu *vcpu, const char *what, u64 value)
{
	vcpu->error = error(-EIO, "vCPU %u: %s 0x%lx", vcpu->id, what, value);
	return TD_STOP_ERROR;
}

static void console_put(struct td_vcpu *vcpu, char c)
{
	if (vcpu->console_len < sizeof(vcpu->console) - 1)
		vcpu->console[vcpu->console_len++] = c;
}

static u64 size_mask(unsigned int size)
{
	return ~0UL >> (64 - size * 8);
}

static int handle_io(struct td_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	u8 *data = (u8 *)run + run->io.data_offset;
	u64 value = ~0UL;

	if (run->io.direction == KVM_EXIT_IO_IN) {
		if (run->io.port == TD_PORT_ECHO)
			value = ~vcpu->port_echo;
		memcpy(data, &value, run->io.size);
		return HANDLED;
	}

	value = 0;
	memcpy(&value, data, run->io.size);
	switch (run->io.port) {
	case TD_PORT_CONSOLE:
		console_put(vcpu, value);
		return HANDLED;
	case TD_PORT_ECHO:
		vcpu->port_echo = value;
		return HANDLED;
	case TD_PORT_DOORBELL:
		return TD_STOP_DOORBELL;
	}
	return unexpected(vcpu, "write to port", run->io.port);
}

static int handle_mmio(struct td_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	u64 value;

	if (run->mmio.phys_addr != TD_MMIO_ECHO)
		return unexpected(vcpu, "MMIO at", run->mmio.phys_addr);
	if (run->mmio.is_write) {
		vcpu->mmio_echo = 0;
		memcpy(&vcpu->mmio_echo, run->mmio.data, run->mmio.len);
	} else {
		value = ~vcpu->mmio_echo & size_mask(run->mmio.len);
		memcpy(run->mmio.data, &value, run->mmio.len);
	}
	return HANDLED;
}

/* MapGPA, as KVM hands it on. */
static int handle_hypercall(struct td_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct td *td = vcpu->td;
	u64 gpa = run->hypercall.args[0];
	u64 size = run->hypercall.args[1] * TD_PAGE_SIZE;
	bool private = run->hypercall.args[2] & KVM_MAP_GPA_RANGE_ENCRYPTED;

	if (run->hypercall.nr != KVM_HC_MAP_GPA_RANGE)
		return unexpected(vcpu, "hypercall", run->hypercall.nr);
	vcpu->nr_map_gpa++;
	run->hypercall.ret = td->refuse_map_gpa;
	td->refuse_map_gpa = 0;
	if (!run->hypercall.ret && td_convert(td, gpa, size, private))
		run->hypercall.ret = EINVAL;
	return HANDLED;
}

/* In the order in which GHCI has the registers hold the text. */
static int handle_system_event(struct td_vcpu *vcpu)
{
	static const unsigned char order[] = {
		R14, R15, RBX, RDI, RSI, R8, R9, RDX,
	};
	struct kvm_run *run = vcpu->run;

	if (run->system_event.type != KVM_SYSTEM_EVENT_TDX_FATAL ||
	    run->system_event.ndata != 16)
		return unexpected(vcpu, "system event", run->system_event.type);
	for (size_t i = 0; i < sizeof(order); i++)
		memcpy(vcpu->fatal_text + 8 * i, &run->system_event.data[order[i]], 8);
	vcpu->fatal_code = run->system_event.data[R12];
	return TD_STOP_FATAL;
}

static int handle_exit(struct td_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		return handle_io(vcpu);
	case KVM_EXIT_MMIO:
		return handle_mmio(vcpu);
	case KVM_EXIT_HYPERCALL:
		return handle_hypercall(vcpu);
	case KVM_EXIT_TDX:
		/* KVM has filled in the answer of a host that offers nothing more. */
		return HANDLED;
	case KVM_EXIT_SYSTEM_EVENT:
		return handle_system_event(vcpu);
	case KVM_EXIT_SHUTDOWN:
		return TD_STOP_SHUTDOWN;
	case KVM_EXIT_INTERNAL_ERROR:
		return unexpected(vcpu, "KVM internal error, suberror", run->internal.suberror);
	case KVM_EXIT_FAIL_ENTRY:
		return unexpected(vcpu, "entry failed, reason",
				  run->fail_entry.hardware_entry_failure_reason);
	}
	return unexpected(vcpu, "unexpected exit reason", run->exit_reason);
}

static int handle_failure(struct td_vcpu *vcpu, int ret)
{
	struct kvm_run *run = vcpu->run;

	if (ret == -EINTR || ret == -EAGAIN) {
		if (!__atomic_exchange_n(&vcpu->kicked, false, __ATOMIC_ACQ_REL))
			return HANDLED;
		run->immediate_exit = 0;
		return TD_STOP_KICKED;
	}
	if (ret == -EFAULT && run->exit_reason == KVM_EXIT_MEMORY_FAULT) {
		vcpu->fault.flags = run->memory_fault.flags;
		vcpu->fault.gpa = run->memory_fault.gpa;
		vcpu->fault.size = run->memory_fault.size;
		return TD_STOP_MEMORY_FAULT;
	}
	vcpu->error = ioctl_error("KVM_RUN", ret, 0);
	return TD_STOP_ERROR;
}

enum td_stop td_vcpu_run(struct td_vcpu *vcpu)
{
	int stop, ret;

	vcpu->error = 0;
	do {
		ret = kvm_ioctl(vcpu->fd, KVM_RUN, 0);
		vcpu->nr_exits++;
		stop = ret < 0 ? handle_failure(vcpu, ret) : handle_exit(vcpu);
	} while (stop == HANDLED);
	return stop;
}

static void on_kick(int signal)
{
	(void)signal;
}

void td_allow_kicks(void)
{
	struct sigaction action = { .sa_handler = on_kick };

	sigaction(KICK_SIGNAL, &action, NULL);
}

/* The signal is lost on a vCPU that is not in KVM_RUN yet; immediate_exit is not. */
void td_vcpu_kick(struct td_vcpu *vcpu)
{
	vcpu->run->immediate_exit = 1;
	__atomic_store_n(&vcpu->kicked, true, __ATOMIC_RELEASE);
	pthread_kill(vcpu->thread, KICK_SIGNAL);
}
