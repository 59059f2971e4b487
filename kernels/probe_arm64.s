#include "textflag.h"

#define SIX(a, b, c, d, e, f) \
	VFMLA V24.S4, V25.S4, a.S4 \
	VFMLA V24.S4, V25.S4, b.S4 \
	VFMLA V24.S4, V25.S4, c.S4 \
	VFMLA V24.S4, V25.S4, d.S4 \
	VFMLA V24.S4, V25.S4, e.S4 \
	VFMLA V24.S4, V25.S4, f.S4

#define ZERO6(a, b, c, d, e, f) \
	VEOR a.B16, a.B16, a.B16 \
	VEOR b.B16, b.B16, b.B16 \
	VEOR c.B16, c.B16, c.B16 \
	VEOR d.B16, d.B16, d.B16 \
	VEOR e.B16, e.B16, e.B16 \
	VEOR f.B16, f.B16, f.B16

// func probeVectorsNEON(n int)
TEXT ·probeVectorsNEON(SB), NOSPLIT, $0-8
	MOVD n+0(FP), R0
	ZERO6(V0, V1, V2, V3, V4, V5)
	ZERO6(V6, V7, V8, V9, V10, V11)
	ZERO6(V12, V13, V14, V15, V16, V17)
	ZERO6(V18, V19, V20, V21, V22, V23)
	VEOR V24.B16, V24.B16, V24.B16
	VEOR V25.B16, V25.B16, V25.B16

vectors:
	SIX(V0, V1, V2, V3, V4, V5)
	SIX(V6, V7, V8, V9, V10, V11)
	SIX(V12, V13, V14, V15, V16, V17)
	SIX(V18, V19, V20, V21, V22, V23)
	SUBS $1, R0, R0
	BNE  vectors
	RET

// func probeReadNEON(data *byte, n int)
// n is a positive multiple of 256.
TEXT ·probeReadNEON(SB), NOSPLIT, $0-16
	MOVD data+0(FP), R0
	MOVD n+8(FP), R1

read:
	VLD1.P 64(R0), [V0.B16, V1.B16, V2.B16, V3.B16]
	VLD1.P 64(R0), [V4.B16, V5.B16, V6.B16, V7.B16]
	VLD1.P 64(R0), [V16.B16, V17.B16, V18.B16, V19.B16]
	VLD1.P 64(R0), [V20.B16, V21.B16, V22.B16, V23.B16]
	SUBS   $256, R1, R1
	BNE    read
	RET
