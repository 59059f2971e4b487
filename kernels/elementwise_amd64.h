// The element-wise kernels of both tiers, in the terms of exp16_amd64.h or exp8_amd64.h. n is a positive multiple of
// sixteen everywhere; pointers advance and CX counts the bytes left.

// func add(dst, src *float32, n int)
TEXT ADD(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	SHLQ $2, CX
	XORQ BX, BX

add:
	VMOVUPS (DI)(BX*1), V0
	VADDPS  (SI)(BX*1), V0, V0
	VMOVUPS V0, (DI)(BX*1)
	ADDQ    $W, BX
	CMPQ    BX, CX
	JLT     add
	VZEROUPPER
	RET

// func scaleBy(x *float32, f float32, n int)
TEXT SCALEBY(SB), NOSPLIT, $0-24
	MOVQ         x+0(FP), DI
	VBROADCASTSS f+8(FP), V1
	MOVQ         n+16(FP), CX
	SHLQ         $2, CX
	XORQ         BX, BX

scaleBy:
	VMULPS  (DI)(BX*1), V1, V0
	VMOVUPS V0, (DI)(BX*1)
	ADDQ    $W, BX
	CMPQ    BX, CX
	JLT     scaleBy
	VZEROUPPER
	RET

// func addScaled(dst, src *float32, f float32, n int)
TEXT ADDSCALED(SB), NOSPLIT, $0-32
	MOVQ         dst+0(FP), DI
	MOVQ         src+8(FP), SI
	VBROADCASTSS f+16(FP), V1
	MOVQ         n+24(FP), CX
	SHLQ         $2, CX
	XORQ         BX, BX

addScaled:
	VMULPS  (SI)(BX*1), V1, V0
	VADDPS  (DI)(BX*1), V0, V0
	VMOVUPS V0, (DI)(BX*1)
	ADDQ    $W, BX
	CMPQ    BX, CX
	JLT     addScaled
	VZEROUPPER
	RET

// func siluMul(gate, up *float32, n int)
TEXT SILUMUL(SB), NOSPLIT, $0-24
	MOVQ gate+0(FP), DI
	MOVQ up+8(FP), SI
	MOVQ n+16(FP), CX
	SHLQ $2, CX
	EXPCONST
	XORQ BX, BX

silu:
	// x·s = (max(x, 0) + min(x, 0)·e)/(1+e) with e = e^-|x|. The minimum is taken so that NaN stays.
	VMOVUPS     (DI)(BX*1), V0
	ZERO(V5)
	VSUBPS      V0, V5, V1
	VMINPS      V0, V1, V1
	EXP(V1, V2, V3, V4)
	ZERO(V5)
	VMINPS      V0, V5, V2
	VMAXPS      V5, V0, V0
	VFMADD231PS V1, V2, V0
	VADDPS      ONE, V1, V1
	VDIVPS      V1, V0, V0
	VMULPS      (SI)(BX*1), V0, V0
	VMOVUPS     V0, (DI)(BX*1)
	ADDQ        $W, BX
	CMPQ        BX, CX
	JLT         silu
	VZEROUPPER
	RET

// func sumSquares(x *float32, n int) float64
TEXT SUMSQUARES(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ n+8(FP), CX
	SHLQ $2, CX
	ZERO(V4)
	ZERO(V5)
	ZERO(V6)
	ZERO(V7)
	SUBQ $(2*W), CX
	JLT  squaresRest

squares:
	VCVTPS2PD   (SI), V0
	VCVTPS2PD   (W/2)(SI), V1
	VCVTPS2PD   W(SI), V2
	VCVTPS2PD   (3*W/2)(SI), V3
	VFMADD231PD V0, V0, V4
	VFMADD231PD V1, V1, V5
	VFMADD231PD V2, V2, V6
	VFMADD231PD V3, V3, V7
	ADDQ        $(2*W), SI
	SUBQ        $(2*W), CX
	JGE         squares

squaresRest:
	ADDQ        $(2*W), CX
	JEQ         squaresDone
	VCVTPS2PD   (SI), V0
	VCVTPS2PD   (W/2)(SI), V1
	VFMADD231PD V0, V0, V4
	VFMADD231PD V1, V1, V5

squaresDone:
	VADDPD V5, V4, V4
	VADDPD V7, V6, V6
	VADDPD V6, V4, V0
	SUMPD0
	VMOVSD X0, ret+16(FP)
	VZEROUPPER
	RET

// func normalize(out, x, weight *float32, scale float32, n int)
TEXT NORMALIZE(SB), NOSPLIT, $0-40
	MOVQ         out+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         weight+16(FP), DX
	VBROADCASTSS scale+24(FP), V1
	MOVQ         n+32(FP), CX
	SHLQ         $2, CX
	XORQ         BX, BX

normalize:
	VMULPS  (SI)(BX*1), V1, V0
	VMULPS  (DX)(BX*1), V0, V0
	VMOVUPS V0, (DI)(BX*1)
	ADDQ    $W, BX
	CMPQ    BX, CX
	JLT     normalize
	VZEROUPPER
	RET

// func rotate(x, cos, sin *float32, rows, heads, dim, half int)
// half is a positive multiple of the lanes; rows and heads are positive.
TEXT ROTATE(SB), NOSPLIT, $0-56
	MOVQ x+0(FP), DI
	MOVQ cos+8(FP), SI
	MOVQ sin+16(FP), DX
	MOVQ rows+24(FP), R8
	MOVQ dim+40(FP), R11
	MOVQ half+48(FP), R10
	SHLQ $2, R11
	SHLQ $2, R10

rotateRow:
	MOVQ heads+32(FP), R9

rotateHead:
	LEAQ (DI)(R10*1), R12
	XORQ BX, BX

rotatePairs:
	VMOVUPS (DI)(BX*1), V0
	VMOVUPS (R12)(BX*1), V1
	VMOVUPS (SI)(BX*1), V2
	VMOVUPS (DX)(BX*1), V3
	VMULPS  V2, V0, V4
	VMULPS  V3, V1, V5
	VSUBPS  V5, V4, V4
	VMOVUPS V4, (DI)(BX*1)
	VMULPS  V2, V1, V1
	VMULPS  V3, V0, V0
	VADDPS  V0, V1, V1
	VMOVUPS V1, (R12)(BX*1)
	ADDQ    $W, BX
	CMPQ    BX, R10
	JLT     rotatePairs
	ADDQ    R11, DI
	DECQ    R9
	JNE     rotateHead
	ADDQ    R10, SI
	ADDQ    R10, DX
	DECQ    R8
	JNE     rotateRow
	VZEROUPPER
	RET

// func minMax(lo, hi, x *float32, rows, dim, n int)
// Updates lo[n] and hi[n] with the first n columns of x[rows, dim]; rows is positive. A comparison with NaN keeps
// the old bound.
TEXT MINMAX(SB), NOSPLIT, $0-48
	MOVQ lo+0(FP), DI
	MOVQ hi+8(FP), SI
	MOVQ x+16(FP), DX
	MOVQ dim+32(FP), R11
	MOVQ n+40(FP), CX
	SHLQ $2, R11
	SHLQ $2, CX

minMaxWide:
	CMPQ    CX, $(4*W)
	JLT     minMaxNarrow
	VMOVUPS (DI), V0
	VMOVUPS W(DI), V1
	VMOVUPS (2*W)(DI), V2
	VMOVUPS (3*W)(DI), V3
	VMOVUPS (SI), V4
	VMOVUPS W(SI), V5
	VMOVUPS (2*W)(SI), V6
	VMOVUPS (3*W)(SI), V7
	MOVQ    rows+24(FP), R8
	MOVQ    DX, BX

minMaxRow4:
	VMOVUPS (BX), V8
	VMOVUPS W(BX), V9
	VMOVUPS (2*W)(BX), V10
	VMOVUPS (3*W)(BX), V11
	VMINPS  V0, V8, V0
	VMAXPS  V4, V8, V4
	VMINPS  V1, V9, V1
	VMAXPS  V5, V9, V5
	VMINPS  V2, V10, V2
	VMAXPS  V6, V10, V6
	VMINPS  V3, V11, V3
	VMAXPS  V7, V11, V7
	ADDQ    R11, BX
	DECQ    R8
	JNE     minMaxRow4
	VMOVUPS V0, (DI)
	VMOVUPS V1, W(DI)
	VMOVUPS V2, (2*W)(DI)
	VMOVUPS V3, (3*W)(DI)
	VMOVUPS V4, (SI)
	VMOVUPS V5, W(SI)
	VMOVUPS V6, (2*W)(SI)
	VMOVUPS V7, (3*W)(SI)
	ADDQ    $(4*W), DI
	ADDQ    $(4*W), SI
	ADDQ    $(4*W), DX
	SUBQ    $(4*W), CX
	JMP     minMaxWide

minMaxNarrow:
	TESTQ   CX, CX
	JEQ     minMaxDone
	VMOVUPS (DI), V0
	VMOVUPS (SI), V4
	MOVQ    rows+24(FP), R8
	MOVQ    DX, BX

minMaxRow:
	VMOVUPS (BX), V8
	VMINPS  V0, V8, V0
	VMAXPS  V4, V8, V4
	ADDQ    R11, BX
	DECQ    R8
	JNE     minMaxRow
	VMOVUPS V0, (DI)
	VMOVUPS V4, (SI)
	ADDQ    $W, DI
	ADDQ    $W, SI
	ADDQ    $W, DX
	SUBQ    $W, CX
	JMP     minMaxNarrow

minMaxDone:
	VZEROUPPER
	RET
