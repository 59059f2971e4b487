#include "textflag.h"
#include "exp8_amd64.h"

#define WIDE16(src, a) VPMOVZXWD src, a
#define SPLAT(R, x, a) \
	VMOVD        R, x \
	VPBROADCASTD x, a
#define AND(b, a, to) VPAND b, a, to
#define ANDNOT(a, not, to) VPANDN a, not, to
#define OR(b, a, to) VPOR b, a, to

#define ADDABOVE(than, a, x, to, T) \
	VPCMPGTD than, a, T \
	VPAND    x, T, T    \
	VPADDD   T, to, to

#define PICKBELOW(than, a, x, to, T) \
	VPCMPGTD  a, than, T  \
	VPBLENDVB T, x, to, to

#define PICKNAN(a, x, to, T) \
	VCMPPS    $3, a, a, T \
	VPBLENDVB T, x, to, to

#define STORE16(dst) \
	VEXTRACTI128 $1, Y1, X3 \
	VPACKUSDW    X3, X1, X1 \
	VMOVDQU      X1, dst

#define WIDENBF16 ·wideBF16AVX2
#define WIDENF16 ·wideF16AVX2
#define NARROWBF16 ·narrowBF16AVX2
#include "dtype_amd64.h"
