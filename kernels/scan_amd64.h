// The kernels of Mamba of both tiers, in the terms of exp16_amd64.h or exp8_amd64.h. Strides are in values.

// artanh(s)/s in s², from the top; see softplusGo.
DATA softplusConst<>+0(SB)/4, $1.4078889183337578e-1
DATA softplusConst<>+4(SB)/4, $1.3982578872267870e-1
DATA softplusConst<>+8(SB)/4, $2.001229761535681e-1
DATA softplusConst<>+12(SB)/4, $3.3333160820690017e-1
GLOBL softplusConst<>(SB), RODATA|NOPTR, $16

// func softplus(x, bias *float32, n int)
TEXT SOFTPLUS(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), DI
	MOVQ bias+8(FP), SI
	MOVQ n+16(FP), CX
	SHLQ $2, CX
	EXPCONST
	XORQ BX, BX

softplus:
	VMOVUPS      (DI)(BX*1), V0
	VADDPS       (SI)(BX*1), V0, V0
	ZERO(V5)
	VSUBPS       V0, V5, V1
	VMINPS       V0, V1, V1
	EXP(V1, V2, V3, V4)
	VADDPS       ONE, V1, V2
	VADDPS       ONE, V2, V2
	VDIVPS       V2, V1, V1
	VMULPS       V1, V1, V2
	VBROADCASTSS softplusConst<>+0(SB), V3
	VBROADCASTSS softplusConst<>+4(SB), V4
	VFMADD213PS  V4, V2, V3
	VBROADCASTSS softplusConst<>+8(SB), V4
	VFMADD213PS  V4, V2, V3
	VBROADCASTSS softplusConst<>+12(SB), V4
	VFMADD213PS  V4, V2, V3
	VFMADD213PS  ONE, V2, V3
	VADDPS       V1, V1, V1
	ZERO(V5)
	VMAXPS       V0, V5, V0 // NaN stays
	VFMADD231PS  V3, V1, V0
	VMOVUPS      V0, (DI)(BX*1)
	ADDQ         $W, BX
	CMPQ         BX, CX
	JLT          softplus
	VZEROUPPER
	RET

// func conv(out, in, weight, bias *float32, tokens, channels, stride, width, n int)
// n is a positive multiple of sixteen; the rest as convRowsGo has it.
TEXT CONV(SB), NOSPLIT, $0-72
	MOVQ out+0(FP), DI
	MOVQ in+8(FP), SI
	MOVQ weight+16(FP), R8
	MOVQ bias+24(FP), R9
	MOVQ tokens+32(FP), AX
	MOVQ channels+40(FP), R10
	MOVQ stride+48(FP), R11
	MOVQ n+64(FP), R12
	SHLQ $2, R10
	SHLQ $2, R11
	SHLQ $2, R12
	EXPCONST

convToken:
	XORQ BX, BX

convVector:
	VMOVUPS (R9)(BX*1), V0
	LEAQ    (SI)(BX*1), DX
	LEAQ    (R8)(BX*1), R13
	MOVQ    width+56(FP), CX

convTap:
	VMOVUPS     (R13), V1
	VFMADD231PS (DX), V1, V0
	ADDQ        R10, R13
	ADDQ        R11, DX
	DECQ        CX
	JNE         convTap

	// silu as in siluMul
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
	VMOVUPS     V0, (DI)(BX*1)
	ADDQ        $W, BX
	CMPQ        BX, R12
	JLT         convVector
	ADDQ        R10, DI
	ADDQ        R11, SI
	DECQ        AX
	JNE         convToken
	VZEROUPPER
	RET

// func selectiveScan(y, h, x, dt, a, b, c, skip *float32, tokens, channels, stride, n int)
// One vector of channels, of which h and a have rows stride apart.
TEXT SELECTIVESCAN(SB), NOSPLIT, $0-96
	MOVQ y+0(FP), DI
	MOVQ x+16(FP), SI
	MOVQ dt+24(FP), DX
	MOVQ b+40(FP), R8
	MOVQ c+48(FP), R9
	MOVQ tokens+64(FP), AX
	MOVQ channels+72(FP), R10
	MOVQ stride+80(FP), R11
	SHLQ $2, R10
	SHLQ $2, R11
	EXPCONST

scanToken:
	VMOVUPS     (SI), V5
	PREFETCHT0  (SI)(R10*8)
	PREFETCHT0  (DX)(R10*8)
	VMULPS      (DX), V5, V4
	MOVQ        skip+56(FP), BX
	VMULPS      (BX), V5, V5
	MOVQ        h+8(FP), R12
	MOVQ        a+32(FP), R13
	MOVQ        n+88(FP), CX

scanState:
	VMOVUPS      (R13), V0
	VMULPS       (DX), V0, V0
	EXP(V0, V1, V2, V3)
	VBROADCASTSS (R8), V1
	VMULPS       V4, V1, V1
	VFMADD231PS  (R12), V0, V1
	VMOVUPS      V1, (R12)
	VBROADCASTSS (R9), V2
	VFMADD231PS  V2, V1, V5
	ADDQ         R11, R12
	ADDQ         R11, R13
	ADDQ         $4, R8
	ADDQ         $4, R9
	DECQ         CX
	JNE          scanState
	VMOVUPS      V5, (DI)
	ADDQ         R10, DI
	ADDQ         R10, SI
	ADDQ         R10, DX
	DECQ         AX
	JNE          scanToken
	VZEROUPPER
	RET

// STATE moves one vector of a state's row on: h = decay·h + b·input, and adds its part of the output.
#define STATE(at, input, y) \
	VMULPS      at, V12, V10    \
	VFMADD231PS V8, input, V10  \
	VMOVUPS     V10, at         \
	VFMADD231PS V9, V10, y

// func ssdScan(y, h, x, b, c, step, decay *float32, skip float32, tokens, ys, us, states, dim int)
// Four vectors of channels; h has rows dim apart.
TEXT SSDSCAN(SB), NOSPLIT, $0-104
	MOVQ y+0(FP), DI
	MOVQ x+16(FP), SI
	MOVQ b+24(FP), R8
	MOVQ c+32(FP), R9
	MOVQ step+40(FP), R12
	MOVQ decay+48(FP), R13
	MOVQ tokens+64(FP), AX
	MOVQ us+80(FP), R10
	MOVQ dim+96(FP), R11
	SHLQ $2, R10
	SHLQ $2, R11

ssdToken:
	VBROADCASTSS (R12), V8
	VBROADCASTSS skip+56(FP), V9
	VBROADCASTSS (R13), V12
	VMOVUPS      (SI), V0
	VMOVUPS      W(SI), V1
	VMOVUPS      (2*W)(SI), V2
	VMOVUPS      (3*W)(SI), V3
	VMULPS       V0, V9, V4
	VMULPS       V1, V9, V5
	VMULPS       V2, V9, V6
	VMULPS       V3, V9, V7
	VMULPS       V0, V8, V0
	VMULPS       V1, V8, V1
	VMULPS       V2, V8, V2
	VMULPS       V3, V8, V3
	MOVQ         h+8(FP), DX
	XORQ         BX, BX
	MOVQ         states+88(FP), CX

ssdState:
	VBROADCASTSS (R8)(BX*4), V8
	VBROADCASTSS (R9)(BX*4), V9
	STATE((DX), V0, V4)
	STATE(W(DX), V1, V5)
	STATE((2*W)(DX), V2, V6)
	STATE((3*W)(DX), V3, V7)
	ADDQ         R11, DX
	INCQ         BX
	CMPQ         BX, CX
	JLT          ssdState
	VMOVUPS      V4, (DI)
	VMOVUPS      V5, W(DI)
	VMOVUPS      V6, (2*W)(DI)
	VMOVUPS      V7, (3*W)(DI)
	MOVQ         ys+72(FP), CX
	LEAQ         (DI)(CX*4), DI
	ADDQ         R10, SI
	ADDQ         R10, R8
	ADDQ         R10, R9
	ADDQ         $4, R12
	ADDQ         $4, R13
	DECQ         AX
	JNE          ssdToken
	VZEROUPPER
	RET

// STATE2 moves one vector of a state's row on by two tokens, whose decays are V12 and V13, b V8 and V10, c V9 and V11.
// The arithmetic is that of STATE twice.
#define STATE2(at, input, y, input2, y2) \
	VMULPS      at, V12, V14      \
	VFMADD231PS V8, input, V14    \
	VFMADD231PS V9, V14, y        \
	VMULPS      V14, V13, V14     \
	VFMADD231PS V10, input2, V14  \
	VMOVUPS     V14, at           \
	VFMADD231PS V11, V14, y2

// func ssdScan2(y, h, x, b, c, step, decay *float32, skip float32, pairs, ys, us, states, dim int)
// Two vectors of channels over pairs of tokens: a pair loads and stores the state once.
TEXT SSDSCAN2(SB), NOSPLIT, $0-104
	MOVQ y+0(FP), DI
	MOVQ x+16(FP), SI
	MOVQ b+24(FP), R8
	MOVQ c+32(FP), R9
	MOVQ step+40(FP), R12
	MOVQ decay+48(FP), R13
	MOVQ us+80(FP), R10
	MOVQ dim+96(FP), R11
	SHLQ $2, R10
	SHLQ $2, R11

ssdPair:
	VBROADCASTSS (R12), V8
	VBROADCASTSS 4(R12), V10
	VBROADCASTSS skip+56(FP), V9
	VBROADCASTSS (R13), V12
	VBROADCASTSS 4(R13), V13
	VMOVUPS      (SI), V0
	VMOVUPS      W(SI), V1
	VMOVUPS      (SI)(R10*1), V2
	VMOVUPS      W(SI)(R10*1), V3
	VMULPS       V0, V9, V4
	VMULPS       V1, V9, V5
	VMULPS       V2, V9, V6
	VMULPS       V3, V9, V7
	VMULPS       V0, V8, V0
	VMULPS       V1, V8, V1
	VMULPS       V2, V10, V2
	VMULPS       V3, V10, V3
	LEAQ         (R8)(R10*1), AX
	LEAQ         (R9)(R10*1), BX
	MOVQ         h+8(FP), DX
	MOVQ         states+88(FP), CX

ssdState2:
	VBROADCASTSS (R8), V8
	VBROADCASTSS (R9), V9
	VBROADCASTSS (AX), V10
	VBROADCASTSS (BX), V11
	STATE2((DX), V0, V4, V2, V6)
	STATE2(W(DX), V1, V5, V3, V7)
	ADDQ         R11, DX
	ADDQ         $4, R8
	ADDQ         $4, R9
	ADDQ         $4, AX
	ADDQ         $4, BX
	DECQ         CX
	JNE          ssdState2
	MOVQ         ys+72(FP), CX
	VMOVUPS      V4, (DI)
	VMOVUPS      V5, W(DI)
	LEAQ         (DI)(CX*4), DI
	VMOVUPS      V6, (DI)
	VMOVUPS      V7, W(DI)
	LEAQ         (DI)(CX*4), DI
	LEAQ         (SI)(R10*2), SI
	MOVQ         states+88(FP), CX
	NEGQ         CX
	LEAQ         (R8)(CX*4), R8
	LEAQ         (R9)(CX*4), R9
	LEAQ         (R8)(R10*2), R8
	LEAQ         (R9)(R10*2), R9
	ADDQ         $8, R12
	ADDQ         $8, R13
	DECQ         pairs+64(FP)
	JNE          ssdPair
	VZEROUPPER
	RET

// func tileProduct(c *float32, cs int, a *float32, ar, ak int, b *float32, bs, n, cols, rows, add int)
// As tileProductGo has it; n is positive, rows a positive multiple of 4, cols one of two vectors.
TEXT TILEPRODUCT(SB), NOSPLIT, $0-88
	MOVQ cs+8(FP), R8
	MOVQ ar+24(FP), R9
	MOVQ ak+32(FP), R10
	MOVQ bs+48(FP), R11
	SHLQ $2, R8
	SHLQ $2, R9
	SHLQ $2, R10
	SHLQ $2, R11
	LEAQ (R9)(R9*2), R12

tileCols:
	MOVQ c+0(FP), DI
	MOVQ a+16(FP), R13
	MOVQ rows+72(FP), BX

tileRows:
	ZERO(V0)
	ZERO(V1)
	ZERO(V2)
	ZERO(V3)
	ZERO(V4)
	ZERO(V5)
	ZERO(V6)
	ZERO(V7)
	MOVQ    add+80(FP), AX
	TESTQ   AX, AX
	JEQ     tileStart
	MOVQ    DI, AX
	VMOVUPS (AX), V0
	VMOVUPS W(AX), V1
	ADDQ    R8, AX
	VMOVUPS (AX), V2
	VMOVUPS W(AX), V3
	ADDQ    R8, AX
	VMOVUPS (AX), V4
	VMOVUPS W(AX), V5
	ADDQ    R8, AX
	VMOVUPS (AX), V6
	VMOVUPS W(AX), V7

tileStart:
	MOVQ R13, SI
	MOVQ b+40(FP), DX
	MOVQ n+56(FP), CX

tile:
	VMOVUPS      (DX), V8
	VMOVUPS      W(DX), V9
	VBROADCASTSS (SI), V10
	VBROADCASTSS (SI)(R9*1), V11
	VFMADD231PS  V8, V10, V0
	VFMADD231PS  V9, V10, V1
	VBROADCASTSS (SI)(R9*2), V12
	VFMADD231PS  V8, V11, V2
	VFMADD231PS  V9, V11, V3
	VBROADCASTSS (SI)(R12*1), V13
	VFMADD231PS  V8, V12, V4
	VFMADD231PS  V9, V12, V5
	VFMADD231PS  V8, V13, V6
	VFMADD231PS  V9, V13, V7
	ADDQ         R11, DX
	ADDQ         R10, SI
	DECQ         CX
	JNE          tile

	VMOVUPS V0, (DI)
	VMOVUPS V1, W(DI)
	ADDQ    R8, DI
	VMOVUPS V2, (DI)
	VMOVUPS V3, W(DI)
	ADDQ    R8, DI
	VMOVUPS V4, (DI)
	VMOVUPS V5, W(DI)
	ADDQ    R8, DI
	VMOVUPS V6, (DI)
	VMOVUPS V7, W(DI)
	ADDQ    R8, DI
	LEAQ    (R13)(R9*4), R13
	SUBQ    $4, BX
	JNE     tileRows
	ADDQ    $(2*W), c+0(FP)
	ADDQ    $(2*W), b+40(FP)
	SUBQ    $(W/2), cols+64(FP)
	JNE     tileCols
	VZEROUPPER
	RET

// func scaleRows(to *float32, ts int, from *float32, fs int, f *float32, rows, n int)
TEXT SCALEROWS(SB), NOSPLIT, $0-56
	MOVQ to+0(FP), DI
	MOVQ ts+8(FP), R8
	MOVQ from+16(FP), SI
	MOVQ fs+24(FP), R9
	MOVQ f+32(FP), DX
	MOVQ rows+40(FP), AX
	MOVQ n+48(FP), CX
	SHLQ $2, R8
	SHLQ $2, R9
	SHLQ $2, CX

scaleRow:
	VBROADCASTSS (DX), V1
	XORQ         BX, BX

scaleVector:
	VMULPS  (SI)(BX*1), V1, V0
	VMOVUPS V0, (DI)(BX*1)
	ADDQ    $W, BX
	CMPQ    BX, CX
	JLT     scaleVector
	ADDQ    R8, DI
	ADDQ    R9, SI
	ADDQ    $4, DX
	DECQ    AX
	JNE     scaleRow
	VZEROUPPER
	RET

DATA decayMin<>+0(SB)/4, $-60.0
GLOBL decayMin<>(SB), RODATA|NOPTR, $4

// func decayRow(m, cb, cum, step *float32, last float32, n int)
// n is a positive multiple of sixteen.
TEXT DECAYROW(SB), NOSPLIT, $0-48
	MOVQ         m+0(FP), DI
	MOVQ         cb+8(FP), SI
	MOVQ         cum+16(FP), DX
	MOVQ         step+24(FP), R8
	VBROADCASTSS last+32(FP), V5
	MOVQ         n+40(FP), CX
	SHLQ         $2, CX
	EXPCONST
	VBROADCASTSS decayMin<>(SB), EXPMIN
	XORQ         BX, BX

decay:
	VSUBPS  (DX)(BX*1), V5, V0
	ZERO(V4)
	VMINPS  V0, V4, V0
	EXP(V0, V1, V2, V3)
	VMULPS  (SI)(BX*1), V0, V0
	VMULPS  (R8)(BX*1), V0, V0
	VMOVUPS V0, (DI)(BX*1)
	ADDQ    $W, BX
	CMPQ    BX, CX
	JLT     decay
	VZEROUPPER
	RET
