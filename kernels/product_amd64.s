#include "go_asm.h"
#include "textflag.h"
#include "amx_amd64.h"

// Both kernels have the call in R13, rows in SI, panel in DI, sums in DX, out in R11, rows left in R12, what to
// fetch in R8, the strides of operand and sum tiles in R9 and R10.
#define BEGIN \
	MOVQ  call+0(FP), R13             \
	AMX_BEGIN                         \
	MOVQ  panelCall_a(R13), SI        \
	MOVQ  panelCall_sums(R13), DX     \
	MOVQ  panelCall_out(R13), R11     \
	MOVQ  panelCall_rows(R13), R12    \
	MOVQ  panelCall_next(R13), R8     \
	MOVQ  $64, R9                     \
	MOVQ  $128, R10                   \
	MOVL  panelCall_columns(R13), AX  \
	KMOVW AX, K1                      \
	SHRL  $16, AX                     \
	KMOVW AX, K2                      \
	MOVL  panelCall_add(R13), AX      \
	KMOVW AX, K3                      \
	SHRL  $16, AX                     \
	KMOVW AX, K4                      \
	MOVQ  panelCall_bias(R13), AX     \
	VMOVUPS.Z (AX), K1, Z2            \
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

// FINISH writes up to n rows of sums at DX to out: (sum + bias) + out. It changes CX and AX.
#define FINISH(n, row) \
	MOVQ      $n, CX          \
	CMPQ      R12, CX         \
	CMOVQLT   R12, CX         \
	SUBQ      CX, R12         \
	MOVQ      DX, AX          \
	MOVQ      panelCall_outStride(R13), R15 \
row:                          \
	VADDPS    (AX), Z2, Z0    \
	VADDPS    64(AX), Z3, Z1  \
	VMOVUPS.Z (R11), K3, Z4   \
	VMOVUPS.Z 64(R11), K4, Z5 \
	VADDPS    Z4, Z0, Z0      \
	VADDPS    Z5, Z1, Z1      \
	VMOVUPS   Z0, K1, (R11)   \
	VMOVUPS   Z1, K2, 64(R11) \
	ADDQ      $128, AX        \
	ADDQ      R15, R11        \
	DECQ      CX              \
	JNE       row

// func amxPanel32(call *panelCall)
TEXT ·amxPanel32(SB), NOSPLIT, $0-8
	BEGIN
	MOVQ panelCall_groups(R13), BX

group:
	CMPB panelCall_load(R13), $0
	JEQ  zero
	TILELOADD(0, rDX, r10, 0)
	TILELOADD(1, rDX, r10, 64)
	TILELOADD(2, rDX, r10, 2048)
	TILELOADD(3, rDX, r10, 2112)
	JMP  begin

zero:
	TILEZERO(0)
	TILEZERO(1)
	TILEZERO(2)
	TILEZERO(3)

begin:
	MOVQ panelCall_b(R13), DI
	MOVQ panelCall_steps(R13), CX

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
	ADDQ $2048, SI
	ADDQ $2048, DI
	DECQ CX
	JNE  step
	TILESTORED(0, rDX, r10, 0)
	TILESTORED(1, rDX, r10, 64)
	TILESTORED(2, rDX, r10, 2048)
	TILESTORED(3, rDX, r10, 2112)
	CMPB panelCall_last(R13), $0
	JEQ  next
	FINISH(32, row)

next:
	ADDQ panelCall_sumsStride(R13), DX
	DECQ BX
	JNE  group
	AMX_END
	RET

// func amxPanel16(call *panelCall)
TEXT ·amxPanel16(SB), NOSPLIT, $0-8
	BEGIN
	CMPB panelCall_load(R13), $0
	JEQ  zero16
	TILELOADD(0, rDX, r10, 0)
	TILELOADD(1, rDX, r10, 64)
	JMP  begin16

zero16:
	TILEZERO(0)
	TILEZERO(1)

begin16:
	MOVQ panelCall_b(R13), DI
	MOVQ panelCall_steps(R13), CX

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
	CMPB panelCall_last(R13), $0
	JEQ  done16
	FINISH(16, row16)

done16:
	AMX_END
	RET
