/* SPDX-License-Identifier: MIT */
/*
 * switch_aarch64.S - the switch for 64-bit ARM, AAPCS64.
 *
 * A suspended stack, from its point upwards:
 *
 *     0 x19 x20    16 x21 x22    32 x23 x24    48 x25 x26    64 x27 x28    80 x29 x30
 *     96 d8 d9    112 d10 d11   128 d12 d13   144 d14 d15
 *
 * Both stacks have this shape while sp changes, so the unwind rules stay true
 * from one instruction to the next.
 */

#if defined(__aarch64__) && !defined(AIOX_CO_UCONTEXT)

#define POINT_BYTES 160
#define BTI_C hint #34                  /* a no-op before ARMv8.5 */

    .text

    .macro SUSPEND
    stp     x19, x20, [sp, #-POINT_BYTES]!
    .cfi_adjust_cfa_offset POINT_BYTES
    stp     x21, x22, [sp, #16]
    stp     x23, x24, [sp, #32]
    stp     x25, x26, [sp, #48]
    stp     x27, x28, [sp, #64]
    stp     x29, x30, [sp, #80]
    stp     d8, d9, [sp, #96]
    stp     d10, d11, [sp, #112]
    stp     d12, d13, [sp, #128]
    stp     d14, d15, [sp, #144]
    .cfi_rel_offset x19, 0
    .cfi_rel_offset x20, 8
    .cfi_rel_offset x21, 16
    .cfi_rel_offset x22, 24
    .cfi_rel_offset x23, 32
    .cfi_rel_offset x24, 40
    .cfi_rel_offset x25, 48
    .cfi_rel_offset x26, 56
    .cfi_rel_offset x27, 64
    .cfi_rel_offset x28, 72
    .cfi_rel_offset x29, 80
    .cfi_rel_offset x30, 88
    mov     x9, sp
    str     x9, [x0]
    mov     sp, x1
    .endm

    .macro RESUME
    ldp     d14, d15, [sp, #144]
    ldp     d12, d13, [sp, #128]
    ldp     d10, d11, [sp, #112]
    ldp     d8, d9, [sp, #96]
    ldp     x29, x30, [sp, #80]
    ldp     x27, x28, [sp, #64]
    ldp     x25, x26, [sp, #48]
    ldp     x23, x24, [sp, #32]
    ldp     x21, x22, [sp, #16]
    ldp     x19, x20, [sp], #POINT_BYTES
    .cfi_adjust_cfa_offset -POINT_BYTES
    .cfi_restore x19
    .cfi_restore x20
    .cfi_restore x21
    .cfi_restore x22
    .cfi_restore x23
    .cfi_restore x24
    .cfi_restore x25
    .cfi_restore x26
    .cfi_restore x27
    .cfi_restore x28
    .cfi_restore x29
    .cfi_restore x30
    ret
    .endm

/* void switch_jump_(void **here, void *there) */
    .globl  switch_jump_
    .hidden switch_jump_
    .type   switch_jump_, %function
    .p2align 4
switch_jump_:
    .cfi_startproc
    BTI_C
    SUSPEND
    RESUME
    .cfi_endproc
    .size   switch_jump_, . - switch_jump_

/* void switch_finish_(void **here, void *there, switch_fn *fn, void *arg) */
    .globl  switch_finish_
    .hidden switch_finish_
    .type   switch_finish_, %function
    .p2align 4
switch_finish_:
    .cfi_startproc
    BTI_C
    SUSPEND
    mov     x0, x3
    blr     x2
    RESUME
    .cfi_endproc
    .size   switch_finish_, . - switch_finish_

/* Where a new stack begins: x19 is the argument, x20 the function, x29 0. Backtraces end here. */
    .type   begin, %function
    .p2align 4
begin:
    .cfi_startproc
    .cfi_undefined x30
    mov     x0, x19
    blr     x20
    brk     #1
    .cfi_endproc
    .size   begin, . - begin

/* void *switch_prepare_(void *high, switch_fn *entry, void *arg) */
    .globl  switch_prepare_
    .hidden switch_prepare_
    .type   switch_prepare_, %function
    .p2align 4
switch_prepare_:
    .cfi_startproc
    BTI_C
    sub     x0, x0, #POINT_BYTES
    adr     x9, begin
    stp     x2, x1, [x0]
    stp     xzr, x9, [x0, #80]
    stp     xzr, xzr, [x0, #96]
    stp     xzr, xzr, [x0, #112]
    stp     xzr, xzr, [x0, #128]
    stp     xzr, xzr, [x0, #144]
    ret
    .cfi_endproc
    .size   switch_prepare_, . - switch_prepare_

    .section .rodata.switch_name_, "a", %progbits
    .globl  switch_name_
    .hidden switch_name_
    .type   switch_name_, %object
switch_name_:
    .asciz  "aarch64"
    .size   switch_name_, . - switch_name_

    .section .note.gnu.property, "a", %note
    .p2align 3
    .long   4                           /* length of the name */
    .long   16                          /* length of the description */
    .long   5                           /* NT_GNU_PROPERTY_TYPE_0 */
    .asciz  "GNU"
    .long   0xc0000000                  /* GNU_PROPERTY_AARCH64_FEATURE_1_AND */
    .long   4
    .long   1                           /* BTI */
    .long   0

#endif

    .section .note.GNU-stack, "", %progbits
