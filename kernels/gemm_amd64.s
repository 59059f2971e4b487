#include "go_asm.h"
#include "textflag.h"
#include "gemm_amd64.h"

// The sums of row r are Z3r, Z3r+1 and Z3r+2.

// COLUMNS loads a row of the panel.
#define COLUMNS(w) \
	VMOVUPS (w)(DI), Z24     \
	VMOVUPS (w+64)(DI), Z25  \
	VMOVUPS (w+128)(DI), Z26

// BF16COLUMNS is for a panel of BF16, the upper halves of float32.
#define BF16COLUMNS(w) \
	VPMOVZXWD (w)(DI), Z24      \
	VPMOVZXWD (w+32)(DI), Z25   \
	VPMOVZXWD (w+64)(DI), Z26   \
	VPSLLD    $16, Z24, Z24     \
	VPSLLD    $16, Z25, Z25     \
	VPSLLD    $16, Z26, Z26

// ROW adds the products of a value of x with a row of the panel.
#define ROW(X, t, a, b, c) \
	VBROADCASTSS X, t       \
	VFMADD231PS  Z24, t, a  \
	VFMADD231PS  Z25, t, b  \
	VFMADD231PS  Z26, t, c

#define ROWS4(x) \
	ROW(x(SI), Z27, Z0, Z1, Z2)           \
	ROW(x(SI)(R9*1), Z28, Z3, Z4, Z5)     \
	ROW(x(SI)(R9*2), Z29, Z6, Z7, Z8)     \
	ROW(x(SI)(R10*1), Z30, Z9, Z10, Z11)

#define STEP4(x, w) \
	COLUMNS(w) \
	ROWS4(x)   \
	FETCH

#define STEP8(x, w) \
	COLUMNS(w)                             \
	ROWS4(x)                               \
	ROW(x(R11), Z27, Z12, Z13, Z14)        \
	ROW(x(R11)(R9*1), Z28, Z15, Z16, Z17)  \
	ROW(x(R11)(R9*2), Z29, Z18, Z19, Z20)  \
	ROW(x(R11)(R10*1), Z30, Z21, Z22, Z23) \
	FETCH

#define STEP1(x, w) \
	COLUMNS(w)                  \
	ROW(x(SI), Z27, Z0, Z1, Z2) \
	AHEAD3(w)

#define BF16STEP1(x, w) \
	BF16COLUMNS(w)              \
	ROW(x(SI), Z27, Z0, Z1, Z2) \
	AHEAD2(w)

#define LOAD(p, a, b, c) \
	VMOVUPS (p)(DX), a      \
	VMOVUPS (p+64)(DX), b   \
	VMOVUPS (p+128)(DX), c

#define STORE(p, a, b, c) \
	VMOVUPS a, (p)(DX)      \
	VMOVUPS b, (p+64)(DX)   \
	VMOVUPS c, (p+128)(DX)

#define SUMS1(MOVE) \
	MOVE(0, Z0, Z1, Z2)

#define SUMS4(MOVE) \
	SUMS1(MOVE)             \
	MOVE(192, Z3, Z4, Z5)   \
	MOVE(384, Z6, Z7, Z8)   \
	MOVE(576, Z9, Z10, Z11)

#define SUMS8(MOVE) \
	SUMS4(MOVE)               \
	MOVE(768, Z12, Z13, Z14)  \
	MOVE(960, Z15, Z16, Z17)  \
	MOVE(1152, Z18, Z19, Z20) \
	MOVE(1344, Z21, Z22, Z23)

// func gemm8AVX512(call *gemmCall)
TEXT ·gemm8AVX512(SB), NOSPLIT, $0-8
	FETCHOUT(out8, none8)
	GEMM(SUMS8, STEP8, 192, four8, rest8, one8, done8)

// func gemm4AVX512(call *gemmCall)
TEXT ·gemm4AVX512(SB), NOSPLIT, $0-8
	FETCHOUT(out4, none4)
	GEMM(SUMS4, STEP4, 192, four4, rest4, one4, done4)

// func gemm1AVX512(call *gemmCall)
TEXT ·gemm1AVX512(SB), NOSPLIT, $0-8
	GEMM(SUMS1, STEP1, 192, four1, rest1, one1, done1)

// func gemm1BF16AVX512(call *gemmCall)
TEXT ·gemm1BF16AVX512(SB), NOSPLIT, $0-8
	GEMM(SUMS1, BF16STEP1, 96, fourB, restB, oneB, doneB)

// FINISH writes a third of a row, at p: (sums + bias) + out, PLAIN without out.
#define FINISH(p, bias, t) \
	VADDPS  (p)(DX), bias, t \
	VADDPS  (p)(DI), t, t    \
	VMOVUPS t, (p)(DI)

#define PLAIN(p, bias, t) \
	VADDPS  (p)(DX), bias, t \
	VMOVUPS t, (p)(DI)

#define WHOLE(THIRD) \
	THIRD(0, Z4, Z0)   \
	THIRD(64, Z5, Z1)  \
	THIRD(128, Z6, Z2) \
	ADDQ $192, DX      \
	ADDQ R9, DI

// func gemmFinishAVX512(out *float32, stride int, sums, bias *float32, rows, add int)
TEXT ·gemmFinishAVX512(SB), NOSPLIT, $0-48
	MOVQ    out+0(FP), DI
	MOVQ    stride+8(FP), R9
	MOVQ    sums+16(FP), DX
	MOVQ    bias+24(FP), SI
	MOVQ    rows+32(FP), CX
	VMOVUPS (SI), Z4
	VMOVUPS 64(SI), Z5
	VMOVUPS 128(SI), Z6
	CMPQ    add+40(FP), $0
	JEQ     plain

finish:
	WHOLE(FINISH)
	DECQ CX
	JNE  finish
	VZEROUPPER
	RET

plain:
	WHOLE(PLAIN)
	DECQ CX
	JNE  plain
	VZEROUPPER
	RET
