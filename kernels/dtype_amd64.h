// The conversions of both tiers, in the terms of exp16_amd64.h or exp8_amd64.h and of the macros that the including
// files define. n is a positive multiple of sixteen.

// func widenBF16(dst *float32, src *byte, n int)
TEXT WIDENBF16(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	ADDQ CX, CX
	XORQ BX, BX

widenB:
	WIDE16((SI)(BX*1), V0)
	VPSLLD  $16, V0, V0
	VMOVUPS V0, (DI)(BX*2)
	ADDQ    $(W/2), BX
	CMPQ    BX, CX
	JLT     widenB
	VZEROUPPER
	RET

// func widenF16(dst *float32, src *byte, n int)
// A normal number's exponent is rebiased; infinity and NaN are so twice; zero and subnormals get the exponent of
// 2^-14 and lose 2^-14 in a subtraction, which is exact.
TEXT WIDENF16(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	ADDQ CX, CX
	MOVL $0x7fff0000, AX
	SPLAT(AX, X4, V4)
	MOVL $0x38000000, AX // 112<<23, the difference of the biases
	SPLAT(AX, X5, V5)
	MOVL $0x0f7fffff, AX // below infinity, shifted
	SPLAT(AX, X6, V6)
	MOVL $0x38800000, AX // 2^-14
	SPLAT(AX, X7, V7)
	MOVL $0x00800000, AX // the smallest normal number, shifted
	SPLAT(AX, X8, V8)
	XORQ BX, BX

widenH:
	WIDE16((SI)(BX*1), V0)
	VPSLLD  $16, V0, V0
	AND(V4, V0, V1)         // without the sign
	ANDNOT(V0, V4, V2)      // the sign
	VPSRLD  $3, V1, V1
	VPADDD  V5, V1, V3
	ADDABOVE(V6, V1, V5, V3, V9)
	VPADDD  V7, V1, V9
	VSUBPS  V7, V9, V9
	PICKBELOW(V8, V1, V9, V3, V10)
	OR(V2, V3, V3)
	VMOVUPS V3, (DI)(BX*2)
	ADDQ    $(W/2), BX
	CMPQ    BX, CX
	JLT     widenH
	VZEROUPPER
	RET

// func narrowBF16(dst *byte, src *float32, n int)
// Rounds to nearest, ties to even; NaN keeps the upper half of its payload and becomes quiet.
TEXT NARROWBF16(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	ADDQ CX, CX
	MOVL $1, AX
	SPLAT(AX, X4, V4)
	MOVL $0x7fff, AX
	SPLAT(AX, X5, V5)
	MOVL $0x40, AX
	SPLAT(AX, X6, V6)
	XORQ BX, BX

narrowB:
	VMOVUPS (SI)(BX*2), V0
	VPSRLD  $16, V0, V2
	AND(V4, V2, V1)
	VPADDD  V5, V1, V1
	VPADDD  V0, V1, V1
	VPSRLD  $16, V1, V1
	OR(V6, V2, V2)
	PICKNAN(V0, V2, V1, V3)
	STORE16((DI)(BX*1))
	ADDQ    $(W/2), BX
	CMPQ    BX, CX
	JLT     narrowB
	VZEROUPPER
	RET
