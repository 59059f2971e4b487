#include "textflag.h"
#include "amx_amd64.h"
#include "flashq_amd64.h"

// Attention of one tile (up to sixteen queries) to one page of codes of 4 or 2 bits (64 keys) after the
// other. A number is scale·c + lo, with c the code about its middle, which bf16 holds exactly:
//
//	S [queries, 64 keys] = (Q·scale)·c + Q·lo       scale and lo: of a dimension, for 32 keys
//	P [queries, 64 keys] = 2^(S-m)                  m: the running maximum, a whole number
//	O [queries, d]      += (P·scale)·c + P·lo       scale and lo: of a key, for 32 dimensions
//
// Products with codes are bf16 with float32 sums; Q·lo and P·lo are float32. The sums of P and of P·lo stay in
// sixteen parts, in the head of the query, until the end. Each query's row of a tile is on its own.
//
// Registers: R8 the job, R9 the page, R10 = 64, R11 = 4·d, R12 number of queries, R13 of groups of dimensions, SI codes,
// BX scales and minima, R15 how far ahead memory is fetched. Z31 turns codes into numbers.

#define jRows 64
#define jGroups 72
#define jBits 80
#define jOffset 88
#define jLow 96
#define jQ 104
#define jO 112
#define jHead 120
#define jQueries 128
#define jTiles 136
#define jBias 144
#define jScores 152
#define jScales 160
#define jWeights 168
#define jAhead 176
#define jCodes 184

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

// unpackTiles makes four tiles at DI of codes at SI, which goes on. Codes of 4 bits of the next page are fetched from two
// places at once, keys and values: each has a line of the processor's own fetching ahead, while what one core may ask for
// itself is not enough. It changes AX, CX and DI.
TEXT unpackTiles<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVL $4, CX
	CMPQ jBits(R8), $4
	JEQ  bits4

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
	MOVQ jAhead(R8), AX
	MOVQ jCodes(R8), R10

tile4:
	VMOVDQU32  (SI), Z0
	PREFETCHT1 (AX)
	ROWS4(0, Z0, Z31)
	VMOVDQU32  64(SI), Z0
	PREFETCHT1 (AX)(R10*1)
	ROWS4(256, Z0, Z31)
	VMOVDQU32  128(SI), Z0
	PREFETCHT1 64(AX)
	ROWS4(512, Z0, Z31)
	VMOVDQU32  192(SI), Z0
	PREFETCHT1 64(AX)(R10*1)
	ROWS4(768, Z0, Z31)
	SUBQ       $-128, AX
	ADDQ       $256, SI
	ADDQ       $1024, DI
	DECQ       CX
	JNE        tile4
	MOVQ AX, jAhead(R8)
	MOVL $64, R10
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
	VBROADCASTSS jOffset(R8), Z29
	WEIGHCONST
	MOVQ         0(R9), SI
	MOVQ         16(R9), R15
	MOVQ         SI, jAhead(R8)
	MOVQ         jTiles(R8), DI
	MOVQ         DI, this-24(SP)
	LEAQ         4096(DI), AX
	MOVQ         AX, other-32(SP)
	CALL         unpackTiles<>(SB)
	MOVQ         SI, codes-40(SP)

page:
	MOVQ  0(R9), SI
	MOVQ  16(R9), R15
	LEAQ  (SI)(R15*1), AX
	MOVQ  AX, jAhead(R8)
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
	TILELOADD(6, rDX, r10, 0)
	TDPBF16PS(0, 4, 6)
	TILELOADD(7, rDX, r10, 1024)
	TDPBF16PS(1, 4, 7)
	TILELOADD(6, rDX, r10, 2048)
	TDPBF16PS(2, 5, 6)
	TILELOADD(7, rDX, r10, 3072)
	TDPBF16PS(3, 5, 7)
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
	SEEN
	VMOVUPS  (DX), Z4
	VMOVUPS  1024(DX), Z5
	ALL(VADDPS, Z4, Z6)
	ALL(VADDPS, Z5, Z7)
	VADDPS   (SI), Z4, Z0
	VADDPS   1024(SI), Z4, Z1
	VADDPS   2048(SI), Z5, Z2
	VADDPS   3072(SI), Z5, Z3
	WEIGH(weigh)
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
	TILELOADD(6, rDX, r10, 0)
	TDPBF16PS(0, 4, 6)
	TILELOADD(7, rDX, r10, 2048)
	TDPBF16PS(1, 4, 7)
	TILELOADD(6, rDX, r10, 1024)
	TDPBF16PS(0, 5, 6)
	TILELOADD(7, rDX, r10, 3072)
	TDPBF16PS(1, 5, 7)
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
