/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The trace that is replayed when no file is named, as it is in its file.
 */
	.section .rodata
	.globl	gospan_example, gospan_example_end
gospan_example:
	.incbin "traces/toolchain.ftrace.zst"
gospan_example_end:

	.section .note.GNU-stack, "", %progbits
