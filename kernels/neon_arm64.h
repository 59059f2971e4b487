// Instructions on vectors that Go's assembler does not have, by their encoding. Registers are numbers, 5 for V5, in the
// order of Go's instructions: the destination d last, and for what does not commute n before m: d = n - m, n > m.

#define RRR(op, m, n, d) WORD $((op) | (m)<<16 | (n)<<5 | (d))
#define RR(op, n, d) WORD $((op) | (n)<<5 | (d))

// Four float32 (S4).
#define FADD4S(m, n, d) RRR(0x4e20d400, m, n, d)   // FADD Vd.4S, Vn.4S, Vm.4S
#define FSUB4S(m, n, d) RRR(0x4ea0d400, m, n, d)   // FSUB
#define FMUL4S(m, n, d) RRR(0x6e20dc00, m, n, d)   // FMUL
#define FDIV4S(m, n, d) RRR(0x6e20fc00, m, n, d)   // FDIV
#define FMLA4S(m, n, d) RRR(0x4e20cc00, m, n, d)   // FMLA: d += n·m
#define FMAX4S(m, n, d) RRR(0x4e20f400, m, n, d)   // FMAX: NaN if one is NaN
#define FMIN4S(m, n, d) RRR(0x4ea0f400, m, n, d)   // FMIN
#define FMAXNM4S(m, n, d) RRR(0x4e20c400, m, n, d) // FMAXNM: the number if one is a quiet NaN
#define FADDP4S(m, n, d) RRR(0x6e20d400, m, n, d)  // FADDP: n0+n1, n2+n3, m0+m1, m2+m3
#define FCMGT4S(m, n, d) RRR(0x6ea0e400, m, n, d)  // FCMGT: ones where n > m
#define FCMEQ4S(m, n, d) RRR(0x4e20e400, m, n, d)  // FCMEQ
#define FNEG4S(n, d) RR(0x6ea0f800, n, d)          // FNEG Vd.4S, Vn.4S
#define FABS4S(n, d) RR(0x4ea0f800, n, d)          // FABS
#define FRINTN4S(n, d) RR(0x4e218800, n, d)        // FRINTN: to the nearest whole number, ties to even
#define FCVTNS4S(n, d) RR(0x4e21a800, n, d)        // FCVTNS: the same, as int32
#define FMAXNMV4S(n, d) RR(0x6e30c800, n, d)       // FMAXNMV Sd, Vn.4S: over the lanes

// FMLAE adds n times one lane of m to d: FMLA Vd.4S, Vn.4S, Vm.S[lane]; FMULE is the product alone.
#define FMLAE4S(m, lane, n, d) RRR(0x4f801000 | ((lane)&1)<<21 | ((lane)>>1)<<11, m, n, d)
#define FMULE4S(m, lane, n, d) RRR(0x4f809000 | ((lane)&1)<<21 | ((lane)>>1)<<11, m, n, d)

// Bits, and four int32.
#define MOV16B(n, d) RRR(0x4ea01c00, n, n, d)      // MOV Vd.16B, Vn.16B
#define BIC16B(m, n, d) RRR(0x4e601c00, m, n, d)   // BIC: n and not m
#define BIT16B(m, n, d) RRR(0x6ea01c00, m, n, d)   // BIT: d takes the bits of n that m has
#define ADD4S(m, n, d) RRR(0x4ea08400, m, n, d)    // ADD Vd.4S, Vn.4S, Vm.4S
#define SHL4S23(n, d) RR(0x4f375400, n, d)         // SHL Vd.4S, Vn.4S, #23
#define UMAXV4S(n, d) RR(0x6eb0a800, n, d)         // UMAXV Sd, Vn.4S

// Two float64 (D2).
#define FADD2D(m, n, d) RRR(0x4e60d400, m, n, d)   // FADD Vd.2D, Vn.2D, Vm.2D
#define FMLA2D(m, n, d) RRR(0x4e60cc00, m, n, d)   // FMLA
#define FADDP2D(n, d) RR(0x7e70d800, n, d)         // FADDP Dd, Vn.2D: n0+n1

// Wider types from the lower and, with a 2, the upper half of n.
#define FCVTL2D(n, d) RR(0x0e617800, n, d)         // FCVTL Vd.2D, Vn.2S: float32 to float64
#define FCVTL2D2(n, d) RR(0x4e617800, n, d)        // FCVTL2 Vd.2D, Vn.4S
#define FCVTL4S(n, d) RR(0x0e217800, n, d)         // FCVTL Vd.4S, Vn.4H: binary16 to float32
#define FCVTL4S2(n, d) RR(0x4e217800, n, d)        // FCVTL2 Vd.4S, Vn.8H
#define SHLL4S(n, d) RR(0x2e613800, n, d)          // SHLL Vd.4S, Vn.4H, #16: bf16 to float32
#define SHLL4S2(n, d) RR(0x6e613800, n, d)         // SHLL2 Vd.4S, Vn.8H, #16

// LDRH loads two bytes at general register p, which it moves on, into the lowest lane of t and clears the others.
#define LDRH(p, t) RR(0x7c402400, p, t)            // LDR Ht, [Xp], #2

// SUM4 leaves in the lanes of a the sums of the lanes of a, b, c and d, all by one tree: (0+1) + (2+3).
#define SUM4(a, b, c, d) \
	FADDP4S(b, a, a) \
	FADDP4S(d, c, c) \
	FADDP4S(c, a, a)

// SUM1 leaves in the lanes of a the sum of its lanes, by SUM4's tree.
#define SUM1(a) \
	FADDP4S(a, a, a) \
	FADDP4S(a, a, a)
