#include "textflag.h"
#include "exp8_amd64.h"

// LIMIT leaves the largest code, 2^bits-1 for bits in CX, in all lanes of Y7 as an integer, and in AX.
#define LIMIT \
	MOVL         $1, AX \
	SHLL         CX, AX \
	SUBL         $1, AX \
	VMOVD        AX, X7 \
	VPBROADCASTD X7, Y7

// CODE turns values into codes: Y4 is the minimum, Y5 the divisor, Y6 zero, Y7 the largest code as a float32. NaN
// becomes 0.
#define CODE(a) \
	VSUBPS    Y4, a, a \
	VDIVPS    Y5, a, a \
	VMAXPS    Y6, a, a \
	VMINPS    Y7, a, a \
	VCVTPS2DQ a, a

// func quantKeysAVX2(codes *uint32, x, lo, divisor *float32, dim, n, bits int)
TEXT ·quantKeysAVX2(SB), NOSPLIT, $0-56
	MOVQ      codes+0(FP), DI
	MOVQ      x+8(FP), SI
	MOVQ      lo+16(FP), R8
	MOVQ      divisor+24(FP), R9
	MOVQ      dim+32(FP), R11
	MOVQ      n+40(FP), R10
	MOVQ      bits+48(FP), CX
	SHLQ      $2, R11
	LIMIT
	VCVTDQ2PS Y7, Y7
	VPXOR     Y6, Y6, Y6

keys8:
	VMOVUPS (R8), Y4
	VMOVUPS (R9), Y5
	MOVQ    SI, BX
	MOVQ    DI, DX
	MOVQ    CX, R12 // words

keyWord:
	VPXOR Y1, Y1, Y1
	XORL  R13, R13 // the shift

keyCode:
	VMOVUPS (BX), Y0
	ADDQ    R11, BX
	CODE(Y0)
	VMOVD   R13, X2
	VPSLLD  X2, Y0, Y0
	VPOR    Y0, Y1, Y1
	ADDL    CX, R13
	CMPL    R13, $32
	JLT     keyCode
	VMOVDQU Y1, (DX)
	ADDQ    R11, DX
	DECQ    R12
	JNE     keyWord
	ADDQ    $32, R8
	ADDQ    $32, R9
	ADDQ    $32, SI
	ADDQ    $32, DI
	SUBQ    $8, R10
	JNE     keys8
	VZEROUPPER
	RET

// func dequantKeysAVX2(x *float32, codes *uint32, scale, lo *float32, dim, n, bits int)
TEXT ·dequantKeysAVX2(SB), NOSPLIT, $0-56
	MOVQ x+0(FP), DI
	MOVQ codes+8(FP), SI
	MOVQ scale+16(FP), R8
	MOVQ lo+24(FP), R9
	MOVQ dim+32(FP), R11
	MOVQ n+40(FP), R10
	MOVQ bits+48(FP), CX
	SHLQ $2, R11
	LIMIT
	VMOVD CX, X6

dekeys8:
	VMOVUPS (R8), Y5
	VMOVUPS (R9), Y4
	MOVQ    SI, BX
	MOVQ    DI, DX
	MOVQ    CX, R12 // words

dekeyWord:
	VMOVDQU (BX), Y1
	ADDQ    R11, BX
	XORL    R13, R13

dekeyCode:
	VPAND     Y7, Y1, Y0
	VPSRLD    X6, Y1, Y1
	VCVTDQ2PS Y0, Y0
	VMULPS    Y5, Y0, Y0
	VADDPS    Y4, Y0, Y0
	VMOVUPS   Y0, (DX)
	ADDQ      R11, DX
	ADDL      CX, R13
	CMPL      R13, $32
	JLT       dekeyCode
	DECQ      R12
	JNE       dekeyWord
	ADDQ      $32, R8
	ADDQ      $32, R9
	ADDQ      $32, SI
	ADDQ      $32, DI
	SUBQ      $8, R10
	JNE       dekeys8
	VZEROUPPER
	RET

// func minMaxGroupsAVX2(lo, hi, x *float32, n int)
TEXT ·minMaxGroupsAVX2(SB), NOSPLIT, $0-32
	MOVQ lo+0(FP), DI
	MOVQ hi+8(FP), DX
	MOVQ x+16(FP), SI
	MOVQ n+24(FP), CX

bounds32:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VMOVUPS 64(SI), Y2
	VMOVUPS 96(SI), Y3
	VMINPS  Y0, Y1, Y4
	VMINPS  Y2, Y3, Y5
	VMINPS  Y4, Y5, Y4
	VMAXPS  Y0, Y1, Y0
	VMAXPS  Y2, Y3, Y2
	VMAXPS  Y0, Y2, Y0
	ALL(VMINPS, Y4, Y5)
	ALL(VMAXPS, Y0, Y1)
	VMOVSS  X4, (DI)
	VMOVSS  X0, (DX)
	ADDQ    $128, SI
	ADDQ    $4, DI
	ADDQ    $4, DX
	DECQ    CX
	JNE     bounds32
	VZEROUPPER
	RET

// Dwords of the 128-bit halves in order: what the packing instructions interleave.
DATA halves<>+0(SB)/8, $0x0000000400000000
DATA halves<>+8(SB)/8, $0x0000000500000001
DATA halves<>+16(SB)/8, $0x0000000600000002
DATA halves<>+24(SB)/8, $0x0000000700000003
GLOBL halves<>(SB), RODATA|NOPTR, $32

// func quantValuesAVX2(codes *uint32, x, lo, divisor *float32, n, bits int)
// Y8 and Y9 are factors that move the second of two codes, and of two pairs, into its place.
TEXT ·quantValuesAVX2(SB), NOSPLIT, $0-48
	MOVQ         codes+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         lo+16(FP), R8
	MOVQ         divisor+24(FP), R9
	MOVQ         n+32(FP), R10
	MOVQ         bits+40(FP), CX
	LIMIT
	VCVTDQ2PS    Y7, Y7
	VPXOR        Y6, Y6, Y6
	VMOVDQU      halves<>(SB), Y10
	MOVL         $0x1001, AX       // bytes 1, 16
	MOVL         $0x0401, BX       // bytes 1, 4
	CMPL         CX, $2
	CMOVLEQ      BX, AX
	VMOVD        AX, X8
	VPBROADCASTW X8, Y8
	MOVL         $0x00100001, AX   // words 1, 16
	VMOVD        AX, X9
	VPBROADCASTD X9, Y9

values32:
	VBROADCASTSS (R8), Y4
	VBROADCASTSS (R9), Y5
	VMOVUPS      (SI), Y0
	VMOVUPS      32(SI), Y1
	VMOVUPS      64(SI), Y2
	VMOVUPS      96(SI), Y3
	CODE(Y0)
	CODE(Y1)
	CODE(Y2)
	CODE(Y3)
	VPACKUSDW    Y1, Y0, Y0
	VPACKUSDW    Y3, Y2, Y2
	VPACKUSWB    Y2, Y0, Y0
	VPERMD       Y0, Y10, Y0
	CMPL         CX, $4
	JLT          bits2
	JEQ          bits4
	VMOVDQU      Y0, (DI)
	ADDQ         $32, DI
	JMP          valuesNext

bits4:
	VPMADDUBSW Y8, Y0, Y0
	VPACKUSWB  Y0, Y0, Y0
	VPERMQ     $0x08, Y0, Y0
	VMOVDQU    X0, (DI)
	ADDQ       $16, DI
	JMP        valuesNext

bits2:
	VPMADDUBSW Y8, Y0, Y0
	VPMADDWD   Y9, Y0, Y0
	VPACKUSDW  Y0, Y0, Y0
	VPACKUSWB  Y0, Y0, Y0
	VPERMD     Y0, Y10, Y0
	VMOVQ      X0, (DI)
	ADDQ       $8, DI

valuesNext:
	ADDQ $128, SI
	ADDQ $4, R8
	ADDQ $4, R9
	DECQ R10
	JNE  values32
	VZEROUPPER
	RET

// Shifts that bring the codes of one word into lanes: eight of 4 bits, twice eight of 2 bits.
DATA shifts4<>+0(SB)/8, $0x0000000400000000
DATA shifts4<>+8(SB)/8, $0x0000000c00000008
DATA shifts4<>+16(SB)/8, $0x0000001400000010
DATA shifts4<>+24(SB)/8, $0x0000001c00000018
GLOBL shifts4<>(SB), RODATA|NOPTR, $32
DATA shifts2<>+0(SB)/8, $0x0000000200000000
DATA shifts2<>+8(SB)/8, $0x0000000600000004
DATA shifts2<>+16(SB)/8, $0x0000000a00000008
DATA shifts2<>+24(SB)/8, $0x0000000e0000000c
DATA shifts2<>+32(SB)/8, $0x0000001200000010
DATA shifts2<>+40(SB)/8, $0x0000001600000014
DATA shifts2<>+48(SB)/8, $0x0000001a00000018
DATA shifts2<>+56(SB)/8, $0x0000001e0000001c
GLOBL shifts2<>(SB), RODATA|NOPTR, $64

// VALUE stores the eight codes in the lanes of a as values.
#define VALUE(a, to) \
	VCVTDQ2PS a, a     \
	VMULPS    Y5, a, a \
	VADDPS    Y4, a, a \
	VMOVUPS   a, to

// WORD takes a word's codes apart by the shifts.
#define WORD(from, shifts, a) \
	VPBROADCASTD from, a      \
	VPSRLVD      shifts, a, a \
	VPAND        Y7, a, a

// func dequantValuesAVX2(x *float32, codes *uint32, scale, lo *float32, n, bits int)
TEXT ·dequantValuesAVX2(SB), NOSPLIT, $0-48
	MOVQ x+0(FP), DI
	MOVQ codes+8(FP), SI
	MOVQ scale+16(FP), R8
	MOVQ lo+24(FP), R9
	MOVQ n+32(FP), R10
	MOVQ bits+40(FP), CX
	LIMIT
	VMOVDQU shifts4<>(SB), Y8
	VMOVDQU shifts2<>(SB), Y9
	VMOVDQU shifts2<>+32(SB), Y10

devalues32:
	VBROADCASTSS (R8), Y5
	VBROADCASTSS (R9), Y4
	CMPL         CX, $4
	JLT          debits2
	JEQ          debits4
	VPMOVZXBD    (SI), Y0
	VPMOVZXBD    8(SI), Y1
	VPMOVZXBD    16(SI), Y2
	VPMOVZXBD    24(SI), Y3
	ADDQ         $32, SI
	JMP          devaluesNext

debits4:
	WORD((SI), Y8, Y0)
	WORD(4(SI), Y8, Y1)
	WORD(8(SI), Y8, Y2)
	WORD(12(SI), Y8, Y3)
	ADDQ $16, SI
	JMP  devaluesNext

debits2:
	WORD((SI), Y9, Y0)
	WORD((SI), Y10, Y1)
	WORD(4(SI), Y9, Y2)
	WORD(4(SI), Y10, Y3)
	ADDQ $8, SI

devaluesNext:
	VALUE(Y0, (DI))
	VALUE(Y1, 32(DI))
	VALUE(Y2, 64(DI))
	VALUE(Y3, 96(DI))
	ADDQ $128, DI
	ADDQ $4, R8
	ADDQ $4, R9
	DECQ R10
	JNE  devalues32
	VZEROUPPER
	RET
