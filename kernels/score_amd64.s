#include "textflag.h"
#include "sum16_amd64.h"

// func dotRowsAVX512(dst, q, k *float32, scale float32, d, groups int)
TEXT ·dotRowsAVX512(SB), NOSPLIT, $0-48
	MOVQ         q+8(FP), DX
	MOVQ         k+16(FP), R12
	VBROADCASTSS scale+24(FP), Z17
	MOVQ         d+32(FP), AX
	MOVQ         dst+0(FP), DI
	MOVQ         groups+40(FP), R13
	SHLQ         $2, AX
	KXNORW       K1, K1, K1

keys:
	MOVQ R12, R8
	ROWS16
	ZERO16
	MOVQ DX, SI
	MOVQ AX, CX

dot:
	VMOVUPS (SI), Z16
	ADDQ    $64, SI
	FMA16
	SUBQ    $64, CX
	JNE     dot
	SUM16
	VMULPS  Z17, Z0, Z0
	VMOVUPS Z0, (DI)
	ADDQ    $64, DI
	MOVQ    AX, CX
	SHLQ    $4, CX
	ADDQ    CX, R12
	DECQ    R13
	JNE     keys
	VZEROUPPER
	RET

// ALONE leaves in all lanes of Z0 the sum of its lanes, by the tree of SUM16.
#define ALONE \
	VSHUFF64X2 $0x4e, Z0, Z0, Z1 \
	VADDPS     Z1, Z0, Z0        \
	VSHUFF64X2 $0xb1, Z0, Z0, Z1 \
	VADDPS     Z1, Z0, Z0        \
	VSHUFPS    $0x4e, Z0, Z0, Z1 \
	VADDPS     Z1, Z0, Z0        \
	VSHUFPS    $0xb1, Z0, Z0, Z1 \
	VADDPS     Z1, Z0, Z0

// func dotRowAVX512(q, k *float32, scale float32, d int) float32
TEXT ·dotRowAVX512(SB), NOSPLIT, $0-36
	MOVQ   q+0(FP), SI
	MOVQ   k+8(FP), R8
	MOVQ   d+24(FP), CX
	SHLQ   $2, CX
	VPXORQ Z0, Z0, Z0

dotAlone:
	VMOVUPS     (SI), Z16
	VFMADD231PS (R8), Z16, Z0
	ADDQ        $64, SI
	ADDQ        $64, R8
	SUBQ        $64, CX
	JNE         dotAlone
	ALONE
	VMULSS      scale+16(FP), X0, X0
	VMOVSS      X0, ret+32(FP)
	VZEROUPPER
	RET

// BOUND adds to a the larger of the products of Z16 with a vector of lo and one of hi.
#define BOUND(lo, hi, a) \
	VMULPS lo, Z16, Z17   \
	VMULPS hi, Z16, Z18   \
	VMAXPS Z17, Z18, Z17  \
	VADDPS Z17, a, a

#define BOUND4(L, H, a, b, c, d) \
	BOUND((L), (H), a)             \
	BOUND((L)(AX*1), (H)(AX*1), b) \
	BOUND((L)(AX*2), (H)(AX*2), c) \
	BOUND((L)(BX*1), (H)(BX*1), d) \
	ADDQ $64, L                    \
	ADDQ $64, H

// func upperBoundsAVX512(dst, q, lo, hi *float32, d, groups int)
TEXT ·upperBoundsAVX512(SB), NOSPLIT, $0-48
	MOVQ d+32(FP), AX
	SHLQ $2, AX

bounds:
	MOVQ lo+16(FP), R8
	ROWS16
	MOVQ hi+24(FP), R12
	LEAQ (R12)(AX*4), R13
	LEAQ (R13)(AX*4), DI
	LEAQ (DI)(AX*4), SI
	ZERO16
	MOVQ q+8(FP), DX
	MOVQ AX, CX

bound:
	VMOVUPS (DX), Z16
	ADDQ    $64, DX
	BOUND4(R8, R12, Z0, Z1, Z2, Z3)
	BOUND4(R9, R13, Z4, Z5, Z6, Z7)
	BOUND4(R10, DI, Z8, Z9, Z10, Z11)
	BOUND4(R11, SI, Z12, Z13, Z14, Z15)
	SUBQ    $64, CX
	JNE     bound
	SUM16
	MOVQ    dst+0(FP), DI
	VMOVUPS Z0, (DI)
	ADDQ    $64, dst+0(FP)
	MOVQ    AX, CX
	SHLQ    $4, CX
	ADDQ    CX, lo+16(FP)
	ADDQ    CX, hi+24(FP)
	DECQ    groups+40(FP)
	JNE     bounds
	VZEROUPPER
	RET

// func upperBoundAVX512(q, lo, hi *float32, d int) float32
TEXT ·upperBoundAVX512(SB), NOSPLIT, $0-36
	MOVQ   q+0(FP), SI
	MOVQ   lo+8(FP), R8
	MOVQ   hi+16(FP), R9
	MOVQ   d+24(FP), CX
	SHLQ   $2, CX
	VPXORQ Z0, Z0, Z0

boundAlone:
	VMOVUPS (SI), Z16
	BOUND((R8), (R9), Z0)
	ADDQ    $64, SI
	ADDQ    $64, R8
	ADDQ    $64, R9
	SUBQ    $64, CX
	JNE     boundAlone
	ALONE
	VMOVSS  X0, ret+32(FP)
	VZEROUPPER
	RET
