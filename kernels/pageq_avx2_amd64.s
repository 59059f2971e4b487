#include "textflag.h"

// Tiles of codes in AVX2; pageq_amd64.s has them in AVX-512. CX is the bits of a code, DI the scratch of sixteen rows of
// 64 bytes.

// MASKS makes Y15 mask one code in each 16-bit number, and X14 the width of what lies next to one another. It changes
// R12 and R13.
#define MASKS \
	MOVL         $1, R12  \
	SHLL         CX, R12  \
	DECL         R12      \
	MOVL         R12, R13 \
	SHLL         $16, R13 \
	ORL          R13, R12 \
	VMOVD        R12, X15 \
	VPBROADCASTD X15, Y15 \
	VMOVD        CX, X14

// unpackRows<> writes the rows of a tile of codes at SI. It changes SI, R12 and R13.
TEXT unpackRows<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ CX, R12

vector:
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1
	ADDQ    $64, SI
	MOVL    $16, R13

code:
	VPAND   Y15, Y0, Y2
	VPAND   Y15, Y1, Y3
	VPSRLD  X14, Y0, Y0
	VPSRLD  X14, Y1, Y1
	VMOVDQU Y2, (DI)
	VMOVDQU Y3, 32(DI)
	ADDQ    $64, DI
	SUBL    CX, R13
	JNE     code
	DECQ    R12
	JNE     vector
	SUBQ    $1024, DI
	RET

// TRANSPOSE4 transposes the 4×4 dwords in each half of four registers. Y8 … Y11 are scratch.
#define TRANSPOSE4(a, b, c, d) \
	VUNPCKLPS b, a, Y8    \
	VUNPCKHPS b, a, Y9    \
	VUNPCKLPS d, c, Y10   \
	VUNPCKHPS d, c, Y11   \
	VUNPCKLPD Y10, Y8, a  \
	VUNPCKHPD Y10, Y8, b  \
	VUNPCKLPD Y11, Y9, c  \
	VUNPCKHPD Y11, Y9, d

// TOKEN writes sixteen numbers of the codes that are in one half each of a and b.
#define TOKEN(half, a, b, to) \
	VPERM2F128   half, b, a, Y8 \
	VEXTRACTI128 $1, Y8, X9     \
	VPMOVZXWD    X8, Y8         \
	VPMOVZXWD    X9, Y9         \
	VCVTDQ2PS    Y8, Y8         \
	VCVTDQ2PS    Y9, Y9         \
	VMULPS       Y12, Y8, Y8    \
	VMULPS       Y13, Y9, Y9    \
	VADDPS       Y14, Y8, Y8    \
	VADDPS       Y15, Y9, Y9    \
	VMOVUPS      Y8, (to)       \
	VMOVUPS      Y9, 32(to)

// TOKENS writes those of a token and of the fourth after it, and goes on to the next ones.
#define TOKENS(a, b) \
	TOKEN($0x20, a, b, R10) \
	TOKEN($0x31, a, b, R11) \
	ADDQ R15, R10           \
	ADDQ R15, R11

// func keyTileAVX2(k *float32, codes *uint16, scale, lo *float32, rows *byte, d, bits int)
// Eight rows and eight tokens at a time are transposed.
TEXT ·keyTileAVX2(SB), NOSPLIT, $0-56
	MOVQ k+0(FP), DX
	MOVQ codes+8(FP), SI
	MOVQ scale+16(FP), R8
	MOVQ lo+24(FP), R9
	MOVQ rows+32(FP), DI
	MOVQ d+40(FP), R15
	MOVQ bits+48(FP), CX
	SHLQ $2, R15
	MASKS
	CALL unpackRows<>(SB)
	MOVQ $2, R12

dims:
	VMOVUPS (R8), Y12
	VMOVUPS 32(R8), Y13
	VMOVUPS (R9), Y14
	VMOVUPS 32(R9), Y15
	MOVQ    DX, R10
	MOVQ    $2, R13

tokens:
	VMOVDQU (DI), Y0
	VMOVDQU 64(DI), Y1
	VMOVDQU 128(DI), Y2
	VMOVDQU 192(DI), Y3
	VMOVDQU 256(DI), Y4
	VMOVDQU 320(DI), Y5
	VMOVDQU 384(DI), Y6
	VMOVDQU 448(DI), Y7
	TRANSPOSE4(Y0, Y1, Y2, Y3)
	TRANSPOSE4(Y4, Y5, Y6, Y7)
	LEAQ    (R10)(R15*4), R11
	TOKENS(Y0, Y4)
	TOKENS(Y1, Y5)
	TOKENS(Y2, Y6)
	TOKENS(Y3, Y7)
	MOVQ    R11, R10
	ADDQ    $32, DI
	DECQ    R13
	JNE     tokens
	ADDQ    $(512-64), DI
	ADDQ    $64, R8
	ADDQ    $64, R9
	ADDQ    $64, DX
	DECQ    R12
	JNE     dims
	VZEROUPPER
	RET

// func valueTileAVX2(v *float32, codes *uint16, scale, lo *float32, rows *byte, d, bits int)
TEXT ·valueTileAVX2(SB), NOSPLIT, $0-56
	MOVQ         v+0(FP), DX
	MOVQ         codes+8(FP), SI
	MOVQ         scale+16(FP), R8
	MOVQ         lo+24(FP), R9
	MOVQ         rows+32(FP), DI
	MOVQ         d+40(FP), R15
	MOVQ         bits+48(FP), CX
	SHLQ         $2, R15
	MASKS
	CALL         unpackRows<>(SB)
	MOVL         $0xffff, R12
	VMOVD        R12, X15
	VPBROADCASTD X15, Y15
	MOVQ         $16, R12

pair:
	VMOVDQU      (DI), Y0
	VMOVDQU      32(DI), Y1
	VBROADCASTSS (R8), Y4
	VBROADCASTSS 4(R8), Y5
	VBROADCASTSS (R9), Y6
	VBROADCASTSS 4(R9), Y7
	VPSRLD       $16, Y0, Y2
	VPSRLD       $16, Y1, Y3
	VPAND        Y15, Y0, Y0
	VPAND        Y15, Y1, Y1
	VCVTDQ2PS    Y0, Y0
	VCVTDQ2PS    Y1, Y1
	VCVTDQ2PS    Y2, Y2
	VCVTDQ2PS    Y3, Y3
	VMULPS       Y4, Y0, Y0
	VMULPS       Y4, Y1, Y1
	VMULPS       Y5, Y2, Y2
	VMULPS       Y5, Y3, Y3
	VADDPS       Y6, Y0, Y0
	VADDPS       Y6, Y1, Y1
	VADDPS       Y7, Y2, Y2
	VADDPS       Y7, Y3, Y3
	VMOVUPS      Y0, (DX)
	VMOVUPS      Y1, 32(DX)
	VMOVUPS      Y2, (DX)(R15*1)
	VMOVUPS      Y3, 32(DX)(R15*1)
	LEAQ         (DX)(R15*2), DX
	ADDQ         $64, DI
	ADDQ         $8, R8
	ADDQ         $8, R9
	DECQ         R12
	JNE          pair
	VZEROUPPER
	RET
