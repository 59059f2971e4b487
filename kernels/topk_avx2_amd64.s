#include "textflag.h"
#include "exp8_amd64.h"

#define COUNTSTART

#define COUNT(x, a, T) \
	VCMPPS $2, x, Y8, T \ // V8 ≤ x
	VPSUBD T, a, a

#define COUNTFROM ·countFromAVX2
#include "topk_amd64.h"

// func indicesFromAVX2(dst *int32, x *float32, f float32, base, n int) int
TEXT ·indicesFromAVX2(SB), NOSPLIT, $0-48
	MOVQ         dst+0(FP), DI
	MOVQ         x+8(FP), SI
	VBROADCASTSS f+16(FP), Y8
	MOVQ         base+24(FP), BX
	MOVQ         n+32(FP), R8

indices:
	VCMPPS    $2, (SI), Y8, Y0
	VMOVMSKPS Y0, AX
	TESTL     AX, AX
	JEQ       indicesNext

index:
	TZCNTL AX, CX
	BLSRL  AX, AX
	ADDL   BX, CX
	MOVL   CX, (DI)
	ADDQ   $4, DI
	TESTL  AX, AX
	JNE    index

indicesNext:
	ADDQ $32, SI
	ADDQ $8, BX
	SUBQ $8, R8
	JNE  indices
	SUBQ dst+0(FP), DI
	SHRQ $2, DI
	MOVQ DI, ret+40(FP)
	VZEROUPPER
	RET
