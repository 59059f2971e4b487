#include "textflag.h"
#include "sum8_amd64.h"

// func dotRowsAVX2(dst, q, k *float32, scale float32, d, groups int)
TEXT ·dotRowsAVX2(SB), NOSPLIT, $0-48
	MOVQ         q+8(FP), DX
	MOVQ         k+16(FP), R12
	VBROADCASTSS scale+24(FP), Y9
	MOVQ         d+32(FP), AX
	MOVQ         dst+0(FP), DI
	MOVQ         groups+40(FP), R13
	SHLQ         $2, AX
	LEAQ         (AX)(AX*2), BX

keys:
	MOVQ R12, R8
	LEAQ (R8)(AX*4), R9
	ZERO8
	MOVQ DX, SI
	MOVQ AX, CX

dot:
	VMOVUPS (SI), Y8
	ADDQ    $32, SI
	FMA4(R8, Y0, Y1, Y2, Y3)
	FMA4(R9, Y4, Y5, Y6, Y7)
	SUBQ    $32, CX
	JNE     dot
	SUM8
	VMULPS  Y9, Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ    $32, DI
	LEAQ    (R12)(AX*8), R12
	DECQ    R13
	JNE     keys
	VZEROUPPER
	RET

// ALONE leaves in the first lane of Y0 the sum of its lanes, by the tree of SUM8.
#define ALONE \
	VHADDPS      Y0, Y0, Y0 \
	VHADDPS      Y0, Y0, Y0 \
	VEXTRACTF128 $1, Y0, X1 \
	VADDPS       X1, X0, X0

// func dotRowAVX2(q, k *float32, scale float32, d int) float32
TEXT ·dotRowAVX2(SB), NOSPLIT, $0-36
	MOVQ   q+0(FP), SI
	MOVQ   k+8(FP), R8
	MOVQ   d+24(FP), CX
	SHLQ   $2, CX
	VXORPS Y0, Y0, Y0

dotAlone:
	VMOVUPS     (SI), Y8
	VFMADD231PS (R8), Y8, Y0
	ADDQ        $32, SI
	ADDQ        $32, R8
	SUBQ        $32, CX
	JNE         dotAlone
	ALONE
	VMULSS      scale+16(FP), X0, X0
	VMOVSS      X0, ret+32(FP)
	VZEROUPPER
	RET

// BOUND adds to a the larger of the products of Y8 with a vector of lo and one of hi.
#define BOUND(lo, hi, a) \
	VMULPS lo, Y8, Y9   \
	VMULPS hi, Y8, Y10  \
	VMAXPS Y9, Y10, Y9  \
	VADDPS Y9, a, a

#define BOUND4(L, H, a, b, c, d) \
	BOUND((L), (H), a)             \
	BOUND((L)(AX*1), (H)(AX*1), b) \
	BOUND((L)(AX*2), (H)(AX*2), c) \
	BOUND((L)(BX*1), (H)(BX*1), d) \
	ADDQ $32, L                    \
	ADDQ $32, H

// func upperBoundsAVX2(dst, q, lo, hi *float32, d, groups int)
TEXT ·upperBoundsAVX2(SB), NOSPLIT, $0-48
	MOVQ d+32(FP), AX
	SHLQ $2, AX
	LEAQ (AX)(AX*2), BX
	MOVQ dst+0(FP), DI
	MOVQ lo+16(FP), R12
	MOVQ hi+24(FP), R13

bounds:
	MOVQ R12, R8
	LEAQ (R8)(AX*4), R9
	MOVQ R13, R10
	LEAQ (R10)(AX*4), R11
	ZERO8
	MOVQ q+8(FP), DX
	MOVQ AX, CX

bound:
	VMOVUPS (DX), Y8
	ADDQ    $32, DX
	BOUND4(R8, R10, Y0, Y1, Y2, Y3)
	BOUND4(R9, R11, Y4, Y5, Y6, Y7)
	SUBQ    $32, CX
	JNE     bound
	SUM8
	VMOVUPS Y0, (DI)
	ADDQ    $32, DI
	LEAQ    (R12)(AX*8), R12
	LEAQ    (R13)(AX*8), R13
	DECQ    groups+40(FP)
	JNE     bounds
	VZEROUPPER
	RET

// func upperBoundAVX2(q, lo, hi *float32, d int) float32
TEXT ·upperBoundAVX2(SB), NOSPLIT, $0-36
	MOVQ   q+0(FP), SI
	MOVQ   lo+8(FP), R8
	MOVQ   hi+16(FP), R9
	MOVQ   d+24(FP), CX
	SHLQ   $2, CX
	VXORPS Y0, Y0, Y0

boundAlone:
	VMOVUPS (SI), Y8
	BOUND((R8), (R9), Y0)
	ADDQ    $32, SI
	ADDQ    $32, R8
	ADDQ    $32, R9
	SUBQ    $32, CX
	JNE     boundAlone
	ALONE
	VMOVSS  X0, ret+32(FP)
	VZEROUPPER
	RET
