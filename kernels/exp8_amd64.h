// The AVX2 half of what the shared bodies are written in; see exp16_amd64.h. The constants of e^x take the upper
// registers, so a body that uses EXP has V0 … V5.
#define W 32
#define V0 Y0
#define V1 Y1
#define V2 Y2
#define V3 Y3
#define V4 Y4
#define V5 Y5
#define V6 Y6
#define V7 Y7
#define V8 Y8
#define V9 Y9
#define V10 Y10
#define V11 Y11
#define V12 Y12
#define V13 Y13
#define V14 Y14
#define V15 Y15

#define ZERO(a) VPXOR a, a, a
#define ROUND(a, b) VROUNDPS $0, a, b

#define ALL(OP, a, T) \
	VPERM2F128 $0x01, a, a, T \
	OP         T, a, a        \
	VSHUFPS    $0x4e, a, a, T \
	OP         T, a, a        \
	VSHUFPS    $0xb1, a, a, T \
	OP         T, a, a

#define SUMPD0 \
	VEXTRACTF128 $1, Y0, X1 \
	VADDPD       X1, X0, X0 \
	VPERMILPD    $1, X0, X1 \
	VADDPD       X1, X0, X0

#define WIDE0 \
	VEXTRACTF128 $1, Y0, X3 \
	VCVTPS2PD    X0, Y2     \
	VCVTPS2PD    X3, Y3

#define EQUAL(a, b, T, R) \
	VCMPPS    $0, b, a, T \
	VMOVMSKPS T, R        \
	TESTL     R, R

#define LOG2E Y6
#define LOG2ELO Y7
#define E6 Y8
#define E5 Y9
#define E4 Y10
#define E3 Y11
#define E2 Y12
#define E1 Y13
#define ONE Y14
#define EXPMIN Y15

// EXP as in AVX-512; the factor 2^n is built in its exponent bits.
#define EXP(x, N, P, M) \
	VCMPPS      $5, EXPMIN, x, M \ // not less than
	VMULPS      LOG2E, x, N     \
	VROUNDPS    $0, N, N        \
	VMOVAPS     x, P            \
	VFMSUB213PS N, LOG2E, P     \
	VFMADD231PS x, LOG2ELO, P   \
	VMOVAPS     E6, x           \
	VFMADD213PS E5, P, x        \
	VFMADD213PS E4, P, x        \
	VFMADD213PS E3, P, x        \
	VFMADD213PS E2, P, x        \
	VFMADD213PS E1, P, x        \
	VFMADD213PS ONE, P, x       \
	VCVTPS2DQ   N, N            \
	VPSLLD      $23, N, N       \
	VPADDD      ONE, N, N       \
	VMULPS      N, x, x         \
	VANDPS      M, x, x
