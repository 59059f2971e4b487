#include "textflag.h"
#include "transpose16_amd64.h"

// Attention of one tile (sixteen queries, one a lane) to one page (64 keys) after the other, in float32:
//
//	S [64 keys, 16 queries] = K·Qᵀ
//	P [64 keys, 16 queries] = 2^(S-m)      m: the running maximum, a whole number
//	O [d, 16 queries]      = fade·O + Vᵀ·P
//
// Keys go by groups of sixteen, and a group that none of the tile's queries sees is left out. A sum over dimensions or
// over keys is in order, one product after the other.
//
// Registers: R15 the unit, SI its tile, DX S and then P, AX = 4·d (bytes of a key), BX = 3·AX.

// The polynomial of 2^f on [0, 1) from the top, within 8.3e-8; the smallest exponent; -Inf.
DATA flash2Const<>+0(SB)/4, $0.0018671300724391285
DATA flash2Const<>+4(SB)/4, $0.009017030315890247
DATA flash2Const<>+8(SB)/4, $0.05579991310967655
DATA flash2Const<>+12(SB)/4, $0.2401644501528686
DATA flash2Const<>+16(SB)/4, $0.6931513118048798
DATA flash2Const<>+20(SB)/4, $1.0
DATA flash2Const<>+24(SB)/4, $-10000.0
DATA flash2Const<>+28(SB)/4, $0xff800000
GLOBL flash2Const<>(SB), RODATA|NOPTR, $32

// KEYS4 adds to four sums the product of the queries' dimension in Z and that of the keys, disp bytes on, at P.
#define KEYS4(P, disp, Z, a, b, c, d) \
	VFMADD231PS.BCST disp(P), Z, a       \
	VFMADD231PS.BCST disp(P)(AX*1), Z, b \
	VFMADD231PS.BCST disp(P)(AX*2), Z, c \
	VFMADD231PS.BCST disp(P)(BX*1), Z, d

#define KEYS16(disp, Z) \
	KEYS4(R8, disp, Z, Z0, Z1, Z2, Z3)     \
	KEYS4(R9, disp, Z, Z4, Z5, Z6, Z7)     \
	KEYS4(R10, disp, Z, Z8, Z9, Z10, Z11)  \
	KEYS4(R11, disp, Z, Z12, Z13, Z14, Z15)

// WEIGHT turns the scores at disp(DI) into weights, and adds them to sum. X, F and P are scratch.
#define WEIGHT(disp, X, F, P, sum) \
	VMOVUPS      disp(DI), X      \
	VSUBPS       Z20, X, X        \
	VMAXPS       X, Z29, X        \
	VRNDSCALEPS  $1, X, F         \
	VSUBPS       F, X, F          \
	VMOVAPS      Z23, P           \
	VFMADD213PS  Z24, F, P        \
	VFMADD213PS  Z25, F, P        \
	VFMADD213PS  Z26, F, P        \
	VFMADD213PS  Z27, F, P        \
	VFMADD213PS  Z28, F, P        \
	VSCALEFPS    X, P, P          \
	VMOVUPS      P, disp(DI)      \
	VADDPS       P, sum, sum

// func flashAVX512(units *flashUnit, n int, scratch *byte, d int)
TEXT ·flashAVX512(SB), NOSPLIT, $24-32
	MOVQ         units+0(FP), R15
	MOVQ         n+8(FP), CX
	MOVQ         CX, left-8(SP)
	MOVQ         scratch+16(FP), DX
	VBROADCASTSS flash2Const<>+0(SB), Z23
	VBROADCASTSS flash2Const<>+4(SB), Z24
	VBROADCASTSS flash2Const<>+8(SB), Z25
	VBROADCASTSS flash2Const<>+12(SB), Z26
	VBROADCASTSS flash2Const<>+16(SB), Z27
	VBROADCASTSS flash2Const<>+20(SB), Z28
	VBROADCASTSS flash2Const<>+24(SB), Z29
	VBROADCASTSS flash2Const<>+28(SB), Z30
	MOVQ         d+24(FP), AX
	SHLQ         $2, AX
	LEAQ         (AX)(AX*2), BX

unit:
	MOVQ 16(R15), SI
	MOVQ 0(R15), R8
	MOVQ 32(R15), R13
	MOVQ DX, DI

	// S
keys:
	TESTW  R13, R13
	JEQ    skip
	LEAQ   (R8)(AX*4), R9
	LEAQ   (R9)(AX*4), R10
	LEAQ   (R10)(AX*4), R11
	VPXORQ Z0, Z0, Z0
	VPXORQ Z1, Z1, Z1
	VPXORQ Z2, Z2, Z2
	VPXORQ Z3, Z3, Z3
	VPXORQ Z4, Z4, Z4
	VPXORQ Z5, Z5, Z5
	VPXORQ Z6, Z6, Z6
	VPXORQ Z7, Z7, Z7
	VPXORQ Z8, Z8, Z8
	VPXORQ Z9, Z9, Z9
	VPXORQ Z10, Z10, Z10
	VPXORQ Z11, Z11, Z11
	VPXORQ Z12, Z12, Z12
	VPXORQ Z13, Z13, Z13
	VPXORQ Z14, Z14, Z14
	VPXORQ Z15, Z15, Z15
	LEAQ   256(SI), R14
	MOVQ   AX, CX

dims:
	VMOVUPS (R14), Z16
	VMOVUPS 64(R14), Z17
	VMOVUPS 128(R14), Z18
	VMOVUPS 192(R14), Z19
	KEYS16(0, Z16)
	KEYS16(4, Z17)
	KEYS16(8, Z18)
	KEYS16(12, Z19)
	ADDQ    $256, R14
	ADDQ    $16, R8
	ADDQ    $16, R9
	ADDQ    $16, R10
	ADDQ    $16, R11
	SUBQ    $16, CX
	JNE     dims
	SUBQ    AX, R8
	ROWS16DENSE

skip:
	ADDQ $1024, DI
	MOVQ AX, R9
	SHLQ $4, R9
	ADDQ R9, R8
	SHRQ $16, R13
	JNE  keys

	// Scores that a query does not see become -Inf.
	MOVQ         24(R15), R14
	TESTQ        R14, R14
	JEQ          visible
	VMOVDQU32    (R14), Z0
	VMOVDQU32    64(R14), Z1
	MOVL         $1, CX
	VPBROADCASTD CX, Z2
	MOVQ         DX, DI
	MOVL         $32, CX

mask:
	VPTESTNMD Z2, Z0, K1
	VPTESTNMD Z2, Z1, K2
	VMOVUPS   Z30, K1, (DI)
	VMOVUPS   Z30, K2, 2048(DI)
	VPSLLD    $1, Z2, Z2
	ADDQ      $64, DI
	DECQ      CX
	JNE       mask

visible:
	// The maximum Z20, and by how much older weights fade: Z21.
	VMOVAPS Z30, Z0
	VMOVAPS Z30, Z1
	VMOVAPS Z30, Z2
	VMOVAPS Z30, Z3
	MOVQ    32(R15), R13
	MOVQ    DX, DI

highest:
	TESTW R13, R13
	JEQ   skipHighest
	VMAXPS 0(DI), Z0, Z0
	VMAXPS 64(DI), Z1, Z1
	VMAXPS 128(DI), Z2, Z2
	VMAXPS 192(DI), Z3, Z3
	VMAXPS 256(DI), Z0, Z0
	VMAXPS 320(DI), Z1, Z1
	VMAXPS 384(DI), Z2, Z2
	VMAXPS 448(DI), Z3, Z3
	VMAXPS 512(DI), Z0, Z0
	VMAXPS 576(DI), Z1, Z1
	VMAXPS 640(DI), Z2, Z2
	VMAXPS 704(DI), Z3, Z3
	VMAXPS 768(DI), Z0, Z0
	VMAXPS 832(DI), Z1, Z1
	VMAXPS 896(DI), Z2, Z2
	VMAXPS 960(DI), Z3, Z3

skipHighest:
	ADDQ $1024, DI
	SHRQ $16, R13
	JNE  highest
	VMAXPS      Z1, Z0, Z0
	VMAXPS      Z3, Z2, Z2
	VMAXPS      Z2, Z0, Z0
	VRNDSCALEPS $2, Z0, Z0
	VMOVUPS     (SI), Z1
	VMAXPS      Z0, Z1, Z20
	VMOVUPS     Z20, (SI)
	VSUBPS      Z20, Z1, Z1
	VSCALEFPS   Z1, Z28, Z21

	// P
	VPXORQ Z16, Z16, Z16
	VPXORQ Z17, Z17, Z17
	VPXORQ Z18, Z18, Z18
	VPXORQ Z19, Z19, Z19
	MOVQ   32(R15), R13
	MOVQ   DX, DI

weights:
	TESTW R13, R13
	JEQ   skipWeights
	WEIGHT(0, Z0, Z1, Z2, Z16)
	WEIGHT(64, Z3, Z4, Z5, Z17)
	WEIGHT(128, Z6, Z7, Z8, Z18)
	WEIGHT(192, Z9, Z10, Z11, Z19)
	WEIGHT(256, Z0, Z1, Z2, Z16)
	WEIGHT(320, Z3, Z4, Z5, Z17)
	WEIGHT(384, Z6, Z7, Z8, Z18)
	WEIGHT(448, Z9, Z10, Z11, Z19)
	WEIGHT(512, Z0, Z1, Z2, Z16)
	WEIGHT(576, Z3, Z4, Z5, Z17)
	WEIGHT(640, Z6, Z7, Z8, Z18)
	WEIGHT(704, Z9, Z10, Z11, Z19)
	WEIGHT(768, Z0, Z1, Z2, Z16)
	WEIGHT(832, Z3, Z4, Z5, Z17)
	WEIGHT(896, Z6, Z7, Z8, Z18)
	WEIGHT(960, Z9, Z10, Z11, Z19)

skipWeights:
	ADDQ $1024, DI
	SHRQ $16, R13
	JNE  weights
	VADDPS      Z17, Z16, Z16
	VADDPS      Z19, Z18, Z18
	VADDPS      Z18, Z16, Z16
	VMOVUPS     64(SI), Z1
	VFMADD213PS Z16, Z21, Z1
	VMOVUPS     Z1, 64(SI)

	// O, sixteen dimensions at a time; the next page is fetched on the way.
	MOVQ  8(R15), R8
	LEAQ  256(SI), DI
	MOVQ  AX, CX
	SHLQ  $4, CX
	ADDQ  CX, DI
	MOVQ  AX, CX
	MOVQ  40(R15), R14
	MOVQ  56(R15), R12
	TESTQ R12, R12
	JNE   values
	MOVQ  DX, R14

values:
	VMULPS 0(DI), Z21, Z0
	VMULPS 64(DI), Z21, Z1
	VMULPS 128(DI), Z21, Z2
	VMULPS 192(DI), Z21, Z3
	VMULPS 256(DI), Z21, Z4
	VMULPS 320(DI), Z21, Z5
	VMULPS 384(DI), Z21, Z6
	VMULPS 448(DI), Z21, Z7
	VMULPS 512(DI), Z21, Z8
	VMULPS 576(DI), Z21, Z9
	VMULPS 640(DI), Z21, Z10
	VMULPS 704(DI), Z21, Z11
	VMULPS 768(DI), Z21, Z12
	VMULPS 832(DI), Z21, Z13
	VMULPS 896(DI), Z21, Z14
	VMULPS 960(DI), Z21, Z15
	MOVQ 32(R15), R13

value:
	TZCNTQ     R13, R9
	BLSRQ      R13, R13
	MOVQ       R9, R10
	SHLQ       $6, R10
	IMULQ      AX, R9
	VMOVUPS    (DX)(R10*1), Z16
	PREFETCHT0 (R14)
	PREFETCHT0 64(R14)
	ADDQ       R12, R14
	VFMADD231PS.BCST 0(R8)(R9*1), Z16, Z0
	VFMADD231PS.BCST 4(R8)(R9*1), Z16, Z1
	VFMADD231PS.BCST 8(R8)(R9*1), Z16, Z2
	VFMADD231PS.BCST 12(R8)(R9*1), Z16, Z3
	VFMADD231PS.BCST 16(R8)(R9*1), Z16, Z4
	VFMADD231PS.BCST 20(R8)(R9*1), Z16, Z5
	VFMADD231PS.BCST 24(R8)(R9*1), Z16, Z6
	VFMADD231PS.BCST 28(R8)(R9*1), Z16, Z7
	VFMADD231PS.BCST 32(R8)(R9*1), Z16, Z8
	VFMADD231PS.BCST 36(R8)(R9*1), Z16, Z9
	VFMADD231PS.BCST 40(R8)(R9*1), Z16, Z10
	VFMADD231PS.BCST 44(R8)(R9*1), Z16, Z11
	VFMADD231PS.BCST 48(R8)(R9*1), Z16, Z12
	VFMADD231PS.BCST 52(R8)(R9*1), Z16, Z13
	VFMADD231PS.BCST 56(R8)(R9*1), Z16, Z14
	VFMADD231PS.BCST 60(R8)(R9*1), Z16, Z15
	TESTQ      R13, R13
	JNE        value
	ROWS16DENSE
	ADDQ $1024, DI
	ADDQ $64, R8
	SUBQ $64, CX
	JNE  values

	ADDQ $64, R15
	DECQ left-8(SP)
	JNE  unit
	VZEROUPPER
	RET

// func flashPackAVX512(dst, q *float32, d int, scale float32)
TEXT ·flashPackAVX512(SB), NOSPLIT, $0-28
	MOVQ         dst+0(FP), DI
	MOVQ         q+8(FP), R8
	MOVQ         d+16(FP), CX
	VBROADCASTSS scale+24(FP), Z20
	MOVQ         CX, AX
	SHLQ         $2, AX
	LEAQ         (AX)(AX*2), BX

pack:
	LOAD16
	VMULPS Z20, Z0, Z0
	VMULPS Z20, Z1, Z1
	VMULPS Z20, Z2, Z2
	VMULPS Z20, Z3, Z3
	VMULPS Z20, Z4, Z4
	VMULPS Z20, Z5, Z5
	VMULPS Z20, Z6, Z6
	VMULPS Z20, Z7, Z7
	VMULPS Z20, Z8, Z8
	VMULPS Z20, Z9, Z9
	VMULPS Z20, Z10, Z10
	VMULPS Z20, Z11, Z11
	VMULPS Z20, Z12, Z12
	VMULPS Z20, Z13, Z13
	VMULPS Z20, Z14, Z14
	VMULPS Z20, Z15, Z15
	TRANSPOSE16
	ROWS16DENSE
	ADDQ $1024, DI
	ADDQ $64, R8
	SUBQ $16, CX
	JNE  pack
	VZEROUPPER
	RET

// func flashUnpackAVX512(out, o *float32, by *[16]float32, d int)
TEXT ·flashUnpackAVX512(SB), NOSPLIT, $0-32
	MOVQ    out+0(FP), R8
	MOVQ    o+8(FP), SI
	MOVQ    by+16(FP), DX
	VMOVUPS (DX), Z20
	MOVQ    d+24(FP), CX
	MOVQ    CX, AX
	SHLQ    $2, AX
	LEAQ    (AX)(AX*2), BX

unpack:
	VMOVUPS 0(SI), Z0
	VMOVUPS 64(SI), Z1
	VMOVUPS 128(SI), Z2
	VMOVUPS 192(SI), Z3
	VMOVUPS 256(SI), Z4
	VMOVUPS 320(SI), Z5
	VMOVUPS 384(SI), Z6
	VMOVUPS 448(SI), Z7
	VMOVUPS 512(SI), Z8
	VMOVUPS 576(SI), Z9
	VMOVUPS 640(SI), Z10
	VMOVUPS 704(SI), Z11
	VMOVUPS 768(SI), Z12
	VMOVUPS 832(SI), Z13
	VMOVUPS 896(SI), Z14
	VMOVUPS 960(SI), Z15
	VDIVPS Z20, Z0, Z0
	VDIVPS Z20, Z1, Z1
	VDIVPS Z20, Z2, Z2
	VDIVPS Z20, Z3, Z3
	VDIVPS Z20, Z4, Z4
	VDIVPS Z20, Z5, Z5
	VDIVPS Z20, Z6, Z6
	VDIVPS Z20, Z7, Z7
	VDIVPS Z20, Z8, Z8
	VDIVPS Z20, Z9, Z9
	VDIVPS Z20, Z10, Z10
	VDIVPS Z20, Z11, Z11
	VDIVPS Z20, Z12, Z12
	VDIVPS Z20, Z13, Z13
	VDIVPS Z20, Z14, Z14
	VDIVPS Z20, Z15, Z15
	TRANSPOSE16
	STORE16
	ADDQ $1024, SI
	ADDQ $64, R8
	SUBQ $16, CX
	JNE  unpack
	VZEROUPPER
	RET
