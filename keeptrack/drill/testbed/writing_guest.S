/*
 *    Licensed under the Apache License, Version 2.0 (the "License"); you may
 *    not use this file except in compliance with the License. You may obtain
 *    a copy of the License at
 *
 *         http://www.apache.org/licenses/LICENSE-2.0
 *
 *    Unless required by applicable law or agreed to in writing, software
 *    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
 *    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
 *    License for the specific language governing permissions and limitations
 *    under the License.
 *
 * A guest that writes: the firmware of a PC, 64 KiB, in real mode.
 *
 * A hundred times a second it
 *
 * - checks one of 64 pages of memory and writes to it, so that there is
 *   memory to migrate, and
 * - writes a record of one sector to the first IDE disk: a sequence number,
 *   which is also the number of the sector, and a nonce.  Once the disk has
 *   completed the write, the record is acknowledged on the first serial port.
 *
 * Every line on the serial port has 28 bytes: a letter, the sequence number
 * and the nonce in hexadecimal.  See keeptrack/drill/recorders/serial_port.py for the letters.
 *
 * A guest that boots goes on after the last record that its disk holds.  It
 * stays in real mode, which KVM runs on machines that run no kernel, and needs
 * a processor whose local APIC can be switched off: QEMU's own, which emulates
 * one that cannot, has to be started without.
 * Built by keeptrack/drill/testbed/writing_guest.py.
 */
        .code16
        .intel_syntax noprefix
        .section .text
        .global _start

        .equ    SERIAL, 0x3f8
        .equ    IDE, 0x1f0
        .equ    IDE_STATUS, IDE + 7
        .equ    IDE_CONTROL, 0x3f6
        .equ    READ, 0x20
        .equ    WRITE, 0x30
        .equ    BUSY, 0x80
        .equ    WANTS_DATA, 0x08
        .equ    FAILED, 0x21            /* error, or device fault */

        .equ    APIC_BASE, 0x1b         /* a register of the processor */
        .equ    APIC_ENABLED, 0x800

        .equ    PAGE_SIZES, 0x10        /* of CR4; there is no paging */

        .equ    PIT_HERTZ, 1193182
        .equ    TICKS, 100              /* a second */

        .equ    PAGES, 64
        .equ    FIRST_PAGE, 0x1000      /* segment */

        /* variables, in segment 0 */
        .equ    tick, 0x500             /* counted by the timer */
        .equ    seen, 0x504             /* the tick that was handled last */
        .equ    number, 0x508           /* of the record */
        .equ    nonce, 0x50c            /* of the record, 8 bytes */
        .equ    turn, 0x514             /* counts the pages written to */
        .equ    writing, 0x518          /* 1 while the disk is at work */
        .equ    low, 0x51c
        .equ    high, 0x520
        .equ    line, 0x580
        .equ    sector, 0x600
        .equ    stack, 0x7c00

_start:
        cli
        cld
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, stack
        mov     eax, 0
        mov     edi, tick
        mov     ecx, 64
        rep     stosd

        /* interrupts: all are ignored but the timer's */
        xor     di, di
        mov     cx, 256
1:      mov     ax, offset ignored
        stosw
        mov     ax, 0xf000
        stosw
        loop    1b
        mov     word ptr [8 * 4], offset timer

        /* without a local APIC the 8259 interrupts the processor directly */
        mov     ecx, APIC_BASE
        rdmsr
        and     eax, ~APIC_ENABLED
        wrmsr

        /* two 8259: vectors from 8 and from 0x70 on, all but the timer masked */
        mov     al, 0x11
        out     0x20, al
        out     0xa0, al
        mov     al, 0x08
        out     0x21, al
        mov     al, 0x70
        out     0xa1, al
        mov     al, 4
        out     0x21, al
        mov     al, 2
        out     0xa1, al
        mov     al, 1
        out     0x21, al
        out     0xa1, al
        mov     al, 0xfe
        out     0x21, al
        mov     al, 0xff
        out     0xa1, al

        /* 8254: a tick is a hundredth of a second */
        mov     al, 0x34
        out     0x43, al
        mov     ax, PIT_HERTZ / TICKS
        out     0x40, al
        mov     al, ah
        out     0x40, al

        /* the disk interrupts nobody */
        mov     dx, IDE_CONTROL
        mov     al, 2
        out     dx, al

        /* each page holds the turn that it was written at, less than PAGES */
        xor     eax, eax
        mov     bx, FIRST_PAGE
1:      mov     es, bx
        mov     es:[0], eax
        inc     eax
        add     bx, 0x100
        cmp     eax, PAGES
        jb      1b
        mov     [turn], eax
        xor     ax, ax
        mov     es, ax
        sti

        /* the records on the disk: a first one that is not there */
        mov     dword ptr [low], 0
        mov     dword ptr [high], SECTORS
search:
        mov     eax, [low]
        cmp     eax, [high]
        jae     found
        add     eax, [high]
        shr     eax, 1
        mov     [number], eax
        call    read
        jnc     1f
        mov     al, 'e'
        call    tell
        mov     ecx, 100
0:      hlt
        loop    0b
        jmp     search
1:      mov     eax, [number]
        cmp     dword ptr [sector], MAGIC
        jne     1f
        cmp     [sector + 4], eax
        jne     1f
        inc     eax
        mov     [low], eax
        jmp     search
1:      mov     [high], eax
        jmp     search
found:
        mov     [number], eax
        mov     al, 'b'
        call    tell

main:
        hlt
        mov     eax, [tick]
        cmp     eax, [seen]
        je      main
        mov     [seen], eax
        /* QEMU before 9.0 that emulates the processor does not see what is
           written to a page that it has migrated, until the processor forgets
           what it knows of pages */
        mov     eax, cr4
        xor     al, PAGE_SIZES
        mov     cr4, eax
        call    touch
        cmp     byte ptr [writing], 0
        je      begin

        mov     dx, IDE_STATUS
        in      al, dx
        test    al, BUSY
        jnz     main
        mov     byte ptr [writing], 0
        test    al, FAILED | WANTS_DATA
        jnz     failed
        mov     al, 'a'
        call    tell
        inc     dword ptr [number]

begin:
        cmp     dword ptr [number], SECTORS
        jae     full
        rdtsc
        mov     [nonce], eax
        mov     [nonce + 4], edx
        call    write
        jc      failed
        mov     byte ptr [writing], 1
        jmp     main

failed:
        mov     al, 'e'
        call    tell
        jmp     main

full:
        mov     al, 'f'
        call    tell
        cli
        hlt

/* Check a page of memory, and write to it. */
touch:
        mov     eax, [turn]
        mov     bx, ax
        and     bx, PAGES - 1
        shl     bx, 8
        add     bx, FIRST_PAGE
        mov     es, bx
        mov     ebx, eax
        sub     ebx, PAGES
        mov     ecx, es:[0]
        mov     es:[0], eax
        inc     eax
        mov     [turn], eax
        mov     dx, 0
        mov     es, dx
        cmp     ecx, ebx
        je      1f
        mov     al, 'm'
        call    tell
1:      ret

/* Give the disk a command for the sector [number]: al.  Carry: it failed. */
command:
        push    ax
        mov     dx, IDE + 2
        mov     al, 1
        out     dx, al
        mov     eax, [number]
        inc     dx
        out     dx, al
        shr     eax, 8
        inc     dx
        out     dx, al
        shr     eax, 8
        inc     dx
        out     dx, al
        mov     al, ah
        and     al, 0x0f
        or      al, 0xe0
        inc     dx
        out     dx, al
        pop     ax
        inc     dx
        out     dx, al
1:      in      al, dx
        test    al, BUSY
        jnz     1b
        test    al, FAILED
        jnz     2f
        test    al, WANTS_DATA
        jz      2f
        clc
        ret
2:      stc
        ret

/* Read the sector [number].  Carry: it failed. */
read:
        mov     al, READ
        call    command
        jc      1f
        mov     dx, IDE
        mov     di, sector
        mov     cx, 256
        rep     insw
        clc
1:      ret

/* Begin to write the sector [number].  Carry: it failed. */
write:
        mov     di, sector
        mov     eax, MAGIC
        stosd
        mov     eax, [number]
        stosd
        mov     cx, 63
1:      mov     eax, [nonce]
        stosd
        mov     eax, [nonce + 4]
        stosd
        loop    1b
        mov     al, WRITE
        call    command
        jc      1f
        mov     dx, IDE
        mov     si, sector
        mov     cx, 256
        rep     outsw
        clc
1:      ret

/* Print a line: al, the number, the nonce. */
tell:
        mov     di, line
        stosb
        mov     al, ' '
        stosb
        mov     eax, [number]
        call    hex
        mov     al, ' '
        stosb
        mov     eax, [nonce + 4]
        call    hex
        mov     eax, [nonce]
        call    hex
        mov     al, '\n'
        stosb
        mov     si, line
        mov     cx, di
        sub     cx, si
        mov     dx, SERIAL
        rep     outsb
        ret

hex:
        mov     edx, eax
        mov     cx, 8
1:      rol     edx, 4
        mov     al, dl
        and     al, 0x0f
        add     al, '0'
        cmp     al, '9'
        jbe     2f
        add     al, 'a' - '9' - 1
2:      stosb
        loop    1b
        ret

timer:
        push    ax
        push    ds
        xor     ax, ax
        mov     ds, ax
        inc     dword ptr [tick]
        mov     al, 0x20
        out     0x20, al
        pop     ds
        pop     ax
ignored:
        iret

        /* where a processor begins */
        .org    0xfff0
        ljmp    0xf000, offset _start
        .org    0x10000
