#include "textflag.h"
#include "exp16_amd64.h"

#define WIDE16(src, a) VPMOVZXWD src, a
#define SPLAT(R, x, a) VPBROADCASTD R, a
#define AND(b, a, to) VPANDD b, a, to
#define ANDNOT(a, not, to) VPANDND a, not, to
#define OR(b, a, to) VPORD b, a, to

// ADDABOVE adds x to the lanes of to in which a > than. T is scratch.
#define ADDABOVE(than, a, x, to, T) \
	VPCMPGTD than, a, K1   \
	VPADDD   x, to, K1, to

// PICKBELOW moves x to the lanes of to in which a < than. T is scratch.
#define PICKBELOW(than, a, x, to, T) \
	VPCMPGTD  a, than, K1 \
	VMOVDQA32 x, K1, to

// PICKNAN moves x to the lanes of to in which a is NaN. T is scratch.
#define PICKNAN(a, x, to, T) \
	VCMPPS    $3, a, a, K1 \
	VMOVDQA32 x, K1, to

// STORE16 stores the low halves of the lanes of V1.
#define STORE16(dst) VPMOVDW Z1, dst

#define WIDENBF16 ·wideBF16AVX512
#define WIDENF16 ·wideF16AVX512
#define NARROWBF16 ·narrowBF16AVX512
#include "dtype_amd64.h"

// func narrowF16AVX512(dst *byte, src *float32, n int)
// n is a positive multiple of sixteen. The instruction rounds, and keeps NaN, as Narrow says.
TEXT ·narrowF16AVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX

narrowH:
	VMOVUPS   (SI), Z0
	VCVTPS2PH $0, Z0, (DI)
	ADDQ      $64, SI
	ADDQ      $32, DI
	SUBQ      $16, CX
	JNE       narrowH
	VZEROUPPER
	RET
