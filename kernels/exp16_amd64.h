// The AVX-512 half of what the shared bodies (elementwise_amd64.h, softmax_amd64.h, …) are written in: each body is
// one text that elementwise_amd64.s and elementwise_avx2_amd64.s include under different register names. W is the
// width of a vector in bytes.
#define W 64
#define V0 Z0
#define V1 Z1
#define V2 Z2
#define V3 Z3
#define V4 Z4
#define V5 Z5
#define V6 Z6
#define V7 Z7
#define V8 Z8
#define V9 Z9
#define V10 Z10
#define V11 Z11
#define V12 Z12
#define V13 Z13
#define V14 Z14
#define V15 Z15

#define ZERO(a) VPXORQ a, a, a
#define ROUND(a, b) VRNDSCALEPS $0, a, b

// ALL leaves in all lanes of a the OP (sum, minimum or maximum) over its lanes: lane j with j+8, then +4, +2, +1. T
// is scratch.
#define ALL(OP, a, T) \
	VSHUFF64X2 $0x4e, a, a, T \
	OP         T, a, a        \
	VSHUFF64X2 $0xb1, a, a, T \
	OP         T, a, a        \
	VSHUFPS    $0x4e, a, a, T \
	OP         T, a, a        \
	VSHUFPS    $0xb1, a, a, T \
	OP         T, a, a

// SUMPD0 leaves in X0 the sum of the float64 lanes of V0. V1 is scratch.
#define SUMPD0 \
	VEXTRACTF64X4 $1, Z0, Y1      \
	VADDPD        Y1, Y0, Y0      \
	VEXTRACTF128  $1, Y0, X1      \
	VADDPD        X1, X0, X0      \
	VPERMILPD     $1, X0, X1      \
	VADDPD        X1, X0, X0

// WIDE0 leaves in V2 and V3 the lower and the upper half of V0 as float64.
#define WIDE0 \
	VEXTRACTF64X4 $1, Z0, Y3 \
	VCVTPS2PD     Y0, Z2     \
	VCVTPS2PD     Y3, Z3

// EQUAL sets the low bits of R to the lanes in which a = b, and the flags to whether there are any. T is scratch.
#define EQUAL(a, b, T, R) \
	VCMPPS $0, b, a, K1 \
	KMOVW  K1, R        \
	TESTL  R, R

#define LOG2E Z22
#define LOG2ELO Z23
#define E6 Z24
#define E5 Z25
#define E4 Z26
#define E3 Z27
#define E2 Z28
#define E1 Z29
#define ONE Z30
#define EXPMIN Z31

// EXP replaces x by e^x for x ≤ 0, within 2e-7 relatively; 0 below exp.go's expMin, NaN for NaN. N, P and M are
// scratch. e^x = 2^n·2^f with n = round(x·log2 e); log2 e has two parts, so that f is exact to the last bits.
#define EXP(x, N, P, M) \
	VCMPPS      $5, EXPMIN, x, K5 \ // not less than
	VMULPS      LOG2E, x, N     \
	VRNDSCALEPS $0, N, N        \
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
	VSCALEFPS.Z N, x, K5, x
