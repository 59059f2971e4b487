// Constants of e^x in base 2: log2 e in two parts, the minimax polynomial of 2^f on [-½, ½] with 2^0 = 1 (3e-9
// relatively) from the top, 1, and exp.go's expMin.
DATA exp2Const<>+0(SB)/4, $1.44269502162933349609375
DATA exp2Const<>+4(SB)/4, $1.92596299112661746887e-8
DATA exp2Const<>+8(SB)/4, $1.559467569701510541e-4
DATA exp2Const<>+12(SB)/4, $1.3406643847480061e-3
DATA exp2Const<>+16(SB)/4, $9.617692976143188e-3
DATA exp2Const<>+20(SB)/4, $5.550310551206981e-2
DATA exp2Const<>+24(SB)/4, $2.4022652782876178e-1
DATA exp2Const<>+28(SB)/4, $6.93147214967885e-1
DATA exp2Const<>+32(SB)/4, $1.0
DATA exp2Const<>+36(SB)/4, $-87.33654
GLOBL exp2Const<>(SB), RODATA|NOPTR, $40

#define LOG2E 22
#define LOG2ELO 23
#define E6 24
#define E5 25
#define E4 26
#define E3 27
#define E2 28
#define E1 29
#define ONE 30
#define EXPMIN 31

// EXPCONST loads them into V22 … V31. R is a scratch register.
#define EXPCONST(R) \
	MOVD    $exp2Const<>(SB), R \
	VLD1R.P 4(R), [V22.S4] \
	VLD1R.P 4(R), [V23.S4] \
	VLD1R.P 4(R), [V24.S4] \
	VLD1R.P 4(R), [V25.S4] \
	VLD1R.P 4(R), [V26.S4] \
	VLD1R.P 4(R), [V27.S4] \
	VLD1R.P 4(R), [V28.S4] \
	VLD1R.P 4(R), [V29.S4] \
	VLD1R.P 4(R), [V30.S4] \
	VLD1R.P 4(R), [V31.S4]

// EXP replaces x by e^x for x ≤ 0, within 2e-7 relatively; 0 below exp.go's expMin, NaN for NaN. N, F, Y and T are
// scratch. e^x = 2^n·2^f with n = round(x·log2 e); log2 e has two parts, so that f is exact to the last bits. The
// factor 2^n is built in its exponent bits.
#define EXP(x, N, F, Y, T) \
	FCMGT4S(x, EXPMIN, T) \
	FMUL4S(LOG2E, x, N)   \
	FRINTN4S(N, N)        \
	FNEG4S(N, F)          \
	FMLA4S(LOG2E, x, F)   \
	FMLA4S(LOG2ELO, x, F) \
	MOV16B(E5, Y)         \
	FMLA4S(E6, F, Y)      \
	MOV16B(E4, x)         \
	FMLA4S(Y, F, x)       \
	MOV16B(E3, Y)         \
	FMLA4S(x, F, Y)       \
	MOV16B(E2, x)         \
	FMLA4S(Y, F, x)       \
	MOV16B(E1, Y)         \
	FMLA4S(x, F, Y)       \
	MOV16B(ONE, x)        \
	FMLA4S(Y, F, x)       \
	FCVTNS4S(N, N)        \
	SHL4S23(N, N)         \
	ADD4S(ONE, N, N)      \
	FMUL4S(N, x, x)       \
	BIC16B(T, x, x)
