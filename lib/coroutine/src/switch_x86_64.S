/* SPDX-License-Identifier: MIT */
/*
 * switch_x86_64.S - the switch for x86-64, System V convention.
 *
 * A suspended stack, from its point upwards:
 *
 *     0 r15    8 r14    16 r13    24 r12    32 rbx    40 rbp    48 return address
 *
 * Both stacks have this shape while rsp changes, so the unwind rules stay true
 * from one instruction to the next.
 *
 * We leave by a jump and not by a return: a return is predicted from the
 * calls of the other stack, always wrongly, and that costs more than the rest.
 *
 * No shadow stack: the note below claims IBT only, so a program that contains
 * this file runs without one.
 */

#if defined(__x86_64__) && !defined(AIOX_CO_UCONTEXT)

    .text

    .macro SUSPEND
    pushq   %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbp, 0
    pushq   %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbx, 0
    pushq   %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r12, 0
    pushq   %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r13, 0
    pushq   %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r14, 0
    pushq   %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r15, 0
    movq    %rsp, (%rdi)
    movq    %rsi, %rsp
    .endm

    .macro RESUME
    popq    %r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r15
    popq    %r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r14
    popq    %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r13
    popq    %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r12
    popq    %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbx
    popq    %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbp
    popq    %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register %rip, %rcx
    notrack jmp *%rcx
    .endm

/* void switch_jump_(void **here, void *there) */
    .globl  switch_jump_
    .hidden switch_jump_
    .type   switch_jump_, @function
    .p2align 6
switch_jump_:
    .cfi_startproc
    endbr64
    SUSPEND
    RESUME
    .cfi_endproc
    .size   switch_jump_, . - switch_jump_

/* void switch_finish_(void **here, void *there, switch_fn *fn, void *arg) */
    .globl  switch_finish_
    .hidden switch_finish_
    .type   switch_finish_, @function
    .p2align 4
switch_finish_:
    .cfi_startproc
    endbr64
    SUSPEND
    subq    $8, %rsp                    /* calls are made on multiples of 16 */
    .cfi_adjust_cfa_offset 8
    movq    %rcx, %rdi
    callq   *%rdx
    addq    $8, %rsp
    .cfi_adjust_cfa_offset -8
    RESUME
    .cfi_endproc
    .size   switch_finish_, . - switch_finish_

/* Where a new stack begins: rbx is the argument, r12 the function, rbp 0. Backtraces end here. */
    .type   begin, @function
    .p2align 4
begin:
    .cfi_startproc
    .cfi_undefined %rip
    endbr64
    movq    %rbx, %rdi
    callq   *%r12
    ud2
    .cfi_endproc
    .size   begin, . - begin

/* void *switch_prepare_(void *high, switch_fn *entry, void *arg) */
    .globl  switch_prepare_
    .hidden switch_prepare_
    .type   switch_prepare_, @function
    .p2align 4
switch_prepare_:
    .cfi_startproc
    endbr64
    leaq    -72(%rdi), %rax             /* so that begin calls from a multiple of 16 */
    leaq    begin(%rip), %rcx
    movq    $0, (%rax)
    movq    $0, 8(%rax)
    movq    $0, 16(%rax)
    movq    %rsi, 24(%rax)
    movq    %rdx, 32(%rax)
    movq    $0, 40(%rax)
    movq    %rcx, 48(%rax)
    movq    $0, 56(%rax)
    retq
    .cfi_endproc
    .size   switch_prepare_, . - switch_prepare_

    .section .rodata.switch_name_, "a", @progbits
    .globl  switch_name_
    .hidden switch_name_
    .type   switch_name_, @object
switch_name_:
    .asciz  "x86-64"
    .size   switch_name_, . - switch_name_

    .section .note.gnu.property, "a", @note
    .p2align 3
    .long   4                           /* length of the name */
    .long   16                          /* length of the description */
    .long   5                           /* NT_GNU_PROPERTY_TYPE_0 */
    .asciz  "GNU"
    .long   0xc0000002                  /* GNU_PROPERTY_X86_FEATURE_1_AND */
    .long   4
    .long   1                           /* IBT, and not SHSTK */
    .long   0

#endif

    .section .note.GNU-stack, "", @progbits
