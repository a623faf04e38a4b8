// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/kvm_para.h>
#include "kvm_tdx.h"
#include "td.h"

#define MAX_CPUID_ENTRIES	256
#define IOAPIC_PINS		24
#define MAX_RAM			(3UL << 30)

/* The features of x87 and SSE, which each TD has. */
#define XFAM_LEGACY		3

void td_default_config(struct td_config *config)
{
	*config = (struct td_config){
		.nr_vcpus = 1,
		.ram_size = 16 * TD_MB,
		.attributes = TD_ATTR_SEPT_VE_DISABLE,
		.xfam = XFAM_LEGACY,
		.gpaw = 48,
	};
}

static int enable_cap(struct td *td, u32 cap, u64 arg, const char *name)
{
	struct kvm_enable_cap args = { .cap = cap, .args = { arg } };
	int ret = kvm_ioctl_ptr(td->vm_fd, KVM_ENABLE_CAP, &args);

	return ret ? ioctl_error(name, ret, 0) : 0;
}

static int get_capabilities(struct td *td)
{
	int ret;

	td->caps = calloc(1, sizeof(*td->caps) +
			  MAX_CPUID_ENTRIES * sizeof(struct kvm_cpuid_entry2));
	if (!td->caps)
		return error(-ENOMEM, "no memory for the TDX capabilities");
	td->caps->cpuid.nent = MAX_CPUID_ENTRIES;
	ret = kvm_tdx_cmd(td->vm_fd, KVM_TDX_CAPABILITIES, 0, (u64)td->caps, NULL);
	return ret ? ioctl_error("KVM_TDX_CAPABILITIES", ret, 0) : 0;
}

static int check_config(const struct td_config *config)
{
	if (!config->nr_vcpus || config->nr_vcpus > TD_MAX_VCPUS)
		return error(-EINVAL, "%u vCPUs: the payload takes 1 to %u", config->nr_vcpus,
			     TD_MAX_VCPUS);
	if (config->ram_size < 4 * TD_MB || config->ram_size > MAX_RAM ||
	    config->ram_size % TD_2M_SIZE)
		return error(-EINVAL, "%lu bytes of RAM: it must be 4 MB to 3 GB, in steps of 2 MB",
			     config->ram_size);
	return 0;
}

void td_init(struct td *td, const struct td_config *config)
{
	memset(td, 0, sizeof(*td));
	td->config = *config;
	td->kvm_fd = -1;
	td->vm_fd = -1;
	for (int i = 0; i < TD_NR_SLOTS; i++)
		td->slots[i].gmem_fd = -1;
	for (int i = 0; i < TD_MAX_VCPUS; i++)
		td->vcpus[i].fd = -1;
	mrtd_init(&td->log);
}

static int choose_image(struct td *td)
{
	if (!td->config.image)
		return td_image_builtin(&td->image);
	td->image = *td->config.image;
	return 0;
}

/* A VM with the irqchip and the exits that a TD needs. */
static int create(struct td *td)
{
	int ret = check_config(&td->config);

	if (!ret)
		ret = choose_image(td);
	if (ret)
		return ret;

	td->kvm_fd = kvm_open();
	if (td->kvm_fd < 0)
		return ioctl_error("open /dev/kvm", td->kvm_fd, 0);
	td->vm_fd = kvm_ioctl(td->kvm_fd, KVM_CREATE_VM, KVM_X86_TDX_VM);
	if (td->vm_fd < 0)
		return ioctl_error("KVM_CREATE_VM of a TD", td->vm_fd, 0);

	ret = get_capabilities(td);
	if (!ret)
		ret = enable_cap(td, KVM_CAP_SPLIT_IRQCHIP, IOAPIC_PINS, "KVM_CAP_SPLIT_IRQCHIP");
	if (!ret)
		ret = enable_cap(td, KVM_CAP_EXIT_HYPERCALL, 1 << KVM_HC_MAP_GPA_RANGE,
				 "KVM_CAP_EXIT_HYPERCALL");
	return ret;
}

int td_init_vm(struct td *td)
{
	struct kvm_tdx_init_vm *params = td_init_vm_params(td);
	u64 hw_error;
	int ret;

	if (!params)
		return error(-ENOMEM, "no parameters for KVM_TDX_INIT_VM");
	ret = kvm_tdx_cmd(td->vm_fd, KVM_TDX_INIT_VM, 0, (u64)params, &hw_error);
	free(params);
	return ret ? ioctl_error("KVM_TDX_INIT_VM", ret, hw_error) : 0;
}

/* All is private but the mailboxes. */
static int add_slots(struct td *td)
{
	u64 mailboxes = TD_MAX_VCPUS * TD_PAGE_SIZE;
	u64 image = td_image_start(&td->image);
	int ret;

	ret = td_add_slot(td, TD_SLOT_RAM, 0, td->config.ram_size);
	if (!ret)
		ret = td_add_slot(td, TD_SLOT_IMAGE, image, (4UL << 30) - image);
	if (!ret)
		ret = td_set_private(td, 0, td->config.ram_size, true);
	if (!ret)
		ret = td_set_private(td, TD_MAILBOX_GPA, mailboxes, false);
	if (!ret)
		ret = td_set_private(td, image, (4UL << 30) - image, true);
	return ret;
}

static int map_run(struct td_vcpu *vcpu)
{
	int size = kvm_ioctl(vcpu->td->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	if (size < 0)
		return ioctl_error("KVM_GET_VCPU_MMAP_SIZE", size, 0);
	vcpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		vcpu->run = NULL;
		return ioctl_error("mmap of the vCPU", -errno, 0);
	}
	return 0;
}

int td_create_vcpu(struct td *td, unsigned int id)
{
	struct td_vcpu *vcpu = &td->vcpus[td->nr_vcpus];
	int ret;

	ret = kvm_ioctl(td->vm_fd, KVM_CREATE_VCPU, id);
	if (ret < 0)
		return ioctl_error("KVM_CREATE_VCPU", ret, 0);
	vcpu->td = td;
	vcpu->id = id;
	vcpu->fd = ret;
	td->nr_vcpus++;

	ret = map_run(vcpu);
	return ret ? ret : td_set_cpuid(vcpu);
}

int td_init_vcpu(struct td_vcpu *vcpu)
{
	u64 mailbox = TD_MAILBOX_GPA + (vcpu - vcpu->td->vcpus) * TD_PAGE_SIZE;
	int ret;

	vcpu->mailbox = td_shared(vcpu->td, mailbox);
	ret = kvm_tdx_cmd(vcpu->fd, KVM_TDX_INIT_VCPU, 0, mailbox, NULL);
	return ret ? ioctl_error("KVM_TDX_INIT_VCPU", ret, 0) : 0;
}

static void log_region(struct td *td, const struct td_region *region)
{
	for (u64 offset = 0; offset < region->size; offset += TD_PAGE_SIZE) {
		mrtd_add_page(&td->log, region->gpa + offset);
		td->nr_added++;
		if (!region->measured)
			continue;
		mrtd_extend_page(&td->log, region->gpa + offset, region->data + offset);
		td->nr_measured++;
	}
}

/* KVM says how far it came when a signal stops it. */
static int add_region(struct td *td, const struct td_region *region)
{
	struct kvm_tdx_init_mem_region args = {
		.source_addr = (u64)region->data,
		.gpa = region->gpa,
		.nr_pages = region->size / TD_PAGE_SIZE,
	};
	u32 flags = region->measured ? KVM_TDX_MEASURE_MEMORY_REGION : 0;
	int ret;

	do {
		ret = kvm_tdx_cmd(td->vcpus[0].fd, KVM_TDX_INIT_MEM_REGION, flags, (u64)&args,
				  NULL);
	} while (ret == -EINTR || ret == -EAGAIN);
	if (ret)
		return error(ret, "KVM_TDX_INIT_MEM_REGION: %s, %llu pages from 0x%llx left",
			     strerror(-ret), args.nr_pages, args.gpa);
	log_region(td, region);
	return 0;
}

int td_add_image(struct td *td)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < td->image.nr_regions; i++)
		ret = add_region(td, &td->image.regions[i]);
	return ret;
}

int td_finalize(struct td *td)
{
	u64 hw_error;
	int ret = kvm_tdx_cmd(td->vm_fd, KVM_TDX_FINALIZE_VM, 0, 0, &hw_error);

	if (ret)
		return ioctl_error("KVM_TDX_FINALIZE_VM", ret, hw_error);
	mrtd_final(&td->log, td->mrtd);
	return 0;
}

static int add_vcpus(struct td *td)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < td->config.nr_vcpus; i++) {
		ret = td_create_vcpu(td, i);
		if (!ret)
			ret = td_init_vcpu(&td->vcpus[i]);
	}
	return ret;
}

int td_step(struct td *td, enum td_stage stage)
{
	static int (*const steps[])(struct td *td) = {
		[TD_CREATED] = create,
		[TD_INITIALIZED] = td_init_vm,
		[TD_HAS_SLOTS] = add_slots,
		[TD_HAS_VCPUS] = add_vcpus,
		[TD_HAS_IMAGE] = td_add_image,
		[TD_FINALIZED] = td_finalize,
	};

	return steps[stage](td);
}

int td_build(struct td *td, const struct td_config *config, enum td_stage stage)
{
	int ret = 0;

	td_init(td, config);
	for (unsigned int i = TD_CREATED; !ret && i <= stage; i++)
		ret = td_step(td, i);
	return ret;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void destroy_vcpus(struct td *td)
{
	int size = td->kvm_fd < 0 ? 0 : kvm_ioctl(td->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	for (unsigned int i = 0; i < td->nr_vcpus; i++) {
		if (td->vcpus[i].run)
			munmap(td->vcpus[i].run, size);
		td->vcpus[i].run = NULL;
		close_fd(&td->vcpus[i].fd);
	}
	td->nr_vcpus = 0;
}

void td_destroy(struct td *td)
{
	destroy_vcpus(td);
	td_remove_slots(td);
	close_fd(&td->vm_fd);
	close_fd(&td->kvm_fd);
	free(td->caps);
	td->caps = NULL;
	if (!td->config.image)
		td_image_free(&td->image);
}
