#include "go_asm.h"
#include "textflag.h"
#include "amx_amd64.h"

// Both kernels have the call in R13, rows in SI, panel in DI, the group's sums in DX, what to fetch in R8, and the
// strides of operand and sum tiles in R9 and R10. R12 rows of sums wait at AX to be added to those of earlier
// chunks, at BX, and go to out, at R11.
#define BEGIN \
	MOVQ  call+0(FP), R13              \
	AMX_BEGIN                          \
	MOVQ  panelCall_a(R13), SI         \
	MOVQ  panelCall_b(R13), DI         \
	MOVQ  panelCall_sums(R13), DX      \
	MOVQ  panelCall_earlier(R13), BX   \
	MOVQ  panelCall_out(R13), R11      \
	MOVQ  panelCall_outStride(R13), R14 \
	MOVQ  panelCall_next(R13), R8      \
	MOVQ  $64, R9                      \
	MOVQ  $128, R10                    \
	XORL  R12, R12                     \
	MOVL  panelCall_columns(R13), AX   \
	KMOVW AX, K1                       \
	SHRL  $16, AX                      \
	KMOVW AX, K2                       \
	MOVL  panelCall_add(R13), AX       \
	KMOVW AX, K3                       \
	SHRL  $16, AX                      \
	KMOVW AX, K4                       \
	MOVL  panelCall_more(R13), AX      \
	KMOVW AX, K5                       \
	MOVQ  panelCall_bias(R13), AX      \
	VMOVUPS.Z (AX), K1, Z2             \
	VMOVUPS.Z 64(AX), K2, Z3

// FETCH fetches call.fetch times four lines.
#define FETCH(again) \
	MOVQ       panelCall_fetch(R13), R15 \
again:                                   \
	PREFETCHT1 (R8)                      \
	PREFETCHT1 64(R8)                    \
	PREFETCHT1 128(R8)                   \
	PREFETCHT1 192(R8)                   \
	ADDQ       $256, R8                  \
	DECQ       R15                       \
	JNE        again

// ROW finishes a row: ((sum + earlier) + bias) + out, what is not wanted being read as zero. It asks for the line
// R15 bytes further on, where the next group goes.
#define ROW \
	VMOVUPS.Z (BX), K5, Z6       \
	VMOVUPS.Z 64(BX), K5, Z7     \
	VADDPS    (AX), Z6, Z0       \
	VADDPS    64(AX), Z7, Z1     \
	VMOVUPS.Z (R11), K3, Z4      \
	VMOVUPS.Z 64(R11), K4, Z5    \
	PREFETCHW(r11, r15, 0)       \
	PREFETCHW(r11, r15, 64)      \
	VADDPS    Z2, Z0, Z0         \
	VADDPS    Z3, Z1, Z1         \
	VADDPS    Z4, Z0, Z0         \
	VADDPS    Z5, Z1, Z1         \
	VMOVUPS   Z0, K1, (R11)      \
	VMOVUPS   Z1, K2, 64(R11)    \
	SUBQ      $-128, AX          \
	ADDQ      panelCall_earlierStride(R13), BX \
	ADDQ      R14, R11           \
	DECQ      R12

// FLUSH finishes the rows that wait.
#define FLUSH(row, done) \
	MOVQ  panelCall_ahead(R13), R15 \
	TESTQ R12, R12 \
	JEQ   done     \
row:               \
	ROW            \
	JNE   row      \
done:

// func amxPanel32(call *panelCall)
TEXT ·amxPanel32(SB), NOSPLIT, $0-8
	BEGIN

group:
	MOVQ panelCall_b(R13), DI
	MOVQ panelCall_steps(R13), CX
	TILEZERO(0)
	TILEZERO(1)
	TILEZERO(2)
	TILEZERO(3)

step:
	TILELOADDT1(4, rSI, r9, 0)
	TILELOADD(6, rDI, r9, 0)
	TILELOADD(7, rDI, r9, 1024)
	TDPBF16PS(0, 4, 6)
	TILELOADDT1(5, rSI, r9, 1024)
	TDPBF16PS(1, 4, 7)
	FETCH(fetch)
	TDPBF16PS(2, 5, 6)
	TDPBF16PS(3, 5, 7)
	ADDQ  $2048, SI
	ADDQ  $2048, DI
	TESTQ R12, R12
	JEQ   none
	MOVQ  panelCall_ahead(R13), R15
	ROW
	JEQ   none
	ROW

none:
	DECQ CX
	JNE  step
	FLUSH(row, flushed)
	TILESTORED(0, rDX, r10, 0)
	TILESTORED(1, rDX, r10, 64)
	TILESTORED(2, rDX, r10, 2048)
	TILESTORED(3, rDX, r10, 2112)
	MOVQ    DX, AX
	MOVQ    $32, R12
	MOVQ    panelCall_rows(R13), R15
	CMPQ    R15, R12
	CMOVQLT R15, R12
	SUBQ    R12, R15
	MOVQ    R15, panelCall_rows(R13)
	CMPQ    R15, $32
	JGE     more
	MOVQ    $0, panelCall_ahead(R13)

more:
	ADDQ    panelCall_sumsStride(R13), DX
	DECQ    panelCall_groups(R13)
	JNE     group
	FLUSH(lastrow, done)
	AMX_END
	RET

// func amxPanel16(call *panelCall)
TEXT ·amxPanel16(SB), NOSPLIT, $0-8
	BEGIN
	MOVQ  panelCall_steps(R13), R14
	KXORW K6, K6, K6

chunk16:
	MOVQ    panelCall_chunk(R13), CX
	CMPQ    R14, CX
	CMOVQLT R14, CX
	SUBQ    CX, R14
	TILEZERO(0)
	TILEZERO(1)

step16:
	TILELOADD(4, rSI, r9, 0)
	TILELOADDT1(6, rDI, r9, 0)
	TDPBF16PS(0, 4, 6)
	FETCH(fetch16)
	TILELOADDT1(7, rDI, r9, 1024)
	TDPBF16PS(1, 4, 7)
	ADDQ $1024, SI
	ADDQ $2048, DI
	DECQ CX
	JNE  step16
	TILESTORED(0, rDX, r10, 0)
	TILESTORED(1, rDX, r10, 64)
	MOVQ  DX, AX
	MOVQ  panelCall_rows(R13), R12
	TESTQ R14, R14
	JEQ   last16
	MOVQ  panelCall_earlier(R13), BX

add16:
	VMOVUPS.Z (BX), K6, Z6
	VMOVUPS.Z 64(BX), K6, Z7
	VADDPS    (AX), Z6, Z6
	VADDPS    64(AX), Z7, Z7
	VMOVUPS   Z6, (BX)
	VMOVUPS   Z7, 64(BX)
	SUBQ      $-128, AX
	SUBQ      $-128, BX
	DECQ      R12
	JNE       add16
	KXNORW    K6, K6, K6
	JMP       chunk16

last16:
	MOVQ panelCall_earlier(R13), BX
	MOVQ panelCall_outStride(R13), R14
	FLUSH(row16, done16)
	AMX_END
	RET
