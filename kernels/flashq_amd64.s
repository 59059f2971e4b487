#include "textflag.h"
#include "amx_amd64.h"

// Attention of one tile (up to sixteen queries) to one quantised page (64 keys) after the other. A number is
// scale·c + lo, with c the code about its middle, which bf16 holds exactly:
//
//	S [queries, 64 keys] = (Q·scale)·c + Q·lo       scale and lo: of a dimension, for 32 keys
//	P [queries, 64 keys] = 2^(S-m)                  m: the running maximum, a whole number
//	O [queries, d]      += (P·scale)·c + P·lo       scale and lo: of a key, for 32 dimensions
//
// Products with codes are bf16 with float32 sums; Q·lo and P·lo are float32. The sums of P and of P·lo stay in
// sixteen parts, in the head of the query, until the end. Each query's row of a tile is on its own.
//
// Registers: R8 the job, R9 the page, R10 = 64, R11 = 4·d, R12 number of queries, R13 of groups of dimensions, SI codes,
// BX scales and minima, R15 how far ahead memory is fetched. Z31 and Z30 turn codes into numbers.

#define jRows 64
#define jGroups 72
#define jBits 80
#define jOffset 88
#define jLow 96
#define jHigh 104
#define jQ 112
#define jO 120
#define jHead 128
#define jQueries 136
#define jTiles 144
#define jBias 152
#define jScores 160
#define jScales 168
#define jWeights 176

// The polynomial of weightBF16 from the top; then 1 and -Inf.
DATA quantConst<>+0(SB)/4, $0.07802452266443263
DATA quantConst<>+4(SB)/4, $0.22606715539312927
DATA quantConst<>+8(SB)/4, $0.6958335405064481
DATA quantConst<>+12(SB)/4, $0.99992521856401
DATA quantConst<>+16(SB)/4, $1.0
DATA quantConst<>+20(SB)/4, $0xff800000
GLOBL quantConst<>(SB), RODATA|NOPTR, $24

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

// ROWS4 makes four rows of numbers, from disp(DI) on, of a vector of codes of 4 bits by a table.
#define ROWS4(disp, codes, table) \
	VPSRLW    $4, codes, Z1         \
	VPSRLW    $8, codes, Z2         \
	VPSRLW    $12, codes, Z3        \
	VPERMW    table, codes, Z4      \
	VPERMW    table, Z1, Z1         \
	VPERMW    table, Z2, Z2         \
	VPERMW    table, Z3, Z3         \
	VMOVDQU32 Z4, (disp)(DI)        \
	VMOVDQU32 Z1, (disp+64)(DI)     \
	VMOVDQU32 Z2, (disp+128)(DI)    \
	VMOVDQU32 Z3, (disp+192)(DI)

// TILE4 makes a tile of 256 bytes of codes, and fetches as much of the next page.
#define TILE4(from, disp, table, FETCH) \
	VMOVDQU32  from(SI), Z0      \
	FETCH      from(AX)          \
	ROWS4(disp, Z0, table)       \
	VMOVDQU32  (from+64)(SI), Z0 \
	FETCH      (from+64)(AX)     \
	ROWS4((disp+256), Z0, table) \
	VMOVDQU32  (from+128)(SI), Z0 \
	FETCH      (from+128)(AX)    \
	ROWS4((disp+512), Z0, table) \
	VMOVDQU32  (from+192)(SI), Z0 \
	FETCH      (from+192)(AX)    \
	ROWS4((disp+768), Z0, table)

// ROWS2 makes eight rows of a vector of codes of 2 bits.
#define ROWS2(disp, codes) \
	VPSRLW    $2, codes, Z1         \
	VPSRLW    $4, codes, Z2         \
	VPSRLW    $6, codes, Z3         \
	VPSRLW    $8, codes, Z4         \
	VPSRLW    $10, codes, Z5        \
	VPSRLW    $12, codes, Z6        \
	VPSRLW    $14, codes, Z7        \
	VPERMW    Z31, codes, Z0        \
	VPERMW    Z31, Z1, Z1           \
	VPERMW    Z31, Z2, Z2           \
	VPERMW    Z31, Z3, Z3           \
	VPERMW    Z31, Z4, Z4           \
	VPERMW    Z31, Z5, Z5           \
	VPERMW    Z31, Z6, Z6           \
	VPERMW    Z31, Z7, Z7           \
	VMOVDQU32 Z0, (disp)(DI)        \
	VMOVDQU32 Z1, (disp+64)(DI)     \
	VMOVDQU32 Z2, (disp+128)(DI)    \
	VMOVDQU32 Z3, (disp+192)(DI)    \
	VMOVDQU32 Z4, (disp+256)(DI)    \
	VMOVDQU32 Z5, (disp+320)(DI)    \
	VMOVDQU32 Z6, (disp+384)(DI)    \
	VMOVDQU32 Z7, (disp+448)(DI)

// unpackTiles makes four tiles (pairs of them for codes of 8 bits) at DI of codes at SI, which goes on. It changes AX, CX
// and DI.
TEXT unpackTiles<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVL $4, CX
	CMPQ jBits(R8), $4
	JEQ  bits4
	JGT  bits8

bits2:
	LEAQ       (SI)(R15*1), AX
	VMOVDQU32  (SI), Z8
	PREFETCHT0 (AX)
	ROWS2(0, Z8)
	VMOVDQU32  64(SI), Z8
	PREFETCHT0 64(AX)
	ROWS2(512, Z8)
	ADDQ       $128, SI
	ADDQ       $1024, DI
	DECQ       CX
	JNE        bits2
	RET

bits4:
	LEAQ (SI)(R15*1), AX
	TILE4(0, 0, Z31, PREFETCHT0)
	ADDQ $256, SI
	ADDQ $1024, DI
	DECQ CX
	JNE  bits4
	RET

bits8:
	LEAQ (SI)(R15*1), AX
	TILE4(0, 0, Z31, PREFETCHT1)
	TILE4(256, 1024, Z30, PREFETCHT1)
	ADDQ $512, SI
	ADDQ $2048, DI
	DECQ CX
	JNE  bits8
	RET

// func flashQuantAMX(job *quantJob, pages *quantPage, n int)
TEXT ·flashQuantAMX(SB), NOSPLIT, $48-24
	MOVQ         job+0(FP), R8
	MOVQ         pages+8(FP), R9
	MOVQ         n+16(FP), AX
	MOVQ         AX, left-8(SP)
	LDTILECFG(r8)
	MOVL         $64, R10
	MOVQ         jRows(R8), R12
	MOVQ         jGroups(R8), R13
	MOVQ         R13, R11
	SHLQ         $7, R11
	MOVQ         jLow(R8), AX
	VMOVDQU32    (AX), Z31
	MOVQ         jHigh(R8), AX
	VMOVDQU32    (AX), Z30
	VBROADCASTSS jOffset(R8), Z29
	VBROADCASTSS quantConst<>+0(SB), Z28
	VBROADCASTSS quantConst<>+4(SB), Z27
	VBROADCASTSS quantConst<>+8(SB), Z26
	VBROADCASTSS quantConst<>+12(SB), Z25
	VBROADCASTSS quantConst<>+16(SB), Z24
	VBROADCASTSS quantConst<>+20(SB), Z23
	MOVQ         0(R9), SI
	MOVQ         16(R9), R15
	MOVQ         jTiles(R8), DI
	MOVQ         DI, this-24(SP)
	LEAQ         8192(DI), AX
	MOVQ         AX, other-32(SP)
	CALL         unpackTiles<>(SB)
	MOVQ         SI, codes-40(SP)

page:
	MOVQ  0(R9), SI
	MOVQ  16(R9), R15
	MOVQ  jBits(R8), AX
	IMULQ R13, AX
	SHLQ  $9, AX
	LEAQ  (SI)(AX*1), BX

	// Queries times the scales of the keys' dimensions, and their products with the minima.
	MOVQ jQueries(R8), DI
	MOVQ jBias(R8), DX
	MOVQ $2, again-16(SP)

queryGroup:
	MOVQ  jQ(R8), AX
	MOVQ  R13, R14
	KXORW K1, K1, K1

queryDims:
	LEAQ        (BX)(R15*1), CX
	PREFETCHT0  (CX)
	PREFETCHT0  (CX)(R11*1)
	VCVTPH2PS   (BX), Z0
	VCVTPH2PS   32(BX), Z1
	VCVTPH2PS   (BX)(R11*1), Z2
	VCVTPH2PS   32(BX)(R11*1), Z3
	VFMADD231PS Z29, Z0, Z2
	VFMADD231PS Z29, Z1, Z3
	MOVQ        R12, CX

query:
	VMOVUPS     (AX), Z4
	VMOVUPS     64(AX), Z5
	VMULPS      Z0, Z4, Z6
	VMULPS      Z1, Z5, Z7
	VCVTNE2PS2BF16(8, 7, 6)
	VMOVDQU32   Z8, (DI)
	VMULPS      Z2, Z4, Z4
	VFMADD231PS Z3, Z5, Z4
	VADDPS      (DX), Z4, K1, Z4
	VMOVUPS     Z4, (DX)
	ADDQ        R11, AX
	ADDQ        $64, DI
	ADDQ        $64, DX
	DECQ        CX
	JNE         query
	MOVQ        R12, CX
	SHLQ        $6, CX
	SUBQ        CX, DI
	SUBQ        CX, DX
	ADDQ        $1024, DI
	MOVQ        R12, CX
	IMULQ       R11, CX
	SUBQ        CX, AX
	ADDQ        $128, AX
	KXNORW      K1, K1, K1
	ADDQ        $64, BX
	DECQ        R14
	JNE         queryDims
	ADDQ        $1024, DX
	DECQ        again-16(SP)
	JNE         queryGroup
	ADDQ        R11, BX

	// S, but for the products with the minima.
	MOVQ jQueries(R8), R14
	MOVQ this-24(SP), DX
	MOVQ other-32(SP), R12
	MOVQ codes-40(SP), SI
	MOVQ R13, again-16(SP)
	TILEZERO(0)
	TILEZERO(1)
	TILEZERO(2)
	TILEZERO(3)

keyDims:
	MOVQ R13, AX
	SHLQ $10, AX
	ADDQ R14, AX
	TILELOADD(4, r14, r10, 0)
	TILELOADD(5, rAX, r10, 0)
	CMPQ jBits(R8), $8
	JEQ  keyHalves
	TILELOADD(6, rDX, r10, 0)
	TDPBF16PS(0, 4, 6)
	TILELOADD(7, rDX, r10, 1024)
	TDPBF16PS(1, 4, 7)
	TILELOADD(6, rDX, r10, 2048)
	TDPBF16PS(2, 5, 6)
	TILELOADD(7, rDX, r10, 3072)
	TDPBF16PS(3, 5, 7)
	JMP  keyNext

keyHalves:
	TILELOADD(6, rDX, r10, 0)
	TDPBF16PS(0, 4, 6)
	TILELOADD(7, rDX, r10, 2048)
	TDPBF16PS(1, 4, 7)
	TILELOADD(6, rDX, r10, 4096)
	TDPBF16PS(2, 5, 6)
	TILELOADD(7, rDX, r10, 6144)
	TDPBF16PS(3, 5, 7)
	TILELOADD(6, rDX, r10, 1024)
	TDPBF16PS(0, 4, 6)
	TILELOADD(7, rDX, r10, 3072)
	TDPBF16PS(1, 4, 7)
	TILELOADD(6, rDX, r10, 5120)
	TDPBF16PS(2, 5, 6)
	TILELOADD(7, rDX, r10, 7168)
	TDPBF16PS(3, 5, 7)

keyNext:
	MOVQ R12, DI
	CALL unpackTiles<>(SB)
	XCHGQ R12, DX
	ADDQ $1024, R14
	DECQ again-16(SP)
	JNE  keyDims
	MOVQ DX, this-24(SP)
	MOVQ R12, other-32(SP)
	MOVQ SI, codes-40(SP)
	MOVQ jRows(R8), R12
	MOVQ jScores(R8), DX
	TILESTORED(0, rDX, r10, 0)
	TILESTORED(1, rDX, r10, 1024)
	TILESTORED(2, rDX, r10, 2048)
	TILESTORED(3, rDX, r10, 3072)
	MOVQ jScales(R8), DI
	MOVQ R13, CX

valueScales:
	LEAQ        (BX)(R15*1), AX
	PREFETCHT0  (AX)
	PREFETCHT0  64(AX)
	PREFETCHT0  (AX)(R11*1)
	PREFETCHT0  64(AX)(R11*1)
	VCVTPH2PS   (BX), Z0
	VCVTPH2PS   32(BX), Z1
	VCVTPH2PS   64(BX), Z2
	VCVTPH2PS   96(BX), Z3
	VCVTPH2PS   (BX)(R11*1), Z4
	VCVTPH2PS   32(BX)(R11*1), Z5
	VCVTPH2PS   64(BX)(R11*1), Z6
	VCVTPH2PS   96(BX)(R11*1), Z7
	VFMADD231PS Z29, Z0, Z4
	VFMADD231PS Z29, Z1, Z5
	VFMADD231PS Z29, Z2, Z6
	VFMADD231PS Z29, Z3, Z7
	VMOVUPS     Z0, (DI)
	VMOVUPS     Z1, 64(DI)
	VMOVUPS     Z2, 128(DI)
	VMOVUPS     Z3, 192(DI)
	VMOVUPS     Z4, 256(DI)
	VMOVUPS     Z5, 320(DI)
	VMOVUPS     Z6, 384(DI)
	VMOVUPS     Z7, 448(DI)
	ADDQ        $128, BX
	ADDQ        $512, DI
	DECQ        CX
	JNE         valueScales

	// P, query by query: R14 its head, BX its O, R15 its mask.
	MOVQ jScores(R8), SI
	MOVQ jBias(R8), DX
	MOVQ jWeights(R8), DI
	MOVQ DI, weights-48(SP)
	MOVQ jHead(R8), R14
	MOVQ jO(R8), BX
	MOVQ 8(R9), R15
	MOVQ R12, CX

row:
	MOVQ  $-1, AX
	TESTQ R15, R15
	JEQ   seen
	MOVQ  (R15), AX
	ADDQ  $8, R15

seen:
	KMOVW    AX, K1
	SHRQ     $16, AX
	KMOVW    AX, K2
	SHRQ     $16, AX
	KMOVW    AX, K3
	SHRQ     $16, AX
	KMOVW    AX, K4
	VMOVUPS  (DX), Z4
	VMOVUPS  1024(DX), Z5
	ALL(VADDPS, Z4, Z6)
	ALL(VADDPS, Z5, Z7)
	VADDPS   (SI), Z4, Z0
	VADDPS   1024(SI), Z4, Z1
	VADDPS   2048(SI), Z5, Z2
	VADDPS   3072(SI), Z5, Z3
	VMOVUPS  (R14), Z6
	VCMPPS   $6, Z6, Z0, K1, K5 // not at most
	VCMPPS   $6, Z6, Z1, K2, K6
	VCMPPS   $6, Z6, Z2, K3, K7
	KORW     K5, K6, K5
	VCMPPS   $6, Z6, Z3, K4, K6
	KORW     K5, K7, K5
	KORTESTW K5, K6
	JEQ      weigh
	CALL     raiseRow<>(SB)

weigh:
	VSUBPS      Z6, Z0, Z0
	VSUBPS      Z6, Z1, Z1
	VSUBPS      Z6, Z2, Z2
	VSUBPS      Z6, Z3, Z3
	VREDUCEPS   $1, Z0, Z4
	VREDUCEPS   $1, Z1, Z5
	VREDUCEPS   $1, Z2, Z6
	VREDUCEPS   $1, Z3, Z7
	VMOVAPS     Z28, Z8
	VMOVAPS     Z28, Z9
	VMOVAPS     Z28, Z10
	VMOVAPS     Z28, Z11
	VFMADD213PS Z27, Z4, Z8
	VFMADD213PS Z27, Z5, Z9
	VFMADD213PS Z27, Z6, Z10
	VFMADD213PS Z27, Z7, Z11
	VFMADD213PS Z26, Z4, Z8
	VFMADD213PS Z26, Z5, Z9
	VFMADD213PS Z26, Z6, Z10
	VFMADD213PS Z26, Z7, Z11
	VFMADD213PS Z25, Z4, Z8
	VFMADD213PS Z25, Z5, Z9
	VFMADD213PS Z25, Z6, Z10
	VFMADD213PS Z25, Z7, Z11
	VSCALEFPS.Z Z0, Z8, K1, Z8
	VSCALEFPS.Z Z1, Z9, K2, Z9
	VSCALEFPS.Z Z2, Z10, K3, Z10
	VSCALEFPS.Z Z3, Z11, K4, Z11
	VADDPS      Z8, Z9, Z12
	VADDPS      Z10, Z11, Z13
	VADDPS      Z12, Z13, Z12
	VADDPS      64(R14), Z12, Z12
	VMOVUPS     Z12, 64(R14)
	ADDQ        $128, R14
	MOVQ        jScales(R8), AX
	MOVQ        R13, R12

weightGroup:
	VMULPS      (AX), Z8, Z12
	VMULPS      64(AX), Z9, Z13
	VMULPS      128(AX), Z10, Z14
	VMULPS      192(AX), Z11, Z16
	VCVTNE2PS2BF16(12, 13, 12)
	VCVTNE2PS2BF16(14, 16, 14)
	VMOVDQU32   Z12, (DI)
	VMOVDQU32   Z14, 1024(DI)
	VMULPS      256(AX), Z8, Z17
	VMULPS      320(AX), Z9, Z18
	VFMADD231PS 384(AX), Z10, Z17
	VFMADD231PS 448(AX), Z11, Z18
	VADDPS      Z17, Z18, Z17
	VADDPS      (R14), Z17, Z17
	VMOVUPS     Z17, (R14)
	ADDQ        $512, AX
	ADDQ        $2048, DI
	ADDQ        $64, R14
	DECQ        R12
	JNE         weightGroup
	ADDQ        $64, weights-48(SP)
	MOVQ        weights-48(SP), DI
	ADDQ        $64, SI
	ADDQ        $64, DX
	ADDQ        R11, BX
	DECQ        CX
	JNE         row
	MOVQ        jRows(R8), R12

	// O. The last tiles that are made are those of the next page; after the last page its own once more.
	MOVQ jO(R8), BX
	MOVQ jWeights(R8), R14
	MOVQ this-24(SP), DX
	MOVQ other-32(SP), R12
	MOVQ codes-40(SP), SI
	MOVQ 16(R9), R15
	MOVQ R13, again-16(SP)

valueDims:
	TILELOADD(0, rBX, r11, 0)
	TILELOADD(1, rBX, r11, 64)
	TILELOADD(4, r14, r10, 0)
	TILELOADD(5, r14, r10, 1024)
	CMPQ jBits(R8), $8
	JEQ  valueHalves
	TILELOADD(6, rDX, r10, 0)
	TDPBF16PS(0, 4, 6)
	TILELOADD(7, rDX, r10, 2048)
	TDPBF16PS(1, 4, 7)
	TILELOADD(6, rDX, r10, 1024)
	TDPBF16PS(0, 5, 6)
	TILELOADD(7, rDX, r10, 3072)
	TDPBF16PS(1, 5, 7)
	JMP  valueNext

valueHalves:
	TILELOADD(6, rDX, r10, 0)
	TDPBF16PS(0, 4, 6)
	TILELOADD(7, rDX, r10, 4096)
	TDPBF16PS(1, 4, 7)
	TILELOADD(6, rDX, r10, 1024)
	TDPBF16PS(0, 4, 6)
	TILELOADD(7, rDX, r10, 5120)
	TDPBF16PS(1, 4, 7)
	TILELOADD(6, rDX, r10, 2048)
	TDPBF16PS(0, 5, 6)
	TILELOADD(7, rDX, r10, 6144)
	TDPBF16PS(1, 5, 7)
	TILELOADD(6, rDX, r10, 3072)
	TDPBF16PS(0, 5, 6)
	TILELOADD(7, rDX, r10, 7168)
	TDPBF16PS(1, 5, 7)

valueNext:
	CMPQ again-16(SP), $1
	JNE  samePage
	MOVQ 0(R9), SI
	XORL R15, R15
	CMPQ left-8(SP), $1
	JEQ  samePage
	MOVQ 24(R9), SI
	MOVQ 40(R9), R15

samePage:
	MOVQ R12, DI
	CALL unpackTiles<>(SB)
	XCHGQ R12, DX
	TILESTORED(0, rBX, r11, 0)
	TILESTORED(1, rBX, r11, 64)
	ADDQ $128, BX
	ADDQ $2048, R14
	DECQ again-16(SP)
	JNE  valueDims
	MOVQ DX, this-24(SP)
	MOVQ R12, other-32(SP)
	MOVQ SI, codes-40(SP)
	MOVQ jRows(R8), R12
	ADDQ $24, R9
	DECQ left-8(SP)
	JNE  page
	AMX_END
	RET

// raiseRow raises the maximum Z6 of a row to what the scores Z0 … Z3, visible by K1 … K4, ask for, and lets its head R14
// and O BX fade. It changes AX and R12.
TEXT raiseRow<>(SB), NOSPLIT|NOFRAME, $0-0
	VMOVAPS  Z23, Z4
	VMAXPS   Z0, Z4, K1, Z4
	VMAXPS   Z1, Z4, K2, Z4
	VMAXPS   Z2, Z4, K3, Z4
	VMAXPS   Z3, Z4, K4, Z4
	ALL(VMAXPS, Z4, Z5)
	VRNDSCALEPS $2, Z4, Z4
	VCMPPS   $3, Z0, Z0, K1, K5 // NaN
	VCMPPS   $3, Z1, Z1, K2, K6
	VCMPPS   $3, Z2, Z2, K3, K7
	KORW     K5, K6, K5
	VCMPPS   $3, Z3, Z3, K4, K6
	KORW     K5, K7, K5
	KORTESTW K5, K6
	JEQ      number
	VPTERNLOGD $0xff, Z4, Z4, Z4

number:
	VMAXPS    Z4, Z6, Z7 // Z4 where it is NaN
	VSUBPS    Z7, Z6, Z5
	VSCALEFPS Z5, Z24, Z5
	VMOVAPS   Z7, Z6
	VMOVUPS   Z6, (R14)
	VMULPS    64(R14), Z5, Z4
	VMOVUPS   Z4, 64(R14)
	LEAQ      128(R14), AX
	MOVQ      R13, R12

head:
	VMULPS  (AX), Z5, Z4
	VMOVUPS Z4, (AX)
	ADDQ    $64, AX
	DECQ    R12
	JNE     head
	MOVQ    BX, AX
	MOVQ    R13, R12

values:
	VMULPS  (AX), Z5, Z4
	VMULPS  64(AX), Z5, Z7
	VMOVUPS Z4, (AX)
	VMOVUPS Z7, 64(AX)
	ADDQ    $128, AX
	DECQ    R12
	JNE     values
	RET
