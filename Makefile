# SPDX-License-Identifier: GPL-2.0-only
# Every target is one command of the lab; lab/enter runs it in the toolbox.
.DEFAULT_GOAL := help

# Passed to the lab when set, e.g. make run BASE=stock VCPUS=4
export BASE KERNEL VCPUS MEM TDS TRACE DPAMT EXT SHARD POINT SUITE TEST DISCARD OVERWRITE V
export GUEST_VCPUS GUEST_MEM GUEST_TDS GUEST_KERNEL GUEST_INITRD GUEST_APPEND GUEST_FIRMWARE GUEST_DISK GUEST_QEMU GUEST_SSH
export LINUX LINUX_CONFIG GUEST_LINUX GUEST_LINUX_CONFIG

LAB := lab/enter

.PHONY: help run td td-shell td-image shell test test-all tree refresh series bench sweep sizes picture clean distclean

help: ## show this list
	@echo "make TARGET [NAME=VALUE...]"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 14
	@echo "NAME: BASE=stock|series, KERNEL=7.2, VCPUS=2, MEM=1024 (MB), DPAMT=on|off, EXT=on|off, TDS=0..8, TRACE=1, SUITE=NAME, TEST=PATTERN,"
	@echo "      LINUX=FOLDER (your kernel tree as the host), LINUX_CONFIG=FILE (more options for it),"
	@echo "      GUEST_LINUX=FOLDER (your kernel tree as the TD), GUEST_LINUX_CONFIG=FILE,"
	@echo "      GUEST_VCPUS=1, GUEST_MEM=512 (MB), GUEST_TDS=1, GUEST_KERNEL=, GUEST_INITRD=, GUEST_FIRMWARE=, GUEST_DISK= (files),"
	@echo "      GUEST_APPEND=, GUEST_QEMU= (more arguments), GUEST_SSH=PORT,"
	@echo "      DISCARD=1 (tree, clean), OVERWRITE=1 (refresh); TDX_LAB_CACHE=FOLDER from the environment"

run: ## boot a TDX host on softseam and report
	@$(LAB) run

td: ## boot a stock guest (QEMU, OVMF, Linux of Debian) as a TD on that host and report
	@$(LAB) td

td-shell: ## a prompt in such a TD (GUEST_SSH=PORT forwards a port of this machine to its ssh)
	@$(LAB) td-shell

td-image: ## a small Debian disk image for GUEST_DISK, and a key to log in with, in build/td-image
	@$(LAB) td-image

shell: ## a prompt on the TDX host
	@$(LAB) shell

test: ## run the tests (SUITE= and TEST= pick some)
	@$(LAB) test

test-all: ## the tests, and sanitizers, fuzzing, per-patch builds, sweep (SUITE= and SHARD=i/n for several machines)
	@$(LAB) test-all

tree: ## stage the series as commits in build/linux, to work on
	@$(LAB) tree

refresh: ## rewrite series/ and added files from build/linux
	@$(LAB) refresh

series: ## write the mails for git am to build/series
	@$(LAB) series

bench: ## measure what Dynamic PAMT, the plugin and a TD cost (SUITE=pamt, host, guest)
	@$(LAB) bench

sweep: ## fail each SEAMCALL and allocation of a TD's life in turn (SHARD=i/n, POINT=)
	@$(LAB) sweep

sizes: ## lines and longest function per file, and what the series adds to stock files
	@$(LAB) sizes

picture: ## draw doc/report.png, which README.md shows, from the last run
	@$(LAB) picture

clean: ## remove build/, but never changes in build/linux not yet in series/
	@$(LAB) clean

distclean: clean ## and the toolbox, sources and compiler cache
	@$(LAB) distclean
