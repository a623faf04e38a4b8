// SPDX-License-Identifier: GPL-2.0
/* The memory of a TD: slots, and which side of a page counts. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <unistd.h>
#include "kvm_tdx.h"
#include "td.h"

static struct td_slot *find_slot(struct td *td, u64 gpa, u64 size)
{
	for (int i = 0; i < TD_NR_SLOTS; i++) {
		struct td_slot *slot = &td->slots[i];

		if (gpa >= slot->gpa && gpa - slot->gpa < slot->size &&
		    size <= slot->size - (gpa - slot->gpa))
			return slot;
	}
	return NULL;
}

int td_add_slot(struct td *td, unsigned int index, u64 gpa, u64 size)
{
	struct kvm_create_guest_memfd gmem = { .size = size };
	struct td_slot *slot = &td->slots[index];
	void *shared;
	int ret;

	shared = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (shared == MAP_FAILED)
		return ioctl_error("mmap of shared memory", -errno, 0);
	*slot = (struct td_slot){ gpa, size, -1, shared };

	slot->gmem_fd = kvm_ioctl_ptr(td->vm_fd, KVM_CREATE_GUEST_MEMFD, &gmem);
	if (slot->gmem_fd < 0)
		return ioctl_error("KVM_CREATE_GUEST_MEMFD", slot->gmem_fd, 0);

	struct kvm_userspace_memory_region2 region = {
		.slot = index,
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (u64)shared,
		.guest_memfd = slot->gmem_fd,
	};

	ret = kvm_ioctl_ptr(td->vm_fd, KVM_SET_USER_MEMORY_REGION2, &region);
	return ret ? ioctl_error("KVM_SET_USER_MEMORY_REGION2", ret, 0) : 0;
}

/* KVM drops the slots themselves together with the VM. */
void td_remove_slots(struct td *td)
{
	for (int i = 0; i < TD_NR_SLOTS; i++) {
		struct td_slot *slot = &td->slots[i];

		if (slot->gmem_fd >= 0)
			close(slot->gmem_fd);
		if (slot->shared)
			munmap(slot->shared, slot->size);
		*slot = (struct td_slot){ .gmem_fd = -1 };
	}
}

int td_set_private(struct td *td, u64 gpa, u64 size, bool private)
{
	struct kvm_memory_attributes attr = {
		.address = gpa,
		.size = size,
		.attributes = private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0,
	};
	int ret;

	do {
		ret = kvm_ioctl_ptr(td->vm_fd, KVM_SET_MEMORY_ATTRIBUTES, &attr);
	} while (ret == -EINTR);
	return ret ? ioctl_error("KVM_SET_MEMORY_ATTRIBUTES", ret, 0) : 0;
}

static int punch_hole(struct td_slot *slot, u64 gpa, u64 size)
{
	if (!fallocate(slot->gmem_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		       gpa - slot->gpa, size))
		return 0;
	return ioctl_error("fallocate of a hole in guest_memfd", -errno, 0);
}

int td_punch_hole(struct td *td, u64 gpa, u64 size)
{
	struct td_slot *slot = find_slot(td, gpa, size);

	return slot ? punch_hole(slot, gpa, size) : error(-EINVAL, "no memory at 0x%lx", gpa);
}

int td_convert(struct td *td, u64 gpa, u64 size, bool private)
{
	struct td_slot *slot = find_slot(td, gpa, size);
	int ret;

	if (!slot)
		return error(-EINVAL, "no memory to convert at 0x%lx", gpa);
	ret = td_set_private(td, gpa, size, private);
	if (ret)
		return ret;
	if (!private)
		return punch_hole(slot, gpa, size);
	if (madvise(slot->shared + (gpa - slot->gpa), size, MADV_DONTNEED))
		return ioctl_error("madvise of shared memory", -errno, 0);
	return 0;
}

void *td_shared(struct td *td, u64 gpa)
{
	struct td_slot *slot = find_slot(td, gpa, 1);

	return slot ? slot->shared + (gpa - slot->gpa) : NULL;
}
