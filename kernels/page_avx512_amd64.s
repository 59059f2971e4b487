#include "textflag.h"
#include "transpose16_amd64.h"

// AVX-512 rounds to bf16 in integers: half of the last place that stays, less one where the number is even, is added to
// the bits. Numbers without an exponent become zeros of their sign.

#define CONSTANTS \
	MOVL         $0x7f800000, DX \
	VPBROADCASTD DX, Z22         \
	MOVL         $1, DX          \
	VPBROADCASTD DX, Z23         \
	MOVL         $0x7fff, DX     \
	VPBROADCASTD DX, Z24         \
	MOVL         $0x8000, DX     \
	VPBROADCASTD DX, Z25

// ROUNDED leaves the bf16 of the numbers in Zi in the low halves of Z17, and the upper halves of Zi in Z16. NaN may
// become anything.
#define ROUNDED(Zi) \
	VPTESTNMD Z22, Zi, K1       \
	VPSRLD    $16, Zi, Z16      \
	VPANDD    Z23, Z16, Z17     \
	VPADDD    Z24, Z17, Z17     \
	VPADDD    Zi, Z17, Z17      \
	VPSRLD    $16, Z17, Z17     \
	VPANDD    Z25, Z16, K1, Z17

// NARROW is for numbers that are not NaN.
#define NARROW(i, Zi, Yi) \
	ROUNDED(Zi)       \
	VPMOVDW Z17, Yi

// func pageKeysAVX512(dst *uint16, src *float32, n int)
TEXT ·pageKeysAVX512(SB), NOSPLIT, $0-24
	MOVQ         dst+0(FP), DI
	MOVQ         src+8(FP), SI
	MOVQ         n+16(FP), CX
	CONSTANTS
	MOVL         $0x40, DX // makes NaN quiet
	VPBROADCASTD DX, Z26

round:
	VMOVUPS (SI), Z0
	ROUNDED(Z0)
	VCMPPS  $3, Z0, Z0, K2
	VPORD   Z26, Z16, K2, Z17
	VPMOVDW Z17, (DI)
	ADDQ    $64, SI
	ADDQ    $32, DI
	SUBQ    $16, CX
	JNE     round
	VZEROUPPER
	RET

#define PAGEVALUES ·pageValuesAVX512
#include "page_amd64.h"
