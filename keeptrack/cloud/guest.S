#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

# A guest that fits into the boot sector. With every tick of the clock (18.2 a
# second) it counts, writes the count to its disk and touches some memory;
# every eighth count that the disk has acknowledged goes to the serial port.
# Clock, disk and serial port are the firmware's (interrupts 13h and 14h).
# Nested KVM emulates what runs in 16-bit mode, one instruction at a time, so
# only one word of each page of memory is written.
#
# PAGES: pages of memory to change with every tick

	.intel_syntax noprefix
	.code16
	.set FIRST, 0x1000000		# memory from 16 MiB
	.set LAST, 0x4000000		# to 64 MiB
	.set PAGE, 0x1000
	.set FIRST_SECTOR, 2048
	.globl _start

_start:	.byte 0xea			# a far jump: cs becomes 0
	.word begin, 0
begin:	xor	ax, ax
	mov	ds, ax
	mov	es, ax
	mov	ss, ax
	mov	sp, 0x7c00
	mov	[drive], dl
	mov	ax, 0x00e3		# 9600 baud, 8N1
	xor	dx, dx
	int	0x14

# a segment without a limit, kept on the way back from protected mode
	cli
	in	al, 0x92		# the address line A20
	or	al, 2
	and	al, 0xfe
	out	0x92, al
	lgdt	[table]
	mov	eax, cr0
	inc	ax
	mov	cr0, eax
	mov	cx, 8
	mov	gs, cx
	dec	ax
	mov	cr0, eax
	xor	cx, cx
	mov	gs, cx

# memory that is not zero, so that a migration has to copy it
	mov	ebx, FIRST
1:	call	change
	cmp	ebx, FIRST
	jne	1b

tick:	sti
	hlt
	inc	dword ptr [count]
	mov	eax, [count]
	mov	di, offset digits + 7
	mov	cx, 8
2:	mov	dl, al
	and	dl, 15
	add	dl, 0x30
	cmp	dl, 0x39
	jbe	3f
	add	dl, 0x27
3:	mov	[di], dl
	dec	di
	shr	eax, 4
	loop	2b

	mov	eax, [count]		# a sector for each of 1024 counts
	and	eax, 1023
	add	eax, FIRST_SECTOR
	mov	[sector], eax
	mov	si, offset request
	mov	ah, 0x43
	mov	al, 0
	mov	dl, [drive]
	push	ebx
	int	0x13
	pop	ebx
	jc	tick			# not acknowledged

	mov	cx, PAGES
4:	call	change
	loop	4b

	test	byte ptr [count], 7
	jnz	tick
	mov	si, offset text
	mov	cx, 12
5:	lodsb
	mov	ah, 1
	xor	dx, dx
	int	0x14
	loop	5b
	jmp	tick

# write to the page at ebx and go to the next, after the last to the first
change:	mov	eax, [count]
	or	eax, 1
	mov	gs:[ebx], eax
	add	ebx, PAGE
	cmp	ebx, LAST
	jb	6f
	mov	ebx, FIRST
6:	ret

text:	.ascii "n="
digits:	.ascii "00000000\r\n"
count:	.long 0
drive:	.byte 0
request:
	.byte 16, 0
	.word 1, text, 0
sector:	.quad 0

table:	.word 15
	.long segments
segments:
	.quad 0, 0x00cf92000000ffff

# one partition, or Glance and Nova do not take it for a disk
	.org 446
	.byte 0x80, 0, 2, 0, 0x83, 0xfe, 0xff, 0xff
	.long 1, 16383
	.org 510
	.word 0xaa55
