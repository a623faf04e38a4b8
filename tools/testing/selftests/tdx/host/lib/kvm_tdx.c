// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "kvm_tdx.h"

static __thread char last[ERROR_SIZE];

int error(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(last, sizeof(last), fmt, ap);
	va_end(ap);
	fprintf(stderr, "# %s\n", last);
	return err;
}

const char *last_error(void)
{
	return last;
}

int ioctl_error(const char *name, int err, u64 hw_error)
{
	if (hw_error)
		return error(err, "%s: %s, TDX module status 0x%lx", name, strerror(-err),
			     hw_error);
	return error(err, "%s: %s", name, strerror(-err));
}

void set_last_error(const char *text)
{
	snprintf(last, sizeof(last), "%s", text);
}

int kvm_ioctl(int fd, unsigned long request, unsigned long arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

int kvm_tdx_cmd(int fd, u32 id, u32 flags, u64 data, u64 *hw_error)
{
	struct kvm_tdx_cmd cmd = { .id = id, .flags = flags, .data = data };
	int ret = kvm_ioctl_ptr(fd, KVM_MEMORY_ENCRYPT_OP, &cmd);

	if (hw_error)
		*hw_error = cmd.hw_error;
	return ret;
}

int kvm_open(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

const char *kvm_tdx_unsupported(void)
{
	static char reason[160];
	int fd = kvm_open(), types;

	if (fd < 0) {
		snprintf(reason, sizeof(reason), "cannot open /dev/kvm: %s", strerror(-fd));
		return reason;
	}

	types = kvm_ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_VM_TYPES);
	close(fd);
	if (types >= 0 && types & 1 << KVM_X86_TDX_VM)
		return NULL;

	snprintf(reason, sizeof(reason),
		 "KVM has no TDX VMs (VM types 0x%x); they need a TDX host and kvm_intel.tdx=1",
		 types < 0 ? 0 : types);
	return reason;
}
