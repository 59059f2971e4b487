#include "textflag.h"
#include "transpose16_amd64.h"
#include "flash2_amd64.h"

// Attention of up to four queries to one page after the other, in float32, with the sums of flash_avx512_amd64.s in the
// same order. Keys are transposed in registers, so that sixteen keys, one a lane, add up dimension by dimension;
// values have their dimensions in lanes. O is [4, d].
//
// Registers: R15 the unit, SI its tile, DX S and then P [4, 64], AX = 4·d, BX = 3·AX, R14 what is fetched next and R12
// how far that goes for each line.

// QUERY adds to the scores of the four queries dimension i, which is in Zi.
#define QUERY(i, Zi) \
	VFMADD231PS.BCST (64*i)(DI), Zi, Z24    \
	VFMADD231PS.BCST (64*i+4)(DI), Zi, Z25  \
	VFMADD231PS.BCST (64*i+8)(DI), Zi, Z26  \
	VFMADD231PS.BCST (64*i+12)(DI), Zi, Z27

#define FETCH4 \
	PREFETCHT1 (R14)     \
	PREFETCHT1 64(R14)   \
	PREFETCHT1 128(R14)  \
	PREFETCHT1 192(R14)  \
	LEAQ       (R14)(R12*4), R14

// ALL leaves in all lanes of a the OP of its lanes. T is scratch.
#define ALL(OP, a, T) \
	VSHUFF64X2 $0x4e, a, a, T \
	OP         T, a, a        \
	VSHUFF64X2 $0xb1, a, a, T \
	OP         T, a, a        \
	VSHUFPS    $0x4e, a, a, T \
	OP         T, a, a        \
	VSHUFPS    $0xb1, a, a, T \
	OP         T, a, a

// VALUE adds to four vectors of one query's O the values Z16 … Z19 with the query's weight.
#define VALUE(disp, a, b, c, d) \
	VBROADCASTSS disp(DX)(R9*4), Z20 \
	VFMADD231PS  Z16, Z20, a \
	VFMADD231PS  Z17, Z20, b \
	VFMADD231PS  Z18, Z20, c \
	VFMADD231PS  Z19, Z20, d

// FADED loads four vectors of query i's O, times its fading.
#define FADED(i, P, a, b, c, d) \
	VBROADCASTSS (1024+4*i)(DX), Z20 \
	VMULPS (P), Z20, a     \
	VMULPS 64(P), Z20, b   \
	VMULPS 128(P), Z20, c  \
	VMULPS 192(P), Z20, d

#define STORED(P, a, b, c, d) \
	VMOVUPS a, (P)     \
	VMOVUPS b, 64(P)   \
	VMOVUPS c, 128(P)  \
	VMOVUPS d, 192(P)

// NEXT takes the lowest key off R13: its number goes to R9, the address of its values to R10.
#define NEXT \
	TZCNTQ R13, R9  \
	BLSRQ  R13, R13 \
	MOVQ   R9, R10  \
	IMULQ  AX, R10  \
	ADDQ   R8, R10

// func flashFewAVX512(units *flashUnit, n int, scratch *byte, d int)
TEXT ·flashFewAVX512(SB), NOSPLIT, $24-32
	MOVQ units+0(FP), R15
	MOVQ n+8(FP), CX
	MOVQ CX, left-8(SP)
	MOVQ scratch+16(FP), DX
	MOVQ d+24(FP), AX
	SHLQ $2, AX
	LEAQ (AX)(AX*2), BX

unit:
	MOVQ  16(R15), SI
	MOVQ  DX, R14
	XORL  R12, R12
	CMPQ  48(R15), $0
	JEQ   fetch
	MOVQ  40(R15), R14
	MOVL  $64, R12

fetch:
	// S, sixteen keys at a time; those of a group that nobody sees are left as they are.
	MOVQ 0(R15), R8
	MOVQ 32(R15), R13
	MOVQ DX, CX
	MOVQ CX, to-16(SP)

keys:
	TESTW R13, R13
	JEQ   skip
	VPXORQ Z24, Z24, Z24
	VPXORQ Z25, Z25, Z25
	VPXORQ Z26, Z26, Z26
	VPXORQ Z27, Z27, Z27
	LEAQ  256(SI), DI
	MOVQ  AX, CX

dims:
	LOAD16
	FETCH4
	FETCH4
	FETCH4
	FETCH4
	TRANSPOSE16
	QUERY(0, Z0)
	QUERY(1, Z1)
	QUERY(2, Z2)
	QUERY(3, Z3)
	QUERY(4, Z4)
	QUERY(5, Z5)
	QUERY(6, Z6)
	QUERY(7, Z7)
	QUERY(8, Z8)
	QUERY(9, Z9)
	QUERY(10, Z10)
	QUERY(11, Z11)
	QUERY(12, Z12)
	QUERY(13, Z13)
	QUERY(14, Z14)
	QUERY(15, Z15)
	ADDQ    $1024, DI
	ADDQ    $64, R8
	SUBQ    $64, CX
	JNE     dims
	SUBQ    AX, R8
	MOVQ    to-16(SP), CX
	VMOVUPS Z24, (CX)
	VMOVUPS Z25, 256(CX)
	VMOVUPS Z26, 512(CX)
	VMOVUPS Z27, 768(CX)

skip:
	ADDQ $64, to-16(SP)
	MOVQ AX, R9
	SHLQ $4, R9
	ADDQ R9, R8
	SHRQ $16, R13
	JNE  keys

	// P and the statistics, one query at a time: SI at its maximum, DI at its scores, R10 at its mask.
	POWERCONST
	KXNORW K1, K1, K1
	KXNORW K2, K2, K2
	KXNORW K3, K3, K3
	KXNORW K4, K4, K4
	MOVQ   24(R15), R10
	MOVQ   DX, DI
	XORL   R11, R11
	MOVL   $4, CX

query:
	TESTQ R10, R10
	JEQ   visible
	MOVL  (R10), R9
	KMOVW R9, K1
	SHRL  $16, R9
	KMOVW R9, K2
	MOVL  64(R10), R9
	KMOVW R9, K3
	SHRL  $16, R9
	KMOVW R9, K4
	ADDQ  $4, R10

visible:
	VMOVAPS      Z30, Z0
	VMOVAPS      Z30, Z1
	VMOVAPS      Z30, Z2
	VMOVAPS      Z30, Z3
	VMOVUPS      (DI), K1, Z0
	VMOVUPS      64(DI), K2, Z1
	VMOVUPS      128(DI), K3, Z2
	VMOVUPS      192(DI), K4, Z3
	VMAXPS       Z1, Z0, Z4
	VMAXPS       Z3, Z2, Z5
	VMAXPS       Z5, Z4, Z4
	ALL(VMAXPS, Z4, Z5)
	VRNDSCALEPS  $2, Z4, Z4
	VBROADCASTSS (SI), Z6
	VMAXPS       Z4, Z6, Z4
	VMOVSS       X4, (SI)
	VSUBPS       Z4, Z6, Z6
	VSCALEFPS    Z6, Z28, Z6
	VMOVSS       X6, 1024(DX)(R11*1)
	VSUBPS       Z4, Z0, Z0
	VSUBPS       Z4, Z1, Z1
	VSUBPS       Z4, Z2, Z2
	VSUBPS       Z4, Z3, Z3
	POWER(Z0, Z8, Z12)
	POWER(Z1, Z9, Z13)
	POWER(Z2, Z10, Z14)
	POWER(Z3, Z11, Z15)
	VMOVUPS      Z12, (DI)
	VMOVUPS      Z13, 64(DI)
	VMOVUPS      Z14, 128(DI)
	VMOVUPS      Z15, 192(DI)
	VADDPS       Z13, Z12, Z12
	VADDPS       Z14, Z12, Z12
	VADDPS       Z15, Z12, Z12
	ALL(VADDPS, Z12, Z13)
	VBROADCASTSS 64(SI), Z1
	VFMADD213PS  Z12, Z6, Z1
	VMOVSS       X1, 64(SI)
	ADDQ         $256, DI
	ADDQ         $4, SI
	ADDQ         $4, R11
	DECQ         CX
	JNE          query

	// O, sixty-four dimensions at a time while there are as many.
	MOVQ 8(R15), R8
	MOVQ 16(R15), DI
	MOVQ AX, CX
	SHLQ $4, CX
	LEAQ 256(DI)(CX*1), DI
	MOVQ AX, CX
	CMPQ CX, $256
	JLT  narrow

wide:
	LEAQ (DI)(AX*1), R9
	LEAQ (DI)(AX*2), R10
	LEAQ (DI)(BX*1), R11
	FADED(0, DI, Z0, Z1, Z2, Z3)
	FADED(1, R9, Z4, Z5, Z6, Z7)
	FADED(2, R10, Z8, Z9, Z10, Z11)
	FADED(3, R11, Z12, Z13, Z14, Z15)
	MOVQ 32(R15), R13

wideKeys:
	NEXT
	VMOVUPS (R10), Z16
	VMOVUPS 64(R10), Z17
	VMOVUPS 128(R10), Z18
	VMOVUPS 192(R10), Z19
	FETCH4
	VALUE(0, Z0, Z1, Z2, Z3)
	VALUE(256, Z4, Z5, Z6, Z7)
	VALUE(512, Z8, Z9, Z10, Z11)
	VALUE(768, Z12, Z13, Z14, Z15)
	TESTQ   R13, R13
	JNE     wideKeys
	LEAQ    (DI)(AX*1), R9
	LEAQ    (DI)(AX*2), R10
	STORED(DI, Z0, Z1, Z2, Z3)
	STORED(R9, Z4, Z5, Z6, Z7)
	STORED(R10, Z8, Z9, Z10, Z11)
	STORED(R11, Z12, Z13, Z14, Z15)
	ADDQ    $256, DI
	ADDQ    $256, R8
	SUBQ    $256, CX
	CMPQ    CX, $256
	JGE     wide

narrow:
	TESTQ CX, CX
	JEQ   done
	VBROADCASTSS 1024(DX), Z0
	VBROADCASTSS 1028(DX), Z1
	VBROADCASTSS 1032(DX), Z2
	VBROADCASTSS 1036(DX), Z3
	VMULPS  (DI), Z0, Z0
	VMULPS  (DI)(AX*1), Z1, Z1
	VMULPS  (DI)(AX*2), Z2, Z2
	VMULPS  (DI)(BX*1), Z3, Z3
	MOVQ    32(R15), R13

narrowKeys:
	NEXT
	VMOVUPS (R10), Z16
	VFMADD231PS.BCST (DX)(R9*4), Z16, Z0
	VFMADD231PS.BCST 256(DX)(R9*4), Z16, Z1
	VFMADD231PS.BCST 512(DX)(R9*4), Z16, Z2
	VFMADD231PS.BCST 768(DX)(R9*4), Z16, Z3
	TESTQ   R13, R13
	JNE     narrowKeys
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, (DI)(AX*1)
	VMOVUPS Z2, (DI)(AX*2)
	VMOVUPS Z3, (DI)(BX*1)
	ADDQ    $64, DI
	ADDQ    $64, R8
	SUBQ    $64, CX
	JMP     narrow

done:
	ADDQ $64, R15
	DECQ left-8(SP)
	JNE  unit
	VZEROUPPER
	RET
