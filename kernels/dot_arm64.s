#include "textflag.h"
#include "neon_arm64.h"

#define LOGSIZE 2
#define LOAD8(R) FLDPQ.P 32(R), (F18, F19)
#define LOAD4(R) FMOVQ.P 16(R), F18
#define LOAD2(R) FMOVD.P 8(R), F18
#define LOAD1(R, p) FMOVS.P 4(R), F18
#define DOT ·dotNEON
#include "dot_arm64.h"

#undef LOGSIZE
#undef LOAD8
#undef LOAD4
#undef LOAD2
#undef LOAD1
#undef DOT
#undef STEP8
#undef STEP4
#undef STEP2
#undef STEP1

#define LOGSIZE 1
#define LOAD8(R) \
	FMOVQ.P 16(R), F19 \
	SHLL4S(19, 18)     \
	SHLL4S2(19, 19)
#define LOAD4(R) \
	FMOVD.P 8(R), F18 \
	SHLL4S(18, 18)
#define LOAD2(R) \
	FMOVS.P 4(R), F18 \
	SHLL4S(18, 18)
#define LOAD1(R, p) \
	LDRH(p, 18)    \
	SHLL4S(18, 18)
#define DOT ·dotBF16NEON
#include "dot_arm64.h"
