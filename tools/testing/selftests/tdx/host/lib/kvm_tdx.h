/* SPDX-License-Identifier: GPL-2.0 */
/* KVM's ioctls with errors as values, and words for those errors. */
#ifndef TDX_HOST_KVM_TDX_H
#define TDX_HOST_KVM_TDX_H

#include <linux/compiler.h>
#include <linux/kvm.h>
#include <linux/types.h>

/* ioctl() that returns -errno. */
int kvm_ioctl(int fd, unsigned long request, unsigned long arg);
#define kvm_ioctl_ptr(fd, request, ptr)	kvm_ioctl(fd, request, (unsigned long)(ptr))

/*
 * KVM_MEMORY_ENCRYPT_OP on a VM or vCPU.  Returns 0 or -errno; @hw_error, unless
 * NULL, gets the completion status of the SEAMCALL that failed, or 0.
 */
int kvm_tdx_cmd(int fd, u32 id, u32 flags, u64 data, u64 *hw_error);

/* Why KVM cannot run TDs here, or NULL if it can. */
const char *kvm_tdx_unsupported(void);

/* -errno or the file. */
int kvm_open(void);

/* Print one line of diagnostics for KTAP, and keep it for last_error(). */
int __printf(2, 3) error(int err, const char *fmt, ...);

/* The last line that error() printed in this thread, or took over from another. */
const char *last_error(void);
void set_last_error(const char *text);
#define ERROR_SIZE		256

/* error() about an ioctl: its name, errno and, if not 0, the TDX module's status. */
int ioctl_error(const char *name, int err, u64 hw_error);

#endif
