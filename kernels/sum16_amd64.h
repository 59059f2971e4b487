// PAIR adds two vectors lane by lane after moving the lanes to be added into place: a = shuffle(a, b, lo) +
// shuffle(a, b, hi). T is scratch.
#define PAIR(SHUFFLE, lo, hi, a, b, T) \
	SHUFFLE $lo, b, a, T \
	SHUFFLE $hi, b, a, a \
	VADDPS  T, a, a

#define HALVES(a, b, T) PAIR(VSHUFF64X2, 0x44, 0xee, a, b, T)
#define FOURTHS(a, b, T) PAIR(VSHUFF64X2, 0x88, 0xdd, a, b, T)
#define EIGHTHS(a, b, T) PAIR(VSHUFPS, 0x44, 0xee, a, b, T)
#define LANES(a, b, T) PAIR(VSHUFPS, 0x88, 0xdd, a, b, T)

// SUM16 leaves in lane i of Z0 the sum of the sixteen lanes of Zi, i = 0 … 15. All go through one and the same
// tree (lane j + lane j+8, then +4, +2, +1), so the result does not depend on i. Z31 is scratch.
#define SUM16 \
	HALVES(Z0, Z4, Z31)    \ // [0 | 4]
	HALVES(Z8, Z12, Z31)   \ // [8 | 12]
	HALVES(Z1, Z5, Z31)    \
	HALVES(Z9, Z13, Z31)   \
	HALVES(Z2, Z6, Z31)    \
	HALVES(Z10, Z14, Z31)  \
	HALVES(Z3, Z7, Z31)    \
	HALVES(Z11, Z15, Z31)  \
	FOURTHS(Z0, Z8, Z31)   \ // [0 | 4 | 8 | 12]
	FOURTHS(Z1, Z9, Z31)   \
	FOURTHS(Z2, Z10, Z31)  \
	FOURTHS(Z3, Z11, Z31)  \
	EIGHTHS(Z0, Z1, Z31)   \ // [0 0 1 1 | 4 4 5 5 | …]
	EIGHTHS(Z2, Z3, Z31)   \
	LANES(Z0, Z2, Z31)       // [0 1 2 3 | 4 5 6 7 | …]

#define ZERO16 \
	VPXORQ Z0, Z0, Z0    \
	VPXORQ Z1, Z1, Z1    \
	VPXORQ Z2, Z2, Z2    \
	VPXORQ Z3, Z3, Z3    \
	VPXORQ Z4, Z4, Z4    \
	VPXORQ Z5, Z5, Z5    \
	VPXORQ Z6, Z6, Z6    \
	VPXORQ Z7, Z7, Z7    \
	VPXORQ Z8, Z8, Z8    \
	VPXORQ Z9, Z9, Z9    \
	VPXORQ Z10, Z10, Z10 \
	VPXORQ Z11, Z11, Z11 \
	VPXORQ Z12, Z12, Z12 \
	VPXORQ Z13, Z13, Z13 \
	VPXORQ Z14, Z14, Z14 \
	VPXORQ Z15, Z15, Z15

// FMA16 adds to Z0 … Z15, in the lanes of K1, the products of Z16 with a vector of each of sixteen rows AX bytes
// apart: the first four at R8, the next at R9, R10 and R11. BX is 3·AX.
#define FMA4(P, a, b, c, d) \
	VFMADD231PS (P), Z16, K1, a       \
	VFMADD231PS (P)(AX*1), Z16, K1, b \
	VFMADD231PS (P)(AX*2), Z16, K1, c \
	VFMADD231PS (P)(BX*1), Z16, K1, d \
	ADDQ        $64, P

#define FMA16 \
	FMA4(R8, Z0, Z1, Z2, Z3)     \
	FMA4(R9, Z4, Z5, Z6, Z7)     \
	FMA4(R10, Z8, Z9, Z10, Z11)  \
	FMA4(R11, Z12, Z13, Z14, Z15)

// ROWS16 sets up the registers of FMA16 for rows at R8.
#define ROWS16 \
	LEAQ (AX)(AX*2), BX \
	LEAQ (R8)(AX*4), R9 \
	LEAQ (R9)(AX*4), R10 \
	LEAQ (R10)(AX*4), R11

// TAIL sets K1 to the first n mod 16 lanes, for n in R12, and the flags to whether there are any. CX is scratch.
#define TAIL \
	MOVQ  R12, CX \
	ANDQ  $15, CX \
	MOVL  $1, R13 \
	SHLL  CX, R13 \
	SUBL  $1, R13 \
	KMOVW R13, K1 \
	TESTL R13, R13
