// The kernels of softmax and argmax of both tiers, in the terms of exp16_amd64.h or exp8_amd64.h. n is a positive
// multiple of sixteen.

// func maxOf(x *float32, n int) float32
// The new value comes first: a comparison with NaN keeps the old maximum.
TEXT MAXOF(SB), NOSPLIT, $0-20
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	SHLQ         $2, CX
	MOVL         $0xff800000, AX // -Inf
	VMOVD        AX, X0
	VBROADCASTSS X0, V0
	VMOVAPS      V0, V1
	VMOVAPS      V0, V2
	VMOVAPS      V0, V3
	SUBQ         $(4*W), CX
	JLT          maxRest

max4:
	VMOVUPS (SI), V4
	VMOVUPS W(SI), V5
	VMOVUPS (2*W)(SI), V6
	VMOVUPS (3*W)(SI), V7
	VMAXPS  V0, V4, V0
	VMAXPS  V1, V5, V1
	VMAXPS  V2, V6, V2
	VMAXPS  V3, V7, V3
	ADDQ    $(4*W), SI
	SUBQ    $(4*W), CX
	JGE     max4

maxRest:
	ADDQ $(4*W), CX
	JEQ  maxDone

max1:
	VMOVUPS (SI), V4
	VMAXPS  V0, V4, V0
	ADDQ    $W, SI
	SUBQ    $W, CX
	JNE     max1

maxDone:
	VMAXPS V1, V0, V0
	VMAXPS V3, V2, V2
	VMAXPS V2, V0, V0
	ALL(VMAXPS, V0, V1)
	VMOVSS X0, ret+16(FP)
	VZEROUPPER
	RET

// func expSum(dst, x *float32, m float32, n int) float64
// Writes e^(x-m) to dst, which may be x, and returns the sum.
TEXT EXPSUM(SB), NOSPLIT, $0-40
	MOVQ         dst+0(FP), DI
	MOVQ         x+8(FP), SI
	VBROADCASTSS m+16(FP), V5
	MOVQ         n+24(FP), CX
	SHLQ         $2, CX
	EXPCONST
	XORQ         BX, BX
	ZERO(V4)

expSum:
	VMOVUPS (SI)(BX*1), V0
	VSUBPS  V5, V0, V0
	EXP(V0, V1, V2, V3)
	VMOVUPS V0, (DI)(BX*1)
	WIDE0
	VADDPD  V3, V2, V2
	VADDPD  V2, V4, V4
	ADDQ    $W, BX
	CMPQ    BX, CX
	JLT     expSum
	VMOVAPD V4, V0
	SUMPD0
	VMOVSD  X0, ret+32(FP)
	VZEROUPPER
	RET

// func find(x *float32, v float32, n int) int
// Returns the first index at which x is v, or n.
TEXT FIND(SB), NOSPLIT, $0-32
	MOVQ         x+0(FP), SI
	VBROADCASTSS v+8(FP), V1
	MOVQ         n+16(FP), CX
	SHLQ         $2, CX
	XORQ         BX, BX

find:
	VMOVUPS (SI)(BX*1), V0
	EQUAL(V0, V1, V2, AX)
	JNE     found
	ADDQ    $W, BX
	CMPQ    BX, CX
	JLT     find
	SHRQ    $2, CX
	MOVQ    CX, ret+24(FP)
	VZEROUPPER
	RET

found:
	BSFL AX, AX
	SHRQ $2, BX
	ADDQ AX, BX
	MOVQ BX, ret+24(FP)
	VZEROUPPER
	RET
