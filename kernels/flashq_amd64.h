// What the kernels of quantised pages share: R8 is the job, R13 the number of groups of 32 dimensions, Z23 to Z28 are
// set by WEIGHCONST.

// The polynomial of weightBF16 from the top; then 1 and -Inf.
DATA quantConst<>+0(SB)/4, $0.07802452266443263
DATA quantConst<>+4(SB)/4, $0.22606715539312927
DATA quantConst<>+8(SB)/4, $0.6958335405064481
DATA quantConst<>+12(SB)/4, $0.99992521856401
DATA quantConst<>+16(SB)/4, $1.0
DATA quantConst<>+20(SB)/4, $0xff800000
GLOBL quantConst<>(SB), RODATA|NOPTR, $24

#define WEIGHCONST \
	VBROADCASTSS quantConst<>+0(SB), Z28  \
	VBROADCASTSS quantConst<>+4(SB), Z27  \
	VBROADCASTSS quantConst<>+8(SB), Z26  \
	VBROADCASTSS quantConst<>+12(SB), Z25 \
	VBROADCASTSS quantConst<>+16(SB), Z24 \
	VBROADCASTSS quantConst<>+20(SB), Z23

// SEEN takes the 64 keys that AX says a query sees to K1 … K4.
#define SEEN \
	KMOVW AX, K1  \
	SHRQ  $16, AX \
	KMOVW AX, K2  \
	SHRQ  $16, AX \
	KMOVW AX, K3  \
	SHRQ  $16, AX \
	KMOVW AX, K4

// WEIGH makes weights Z8 … Z11 of the scores Z0 … Z3 of a query, whose head is R14 and O BX, and adds them up in the head.
// R14 goes on to what follows there.
#define WEIGH(weigh) \
	VMOVUPS  (R14), Z6          \
	VCMPPS   $6, Z6, Z0, K1, K5 \
	VCMPPS   $6, Z6, Z1, K2, K6 \
	VCMPPS   $6, Z6, Z2, K3, K7 \
	KORW     K5, K6, K5         \
	VCMPPS   $6, Z6, Z3, K4, K6 \
	KORW     K5, K7, K5         \
	KORTESTW K5, K6             \
	JEQ      weigh              \
	CALL     raiseRow<>(SB)     \
weigh:                          \
	VSUBPS      Z6, Z0, Z0        \
	VSUBPS      Z6, Z1, Z1        \
	VSUBPS      Z6, Z2, Z2        \
	VSUBPS      Z6, Z3, Z3        \
	VREDUCEPS   $1, Z0, Z4        \
	VREDUCEPS   $1, Z1, Z5        \
	VREDUCEPS   $1, Z2, Z6        \
	VREDUCEPS   $1, Z3, Z7        \
	VMOVAPS     Z28, Z8           \
	VMOVAPS     Z28, Z9           \
	VMOVAPS     Z28, Z10          \
	VMOVAPS     Z28, Z11          \
	VFMADD213PS Z27, Z4, Z8       \
	VFMADD213PS Z27, Z5, Z9       \
	VFMADD213PS Z27, Z6, Z10      \
	VFMADD213PS Z27, Z7, Z11      \
	VFMADD213PS Z26, Z4, Z8       \
	VFMADD213PS Z26, Z5, Z9       \
	VFMADD213PS Z26, Z6, Z10      \
	VFMADD213PS Z26, Z7, Z11      \
	VFMADD213PS Z25, Z4, Z8       \
	VFMADD213PS Z25, Z5, Z9       \
	VFMADD213PS Z25, Z6, Z10      \
	VFMADD213PS Z25, Z7, Z11      \
	VSCALEFPS.Z Z0, Z8, K1, Z8    \
	VSCALEFPS.Z Z1, Z9, K2, Z9    \
	VSCALEFPS.Z Z2, Z10, K3, Z10  \
	VSCALEFPS.Z Z3, Z11, K4, Z11  \
	VADDPS      Z8, Z9, Z12       \
	VADDPS      Z10, Z11, Z13     \
	VADDPS      Z12, Z13, Z12     \
	VADDPS      64(R14), Z12, Z12 \
	VMOVUPS     Z12, 64(R14)      \
	ADDQ        $128, R14

// ALL leaves in all lanes of a the OP of its lanes. T is scratch.
#define ALL(OP, a, T) \
	VSHUFF64X2 $0x4e, a, a, T \
	OP         T, a, a        \
	VSHUFF64X2 $0xb1, a, a, T \
	OP         T, a, a        \
	VSHUFPS    $0x4e, a, a, T \
	OP         T, a, a        \
	VSHUFPS    $0xb1, a, a, T \
	OP         T, a, a

// raiseRow raises the maximum Z6 of a row to what the scores Z0 … Z3, visible by K1 … K4, ask for, and lets its head R14
// and O BX fade. It changes AX and R12.
TEXT raiseRow<>(SB), NOSPLIT|NOFRAME, $0-0
	VMOVAPS  Z23, Z4
	VMAXPS   Z0, Z4, K1, Z4
	VMAXPS   Z1, Z4, K2, Z4
	VMAXPS   Z2, Z4, K3, Z4
	VMAXPS   Z3, Z4, K4, Z4
	ALL(VMAXPS, Z4, Z5)
	VRNDSCALEPS $2, Z4, Z4
	VCMPPS   $3, Z0, Z0, K1, K5 // NaN
	VCMPPS   $3, Z1, Z1, K2, K6
	VCMPPS   $3, Z2, Z2, K3, K7
	KORW     K5, K6, K5
	VCMPPS   $3, Z3, Z3, K4, K6
	KORW     K5, K7, K5
	KORTESTW K5, K6
	JEQ      number
	VPTERNLOGD $0xff, Z4, Z4, Z4

number:
	VMAXPS    Z4, Z6, Z7 // Z4 where it is NaN
	VSUBPS    Z7, Z6, Z5
	VSCALEFPS Z5, Z24, Z5
	VMOVAPS   Z7, Z6
	VMOVUPS   Z6, (R14)
	VMULPS    64(R14), Z5, Z4
	VMOVUPS   Z4, 64(R14)
	LEAQ      128(R14), AX
	MOVQ      R13, R12

head:
	VMULPS  (AX), Z5, Z4
	VMOVUPS Z4, (AX)
	ADDQ    $64, AX
	DECQ    R12
	JNE     head
	MOVQ    BX, AX
	MOVQ    R13, R12

values:
	VMULPS  (AX), Z5, Z4
	VMULPS  64(AX), Z5, Z7
	VMOVUPS Z4, (AX)
	VMOVUPS Z7, 64(AX)
	ADDQ    $128, AX
	DECQ    R12
	JNE     values
	RET
