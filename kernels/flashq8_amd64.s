#include "textflag.h"
#include "amx_amd64.h"
#include "flashq_amd64.h"

// Attention of one tile (up to eight queries) to one page of codes of 8 bits (64 keys) after the other. A
// number is scale·c + lo, with c its code:
//
//	S [queries, 64 keys] = (Q·scale)·c + Q·lo       scale and lo: of a dimension, for 32 keys
//	P [queries, 64 keys] = 2^(S-m)                  m: the running maximum, a whole number
//	O [queries, d]      += (P·scale)·c + P·lo       scale and lo: of a key, for 32 dimensions
//
// What is multiplied with codes is rounded to whole numbers of up to 2^14, of a power of two for each query and 32 keys
// of S, and 32 dimensions of O. They are pairs of bytes, 256·h + l, which have a row of the tile each, so sums of
// products are whole numbers too, and exact. Q·lo and P·lo are float32. The sums of P and of P·lo stay in sixteen parts,
// in the head of the query, until the end. Each query's rows of a tile are on their own.
//
// Registers: R8 the job, R9 the page, R10 = 64, R11 = 4·d, R13 number of groups of dimensions, BX scales and minima.

#define jRows 64
#define jGroups 72
#define jHalf 80
#define jSteps 88
#define jCodes 96
#define jQuarter 104
#define jFetch 112
#define jMore 120
#define jCount 128
#define jQ 136
#define jO 144
#define jHead 152
#define jInfo 160
#define jProducts 168
#define jQueries 176
#define jScores 184
#define jScales 192
#define jWeights 200
#define jUnits 208
#define jSums 216

// What a maximum is masked with to be a power of two, the least one; what the factor and what undoes it are subtracted
// from; the worth of an upper byte; half of it, and a mask of lower bytes.
DATA quant8Const<>+0(SB)/4, $0x7f800000
DATA quant8Const<>+4(SB)/4, $0x0d800000
DATA quant8Const<>+8(SB)/4, $0x85800000
DATA quant8Const<>+12(SB)/4, $0x06800000
DATA quant8Const<>+16(SB)/4, $256.0
DATA quant8Const<>+20(SB)/4, $0x00800080
DATA quant8Const<>+24(SB)/4, $0x00ff00ff
GLOBL quant8Const<>(SB), RODATA|NOPTR, $28

// quantOrder is where the bytes of a tile's row are after PACK has joined vectors lane by lane.
DATA quantOrder<>+0(SB)/8, $0x1311121003010200
DATA quantOrder<>+8(SB)/8, $0x3331323023212220
DATA quantOrder<>+16(SB)/8, $0x1715161407050604
DATA quantOrder<>+24(SB)/8, $0x3735363427252624
DATA quantOrder<>+32(SB)/8, $0x1b191a180b090a08
DATA quantOrder<>+40(SB)/8, $0x3b393a382b292a28
DATA quantOrder<>+48(SB)/8, $0x1f1d1e1c0f0d0e0c
DATA quantOrder<>+56(SB)/8, $0x3f3d3e3c2f2d2e2c
GLOBL quantOrder<>(SB), RODATA|NOPTR, $64

// UNIT makes of a maximum a factor, a power of two that brings it to [2^13, 2^14), and in its place what undoes it.
#define UNIT(max, factor) \
	VPANDD      Z22, max, max         \
	VPMAXUD     Z21, max, max         \
	VPSUBD      max, Z19, factor      \
	VPSUBD.BCST quant8Const<>+12(SB), max, max

// PACK rounds the 64 numbers Z4 … Z7 and makes a row of their upper bytes, Z4, and one of their lower ones, Z5.
#define PACK \
	VCVTPS2DQ Z4, Z4       \
	VCVTPS2DQ Z5, Z5       \
	VCVTPS2DQ Z6, Z6       \
	VCVTPS2DQ Z7, Z7       \
	VPACKSSDW Z5, Z4, Z4   \
	VPACKSSDW Z7, Z6, Z6   \
	VPANDD    Z30, Z4, Z5  \
	VPANDD    Z30, Z6, Z7  \
	VPACKUSWB Z7, Z5, Z5   \
	VPADDW    Z29, Z4, Z4  \
	VPADDW    Z29, Z6, Z6  \
	VPSRAW    $8, Z4, Z4   \
	VPSRAW    $8, Z6, Z6   \
	VPACKSSWB Z6, Z4, Z4   \
	VPERMB    Z5, Z31, Z5  \
	VPERMB    Z4, Z31, Z4

// FETCH fetches a share of the next page's codes, from four places at once: each has a line of the processor's own
// fetching ahead, while what one core may ask for itself is not enough.
#define FETCH(times, again, done, P, N) \
	MOVQ       times(R8), N    \
	TESTQ      N, N            \
	JEQ        done            \
	MOVQ       N, jCount(R8)   \
	MOVQ       jQuarter(R8), N \
again:                         \
	PREFETCHT1 (P)             \
	PREFETCHT1 (P)(N*1)        \
	PREFETCHT1 (P)(N*2)        \
	ADDQ       N, P            \
	PREFETCHT1 (P)(N*2)        \
	SUBQ       N, P            \
	ADDQ       $64, P          \
	DECQ       jCount(R8)      \
	JNE        again           \
done:

// func flashQuant8AMX(job *quant8Job, pages *quantPage, n int)
TEXT ·flashQuant8AMX(SB), NOSPLIT, $40-24
	MOVQ         job+0(FP), R8
	MOVQ         pages+8(FP), R9
	MOVQ         n+16(FP), AX
	MOVQ         AX, left-8(SP)
	LDTILECFG(r8)
	MOVL         $64, R10
	MOVQ         jGroups(R8), R13
	MOVQ         R13, R11
	SHLQ         $7, R11
	VMOVDQU32    quantOrder<>(SB), Z31
	VPBROADCASTD quant8Const<>+24(SB), Z30
	VPBROADCASTD quant8Const<>+20(SB), Z29
	VPBROADCASTD quant8Const<>+0(SB), Z22
	VPBROADCASTD quant8Const<>+4(SB), Z21
	VPBROADCASTD quant8Const<>+8(SB), Z19
	VBROADCASTSS quant8Const<>+16(SB), Z20
	WEIGHCONST

page:
	MOVQ 0(R9), AX
	MOVQ jCodes(R8), BX
	LEAQ (AX)(BX*2), BX
	ADDQ 16(R9), AX
	MOVQ AX, fetch-40(SP)

	// Queries times the scales of the keys' dimensions, and their products with the minima. DX is what is known of a
	// query: bias, and largest product, then what a unit of it is worth, for both groups of keys.
	MOVQ jInfo(R8), DX
	MOVQ jQueries(R8), DI
	MOVQ DI, queries-24(SP)
	MOVQ $2, again-32(SP)

keyGroup:
	MOVQ   fetch-40(SP), SI
	MOVQ   jQ(R8), AX
	MOVQ   jProducts(R8), DI
	MOVQ   16(R9), R15
	MOVQ   R13, R14
	KXORW  K1, K1, K1
	KXNORW K2, K2, K2

dims:
	CMPQ  R14, $1
	JNE   whole
	KXORW K2, K2, K2

whole:
	LEAQ        (BX)(R15*1), CX
	PREFETCHT1  (CX)
	PREFETCHT1  64(CX)
	PREFETCHT1  (CX)(R11*1)
	PREFETCHT1  64(CX)(R11*1)
	VCVTPH2PS   (BX), Z8
	VCVTPH2PS   32(BX), Z9
	VCVTPH2PS.Z 64(BX), K2, Z10
	VCVTPH2PS.Z 96(BX), K2, Z11
	VCVTPH2PS   (BX)(R11*1), Z12
	VCVTPH2PS   32(BX)(R11*1), Z13
	VCVTPH2PS.Z 64(BX)(R11*1), K2, Z14
	VCVTPH2PS.Z 96(BX)(R11*1), K2, Z15
	MOVQ        jRows(R8), CX

query:
	FETCH(jFetch, fetchKeys, fetchedKeys, SI, R12)
	VMOVUPS     (AX), Z0
	VMOVUPS     64(AX), Z1
	VMOVUPS.Z   128(AX), K2, Z2
	VMOVUPS.Z   192(AX), K2, Z3
	VMULPS      Z8, Z0, Z4
	VMULPS      Z9, Z1, Z5
	VMULPS      Z10, Z2, Z6
	VMULPS      Z11, Z3, Z7
	VMOVUPS     Z4, (DI)
	VMOVUPS     Z5, 64(DI)
	VMOVUPS     Z6, 128(DI)
	VMOVUPS     Z7, 192(DI)
	VRANGEPS    $0x0b, Z4, Z5, Z4 // the larger one, without its sign
	VRANGEPS    $0x0b, Z6, Z7, Z6
	VRANGEPS    $0x0b, Z4, Z6, Z4
	VMOVUPS.Z   128(DX), K1, Z16
	VMAXPS      Z4, Z16, Z16
	VMOVUPS     Z16, 128(DX)
	VMULPS      Z12, Z0, Z0
	VMULPS      Z13, Z1, Z1
	VFMADD231PS Z14, Z2, Z0
	VFMADD231PS Z15, Z3, Z1
	VMOVUPS.Z   (DX), K1, Z17
	VADDPS      Z1, Z0, Z0
	VADDPS      Z0, Z17, Z17
	VMOVUPS     Z17, (DX)
	ADDQ        R11, AX
	ADDQ        $256, DI
	ADDQ        $256, DX
	DECQ        CX
	JNE         query
	MOVQ        jRows(R8), CX
	MOVQ        CX, R12
	SHLQ        $8, CX
	SUBQ        CX, DX
	IMULQ       R11, R12
	SUBQ        R12, AX
	ADDQ        $256, AX
	SUBQ        $-128, BX
	KXNORW      K1, K1, K1
	SUBQ        $2, R14
	JGT         dims
	MOVQ        SI, R10
	SHLQ        $6, R14 // the last step may have been half of one
	ADDQ        R14, BX

	MOVQ jProducts(R8), AX
	MOVQ queries-24(SP), DI
	MOVQ jHalf(R8), R15
	MOVQ jRows(R8), CX

scaled:
	VMOVUPS 128(DX), Z0
	ALL(VMAXPS, Z0, Z1)
	UNIT(Z0, Z2)
	VMOVUPS Z0, 128(DX)
	MOVQ    AX, SI
	MOVQ    DI, R12
	MOVQ    jSteps(R8), R14

packed:
	FETCH(jMore, fetchPacked, fetchedPacked, R10, R11)
	VMULPS    (SI), Z2, Z4
	VMULPS    64(SI), Z2, Z5
	VMULPS    128(SI), Z2, Z6
	VMULPS    192(SI), Z2, Z7
	PACK
	VMOVDQU32 Z4, (R12)
	VMOVDQU32 Z5, (R12)(R15*1)
	LEAQ      (SI)(R15*4), SI
	ADDQ      $1024, R12
	DECQ      R14
	JNE       packed
	ADDQ      $256, AX
	ADDQ      $64, DI
	ADDQ      $256, DX
	DECQ      CX
	JNE       scaled
	SHLQ      $2, R15
	SUBQ      R15, DX
	ADDQ      $64, DX
	MOVQ      R10, fetch-40(SP)
	MOVL      $64, R10
	MOVQ      R13, R11
	SHLQ      $7, R11
	MOVQ      jSteps(R8), AX
	SHLQ      $10, AX
	ADDQ      AX, queries-24(SP)
	DECQ      again-32(SP)
	JNE       keyGroup
	ADDQ      R11, BX

	// S, but for the products with the minima. Where a tile has but 32 dimensions of the page, the queries are 0 in the
	// others.
	MOVQ jQueries(R8), R14
	MOVQ jSteps(R8), AX
	SHLQ $10, AX
	ADDQ R14, AX
	MOVQ 0(R9), DX
	MOVQ R13, CX
	TILEZERO(0)
	TILEZERO(1)
	TILEZERO(2)
	TILEZERO(3)

keyDims:
	TILELOADD(4, r14, r10, 0)
	TILELOADD(5, rAX, r10, 0)
	CMPQ CX, $1
	JEQ  keyHalf
	TILELOADD(6, rDX, r10, 0)
	TDPBSUD(0, 4, 6)
	TILELOADD(7, rDX, r10, 1024)
	TDPBSUD(1, 4, 7)
	TILELOADD(6, rDX, r10, 2048)
	TDPBSUD(2, 5, 6)
	TILELOADD(7, rDX, r10, 3072)
	TDPBSUD(3, 5, 7)
	ADDQ $4096, DX
	ADDQ $1024, R14
	ADDQ $1024, AX
	SUBQ $2, CX
	JNE  keyDims
	JMP  keysDone

keyHalf:
	TILELOADD(6, rDX, r10, 0)
	TDPBSUD(0, 4, 6)
	TILELOADD(7, rDX, r10, 512)
	TDPBSUD(1, 4, 7)
	TILELOADD(6, rDX, r10, 1024)
	TDPBSUD(2, 5, 6)
	TILELOADD(7, rDX, r10, 1536)
	TDPBSUD(3, 5, 7)

keysDone:
	MOVQ jScores(R8), DX
	TILESTORED(0, rDX, r10, 0)
	TILESTORED(1, rDX, r10, 1024)
	TILESTORED(2, rDX, r10, 2048)
	TILESTORED(3, rDX, r10, 3072)
	MOVQ jScales(R8), DI
	MOVQ 16(R9), R15
	MOVQ R13, CX

valueScales:
	LEAQ        (BX)(R15*1), AX
	PREFETCHT1  (AX)
	PREFETCHT1  64(AX)
	PREFETCHT1  (AX)(R11*1)
	PREFETCHT1  64(AX)(R11*1)
	VCVTPH2PS   (BX), Z0
	VCVTPH2PS   32(BX), Z1
	VCVTPH2PS   64(BX), Z2
	VCVTPH2PS   96(BX), Z3
	VCVTPH2PS   (BX)(R11*1), Z4
	VCVTPH2PS   32(BX)(R11*1), Z5
	VCVTPH2PS   64(BX)(R11*1), Z6
	VCVTPH2PS   96(BX)(R11*1), Z7
	VMOVUPS     Z0, (DI)
	VMOVUPS     Z1, 64(DI)
	VMOVUPS     Z2, 128(DI)
	VMOVUPS     Z3, 192(DI)
	VMOVUPS     Z4, 256(DI)
	VMOVUPS     Z5, 320(DI)
	VMOVUPS     Z6, 384(DI)
	VMOVUPS     Z7, 448(DI)
	SUBQ        $-128, BX
	ADDQ        $512, DI
	DECQ        CX
	JNE         valueScales

	// P, query by query: R14 its head, BX its O, DX what is known of it, R15 where the worths of units go.
	MOVQ jScores(R8), SI
	MOVQ jInfo(R8), DX
	MOVQ jWeights(R8), DI
	MOVQ jHead(R8), R14
	MOVQ jO(R8), BX
	MOVQ jUnits(R8), R15
	MOVQ 8(R9), AX
	MOVQ AX, mask-16(SP)
	MOVQ jRows(R8), AX
	MOVQ AX, again-32(SP)
	MOVQ fetch-40(SP), R10

row:
	MOVQ  mask-16(SP), CX
	MOVQ  $-1, AX
	TESTQ CX, CX
	JEQ   seen
	MOVQ  (CX), AX
	ADDQ  $8, CX
	MOVQ  CX, mask-16(SP)

seen:
	SEEN
	MOVQ        jHalf(R8), CX
	VMOVUPS     (DX), Z4
	VMOVUPS     64(DX), Z5
	VMOVUPS     128(DX), Z12
	VMOVUPS     192(DX), Z13
	ALL(VADDPS, Z4, Z6)
	ALL(VADDPS, Z5, Z7)
	VCVTDQ2PS   (SI), Z8
	VCVTDQ2PS   1024(SI), Z9
	VCVTDQ2PS   2048(SI), Z10
	VCVTDQ2PS   3072(SI), Z11
	VCVTDQ2PS   (SI)(CX*1), Z0
	VCVTDQ2PS   1024(SI)(CX*1), Z1
	VCVTDQ2PS   2048(SI)(CX*1), Z2
	VCVTDQ2PS   3072(SI)(CX*1), Z3
	VFMADD231PS Z20, Z8, Z0
	VFMADD231PS Z20, Z9, Z1
	VFMADD231PS Z20, Z10, Z2
	VFMADD231PS Z20, Z11, Z3
	VFMADD213PS Z4, Z12, Z0
	VFMADD213PS Z4, Z12, Z1
	VFMADD213PS Z5, Z13, Z2
	VFMADD213PS Z5, Z13, Z3
	WEIGH(weigh)
	MOVQ        jScales(R8), AX
	MOVQ        R13, R12

weightGroup:
	FETCH(jFetch, fetchValues, fetchedValues, R10, R11)
	VMULPS      (AX), Z8, Z4
	VMULPS      64(AX), Z9, Z5
	VMULPS      128(AX), Z10, Z6
	VMULPS      192(AX), Z11, Z7
	VMAXPS      Z4, Z5, Z12
	VMAXPS      Z6, Z7, Z13
	VMAXPS      Z12, Z13, Z12
	ALL(VMAXPS, Z12, Z13)
	UNIT(Z12, Z13)
	VMOVSS      X12, (R15)
	VMULPS      Z13, Z4, Z4
	VMULPS      Z13, Z5, Z5
	VMULPS      Z13, Z6, Z6
	VMULPS      Z13, Z7, Z7
	PACK
	VMOVDQU32   Z4, (DI)
	VMOVDQU32   Z5, (DI)(CX*1)
	VMULPS      256(AX), Z8, Z17
	VMULPS      320(AX), Z9, Z18
	VFMADD231PS 384(AX), Z10, Z17
	VFMADD231PS 448(AX), Z11, Z18
	VADDPS      Z17, Z18, Z17
	VADDPS      (R14), Z17, Z17
	VMOVUPS     Z17, (R14)
	ADDQ        $4, R15
	ADDQ        $512, AX
	ADDQ        $1024, DI
	ADDQ        $64, R14
	DECQ        R12
	JNE         weightGroup
	MOVQ        R13, AX
	SHLQ        $10, AX
	SUBQ        AX, DI
	ADDQ        $64, DI
	ADDQ        $64, SI
	ADDQ        $256, DX
	MOVQ        R13, R11
	SHLQ        $7, R11
	ADDQ        R11, BX
	DECQ        again-32(SP)
	JNE         row
	MOVQ        R10, fetch-40(SP)
	MOVL        $64, R10

	MOVQ jWeights(R8), R14
	MOVQ 0(R9), DX
	ADDQ jCodes(R8), DX
	MOVQ jSums(R8), BX
	MOVQ R13, CX

valueDims:
	TILEZERO(0)
	TILEZERO(1)
	TILELOADD(4, r14, r10, 0)
	TILELOADD(6, rDX, r10, 0)
	TDPBSUD(0, 4, 6)
	TILELOADD(7, rDX, r10, 1024)
	TDPBSUD(1, 4, 7)
	TILESTORED(0, rBX, r10, 0)
	TILESTORED(1, rBX, r10, 1024)
	ADDQ $2048, BX
	ADDQ $2048, DX
	ADDQ $1024, R14
	DECQ CX
	JNE  valueDims

	// O
	MOVQ jO(R8), BX
	MOVQ jSums(R8), DX
	MOVQ jUnits(R8), R15
	MOVQ jHalf(R8), AX
	MOVQ jRows(R8), CX
	MOVQ fetch-40(SP), R10

sums:
	MOVQ DX, SI
	MOVQ R13, R12

sumGroup:
	FETCH(jMore, fetchSums, fetchedSums, R10, R11)
	VBROADCASTSS (R15), Z4
	VMOVDQU32    (SI), Z0
	VMOVDQU32    1024(SI), Z1
	VPSLLD       $8, Z0, Z0
	VPSLLD       $8, Z1, Z1
	VPADDD       (SI)(AX*1), Z0, Z0
	VPADDD       1024(SI)(AX*1), Z1, Z1
	VCVTDQ2PS    Z0, Z0
	VCVTDQ2PS    Z1, Z1
	VFMADD213PS  (BX), Z4, Z0
	VFMADD213PS  64(BX), Z4, Z1
	VMOVUPS      Z0, (BX)
	VMOVUPS      Z1, 64(BX)
	ADDQ         $4, R15
	ADDQ         $2048, SI
	SUBQ         $-128, BX
	DECQ         R12
	JNE          sumGroup
	ADDQ         $64, DX
	DECQ         CX
	JNE          sums
	MOVL         $64, R10
	MOVQ         R13, R11
	SHLQ         $7, R11
	ADDQ         $24, R9
	DECQ         left-8(SP)
	JNE          page
	AMX_END
	RET

