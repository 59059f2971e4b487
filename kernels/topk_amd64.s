#include "textflag.h"
#include "exp16_amd64.h"

#define COUNTSTART \
	MOVL         $1, AX \
	VPBROADCASTD AX, Z9

#define COUNT(x, a, T) \
	VCMPPS $2, x, Z8, K1 \ // V8 ≤ x
	VPADDD Z9, a, K1, a

#define COUNTFROM ·countFromAVX512
#include "topk_amd64.h"

DATA iota16<>+0(SB)/8, $0x0000000100000000
DATA iota16<>+8(SB)/8, $0x0000000300000002
DATA iota16<>+16(SB)/8, $0x0000000500000004
DATA iota16<>+24(SB)/8, $0x0000000700000006
DATA iota16<>+32(SB)/8, $0x0000000900000008
DATA iota16<>+40(SB)/8, $0x0000000b0000000a
DATA iota16<>+48(SB)/8, $0x0000000d0000000c
DATA iota16<>+56(SB)/8, $0x0000000f0000000e
GLOBL iota16<>(SB), RODATA|NOPTR, $64

// func indicesFromAVX512(dst *int32, x *float32, f float32, base, n int) int
TEXT ·indicesFromAVX512(SB), NOSPLIT, $0-48
	MOVQ         dst+0(FP), DI
	MOVQ         x+8(FP), SI
	VBROADCASTSS f+16(FP), Z8
	MOVQ         base+24(FP), AX
	MOVQ         n+32(FP), R8
	VPBROADCASTD AX, Z0
	VPADDD       iota16<>(SB), Z0, Z0
	MOVL         $16, AX
	VPBROADCASTD AX, Z1

indices:
	VCMPPS     $2, (SI), Z8, K1
	KMOVW      K1, AX
	POPCNTL    AX, CX
	VPCOMPRESSD Z0, K1, Z2
	MOVL       $1, DX
	SHLL       CX, DX
	DECL       DX
	KMOVW      DX, K2
	VMOVDQU32  Z2, K2, (DI)
	LEAQ       (DI)(CX*4), DI
	VPADDD     Z1, Z0, Z0
	ADDQ       $64, SI
	SUBQ       $16, R8
	JNE        indices
	SUBQ       dst+0(FP), DI
	SHRQ       $2, DI
	MOVQ       DI, ret+40(FP)
	VZEROUPPER
	RET
