/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest payload as data; the Makefile says where it is.  Compiler caches leave
 * alone what includes binary data, but only if a blank and no tab tells them so.
 */
	.section .rodata
	.globl	payload_start
	.globl	payload_end
	.balign	16
payload_start:
	.incbin PAYLOAD
payload_end:

	.section .note.GNU-stack, "", @progbits
