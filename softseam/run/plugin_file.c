// SPDX-License-Identifier: GPL-2.0-only
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "plugin_api.h"
#include "plugin_file.h"
#include "words.h"

#define VERSION_SYMBOL	"qemu_plugin_version"

struct image {
	const uint8_t *data;
	uint64_t size;
};

/* The folder that this program is in, for the caller to free. */
static char *own_folder(void)
{
	char *path = realpath("/proc/self/exe", NULL);

	if (!path)
		fail("cannot tell where this program is (%s): name the plugin with --plugin",
		     strerror(errno));
	*strrchr(path, '/') = 0;
	return path;
}

static char *find_near(void)
{
	static const char *const places[] = { "%s/softseam.so", "%s/../lib/softseam/softseam.so" };
	char *folder = own_folder(), *path, *found = NULL;
	unsigned int i;

	for (i = 0; !found && i < sizeof(places) / sizeof(places[0]); i++) {
		path = words_format(places[i], folder);
		found = realpath(path, NULL);
		free(path);
	}
	if (!found)
		fail("there is no softseam.so in %s or its ../lib/softseam: build it with make -C softseam, or name it with --plugin",
		     folder);
	free(folder);
	return found;
}

char *plugin_file_find(const char *given)
{
	char *path;

	if (!given)
		return find_near();
	/* QEMU takes a name without "/" for one of a system library. */
	path = realpath(given, NULL);
	if (!path)
		fail("--plugin %s: %s", given, strerror(errno));
	return path;
}

static bool get(const struct image *im, uint64_t offset, void *to, size_t len)
{
	if (offset > im->size || len > im->size - offset)
		return false;
	memcpy(to, im->data + offset, len);
	return true;
}

static bool get_section(const struct image *im, unsigned int nr, Elf64_Shdr *to)
{
	Elf64_Ehdr head;

	return get(im, 0, &head, sizeof(head)) && nr < head.e_shnum &&
	       get(im, head.e_shoff + nr * sizeof(*to), to, sizeof(*to));
}

/* The value of an int that the file exports, if @sym is that. */
static bool get_version(const struct image *im, const Elf64_Shdr *names, const Elf64_Sym *sym,
			int *version)
{
	char name[sizeof(VERSION_SYMBOL)];
	Elf64_Shdr in;

	return get(im, names->sh_offset + sym->st_name, name, sizeof(name)) &&
	       !memcmp(name, VERSION_SYMBOL, sizeof(name)) &&
	       get_section(im, sym->st_shndx, &in) &&
	       get(im, in.sh_offset + sym->st_value - in.sh_addr, version, sizeof(*version));
}

static bool find_version(const struct image *im, int *version)
{
	Elf64_Shdr symbols, names;
	Elf64_Sym sym;
	unsigned int i;
	uint64_t at;

	for (i = 0; get_section(im, i, &symbols); i++) {
		if (symbols.sh_type != SHT_DYNSYM || !get_section(im, symbols.sh_link, &names))
			continue;
		for (at = 0; at < symbols.sh_size; at += sizeof(sym)) {
			if (!get(im, symbols.sh_offset + at, &sym, sizeof(sym)))
				break;
			if (get_version(im, &names, &sym, version))
				return true;
		}
	}
	return false;
}

static bool is_elf64(const struct image *im)
{
	uint8_t id[EI_CLASS + 1];

	return get(im, 0, id, sizeof(id)) && !memcmp(id, ELFMAG, SELFMAG) &&
	       id[EI_CLASS] == ELFCLASS64;
}

static void map_file(struct image *im, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		fail("cannot read the plugin %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || !st.st_size)
		fail("%s is no plugin: --plugin must name a softseam.so", path);
	im->size = (uint64_t)st.st_size;
	im->data = mmap(NULL, im->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (im->data == MAP_FAILED)
		fail("cannot read the plugin %s: %s", path, strerror(errno));
	close(fd);
}

void plugin_file_check(const char *path)
{
	struct image im;
	int version;

	map_file(&im, path);
	if (!is_elf64(&im) || !find_version(&im, &version))
		fail("%s is no plugin: --plugin must name a softseam.so", path);
	if (version != PLUGIN_API_VERSION)
		fail("%s is for version %d of QEMU's plugin interface, not %d: build it again with make -C softseam",
		     path, version, PLUGIN_API_VERSION);
	munmap((void *)(uintptr_t)im.data, im.size);
}
