// What the kernels of both tiers share. They have the call in R15, rows of x in SI and R11 (the first and the fifth), R9
// and R10 being one and three strides, a panel's chunk in DI, what to fetch in R8, and the sums at DX.

// GEMM is a kernel: SUMS moves all sums, LOAD from memory and STORE to it, STEP(x, w) adds the products of a step that is
// x bytes further in x and w in the panel, whose steps are size bytes. It takes four steps at a time, then one.
#define GEMM(SUMS, STEP, size, four, rest, one, done) \
	MOVQ  call+0(FP), R15          \
	MOVQ  gemmCall_x(R15), SI      \
	MOVQ  gemmCall_stride(R15), R9 \
	MOVQ  gemmCall_w(R15), DI      \
	MOVQ  gemmCall_sums(R15), DX   \
	MOVQ  gemmCall_fetch(R15), R8  \
	MOVQ  gemmCall_ahead(R15), R12 \
	MOVQ  gemmCall_k(R15), CX      \
	LEAQ  (R9)(R9*2), R10          \
	LEAQ  (SI)(R9*4), R11          \
	SUMS(LOAD)                     \
	MOVQ  CX, BX                   \
	ANDQ  $3, BX                   \
	SHRQ  $2, CX                   \
	JEQ   rest                     \
four:                              \
	STEP(0, 0)                     \
	STEP(4, size)                  \
	STEP(8, 2*size)                \
	STEP(12, 3*size)               \
	ADDQ  $16, SI                  \
	ADDQ  $16, R11                 \
	ADDQ  $(4*size), DI            \
	DECQ  CX                       \
	JNE   four                     \
rest:                              \
	TESTQ BX, BX                   \
	JEQ   done                     \
one:                               \
	STEP(0, 0)                     \
	ADDQ  $4, SI                   \
	ADDQ  $4, R11                  \
	ADDQ  $size, DI                \
	DECQ  BX                       \
	JNE   one                      \
done:                              \
	SUMS(STORE)                    \
	VZEROUPPER                     \
	RET

// FETCH fetches a line of call.fetch.
#define FETCH \
	PREFETCHT1 (R8)  \
	ADDQ       R12, R8

// FETCHOUT fetches call.rows rows of out, before anything else.
#define FETCHOUT(again, none) \
	MOVQ  call+0(FP), R15              \
	MOVQ  gemmCall_out(R15), R13       \
	MOVQ  gemmCall_outStride(R15), R12 \
	MOVQ  gemmCall_rows(R15), AX       \
	TESTQ AX, AX                       \
	JEQ   none                         \
again:                                 \
	PREFETCHT1 (R13)                   \
	PREFETCHT1 64(R13)                 \
	PREFETCHT1 128(R13)                \
	PREFETCHT1 188(R13)                \
	ADDQ  R12, R13                     \
	DECQ  AX                           \
	JNE   again                        \
none:

// A single row reads its panel once, at the speed of memory, and fetches what lies ALONE bytes ahead.
#define ALONE 2304
#define AHEAD3(w) \
	PREFETCHT0 (w+ALONE)(DI)     \
	PREFETCHT0 (w+ALONE+64)(DI)  \
	PREFETCHT0 (w+ALONE+128)(DI)

#define AHEAD2(w) \
	PREFETCHT0 (w+ALONE)(DI)    \
	PREFETCHT0 (w+ALONE+64)(DI)
