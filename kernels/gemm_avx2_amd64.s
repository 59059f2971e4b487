#include "go_asm.h"
#include "textflag.h"
#include "gemm_amd64.h"

// The sums of the first row are Y0 … Y5, those of the second Y6 … Y11. Two rows by 48 columns load as much as six by
// sixteen, and one row has enough sums to hide the latency of the multipliers.

// PAIR adds the products of two values of x, in Y12 and Y13, with eight of the panel.
#define PAIR(w, t, a, b) \
	VMOVUPS     (w)(DI), t \
	VFMADD231PS t, Y12, a  \
	VFMADD231PS t, Y13, b

#define STEP2(x, w) \
	VBROADCASTSS (x)(SI), Y12       \
	VBROADCASTSS (x)(SI)(R9*1), Y13 \
	PAIR(w, Y14, Y0, Y6)            \
	PAIR(w+32, Y15, Y1, Y7)         \
	PAIR(w+64, Y14, Y2, Y8)         \
	PAIR(w+96, Y15, Y3, Y9)         \
	PAIR(w+128, Y14, Y4, Y10)       \
	PAIR(w+160, Y15, Y5, Y11)       \
	FETCH

#define STEP1(x, w) \
	VBROADCASTSS (x)(SI), Y12         \
	VFMADD231PS  (w)(DI), Y12, Y0     \
	VFMADD231PS  (w+32)(DI), Y12, Y1  \
	VFMADD231PS  (w+64)(DI), Y12, Y2  \
	VFMADD231PS  (w+96)(DI), Y12, Y3  \
	VFMADD231PS  (w+128)(DI), Y12, Y4 \
	VFMADD231PS  (w+160)(DI), Y12, Y5 \
	AHEAD3(w)

// WIDE is for values of BF16, the upper halves of float32.
#define WIDE(w, t, a) \
	VPMOVZXWD   (w)(DI), t \
	VPSLLD      $16, t, t  \
	VFMADD231PS t, Y12, a

#define BF16STEP1(x, w) \
	VBROADCASTSS (x)(SI), Y12 \
	WIDE(w, Y6, Y0)           \
	WIDE(w+16, Y7, Y1)        \
	WIDE(w+32, Y8, Y2)        \
	WIDE(w+48, Y9, Y3)        \
	WIDE(w+64, Y10, Y4)       \
	WIDE(w+80, Y11, Y5)       \
	AHEAD2(w)

#define LOAD(p, a, b, c, d, e, f) \
	VMOVUPS (p)(DX), a      \
	VMOVUPS (p+32)(DX), b   \
	VMOVUPS (p+64)(DX), c   \
	VMOVUPS (p+96)(DX), d   \
	VMOVUPS (p+128)(DX), e  \
	VMOVUPS (p+160)(DX), f

#define STORE(p, a, b, c, d, e, f) \
	VMOVUPS a, (p)(DX)      \
	VMOVUPS b, (p+32)(DX)   \
	VMOVUPS c, (p+64)(DX)   \
	VMOVUPS d, (p+96)(DX)   \
	VMOVUPS e, (p+128)(DX)  \
	VMOVUPS f, (p+160)(DX)

#define SUMS1(MOVE) \
	MOVE(0, Y0, Y1, Y2, Y3, Y4, Y5)

#define SUMS2(MOVE) \
	SUMS1(MOVE)                         \
	MOVE(192, Y6, Y7, Y8, Y9, Y10, Y11)

// func gemm2AVX2(call *gemmCall)
TEXT ·gemm2AVX2(SB), NOSPLIT, $0-8
	FETCHOUT(out2, none2)
	GEMM(SUMS2, STEP2, 192, four2, rest2, one2, done2)

// func gemm1AVX2(call *gemmCall)
TEXT ·gemm1AVX2(SB), NOSPLIT, $0-8
	GEMM(SUMS1, STEP1, 192, four1, rest1, one1, done1)

// func gemm1BF16AVX2(call *gemmCall)
TEXT ·gemm1BF16AVX2(SB), NOSPLIT, $0-8
	GEMM(SUMS1, BF16STEP1, 96, fourB, restB, oneB, doneB)

// FINISH writes a sixth of a row, at p: (sums + bias) + out, PLAIN without out.
#define FINISH(p) \
	VMOVUPS (p)(SI), Y0     \
	VADDPS  (p)(DX), Y0, Y0 \
	VADDPS  (p)(DI), Y0, Y0 \
	VMOVUPS Y0, (p)(DI)

#define PLAIN(p) \
	VMOVUPS (p)(SI), Y0     \
	VADDPS  (p)(DX), Y0, Y0 \
	VMOVUPS Y0, (p)(DI)

#define WHOLE(SIXTH) \
	SIXTH(0)      \
	SIXTH(32)     \
	SIXTH(64)     \
	SIXTH(96)     \
	SIXTH(128)    \
	SIXTH(160)    \
	ADDQ $192, DX \
	ADDQ R9, DI

// func gemmFinishAVX2(out *float32, stride int, sums, bias *float32, rows, add int)
TEXT ·gemmFinishAVX2(SB), NOSPLIT, $0-48
	MOVQ out+0(FP), DI
	MOVQ stride+8(FP), R9
	MOVQ sums+16(FP), DX
	MOVQ bias+24(FP), SI
	MOVQ rows+32(FP), CX
	CMPQ add+40(FP), $0
	JEQ  plain

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
