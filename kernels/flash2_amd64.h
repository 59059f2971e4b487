// The polynomial of 2^f on [0, 1) from the top, within 8.3e-8; the smallest exponent; -Inf.
DATA flash2Const<>+0(SB)/4, $0.0018671300724391285
DATA flash2Const<>+4(SB)/4, $0.009017030315890247
DATA flash2Const<>+8(SB)/4, $0.05579991310967655
DATA flash2Const<>+12(SB)/4, $0.2401644501528686
DATA flash2Const<>+16(SB)/4, $0.6931513118048798
DATA flash2Const<>+20(SB)/4, $1.0
DATA flash2Const<>+24(SB)/4, $-10000.0
DATA flash2Const<>+28(SB)/4, $0xff800000
GLOBL flash2Const<>(SB), RODATA|NOPTR, $32

// POWERCONST sets the registers of POWER; Z30 becomes -Inf.
#define POWERCONST \
	VBROADCASTSS flash2Const<>+0(SB), Z23   \
	VBROADCASTSS flash2Const<>+4(SB), Z24   \
	VBROADCASTSS flash2Const<>+8(SB), Z25   \
	VBROADCASTSS flash2Const<>+12(SB), Z26  \
	VBROADCASTSS flash2Const<>+16(SB), Z27  \
	VBROADCASTSS flash2Const<>+20(SB), Z28  \
	VBROADCASTSS flash2Const<>+24(SB), Z29  \
	VBROADCASTSS flash2Const<>+28(SB), Z30

// POWER leaves in P 2^X for X ≤ 0; 0 far below, NaN for NaN. F is scratch.
#define POWER(X, F, P) \
	VMAXPS       X, Z29, X        \
	VRNDSCALEPS  $1, X, F         \
	VSUBPS       F, X, F          \
	VMOVAPS      Z23, P           \
	VFMADD213PS  Z24, F, P        \
	VFMADD213PS  Z25, F, P        \
	VFMADD213PS  Z26, F, P        \
	VFMADD213PS  Z27, F, P        \
	VFMADD213PS  Z28, F, P        \
	VSCALEFPS    X, P, P
