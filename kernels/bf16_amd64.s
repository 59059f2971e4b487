#include "textflag.h"
#include "amx_amd64.h"

// func roundStepsAMX(to *uint16, from *float32, n, stride int)
TEXT ·roundStepsAMX(SB), NOSPLIT, $0-32
	MOVQ to+0(FP), DI
	MOVQ from+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ stride+24(FP), DX

round:
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z1
	VCVTNE2PS2BF16(0, 1, 0)
	VMOVDQU64 Z0, (DI)
	ADDQ $128, SI
	ADDQ DX, DI
	DECQ CX
	JNE  round
	VZEROUPPER
	RET

// ROW4 loads four rows of sixteen pairs and transposes each of their 4×4 blocks: lane j of quarter q of the first
// result has pair 4q of row j, of the second pair 4q+1, and so on. It leaves R8 at the next row.
#define ROW4(a, b, c, d) \
	VMOVDQU32   (R8), Z16         \
	VMOVDQU32   (R8)(DX*1), Z17   \
	VMOVDQU32   (R8)(DX*2), Z18   \
	VMOVDQU32   (R8)(BX*1), Z19   \
	LEAQ        (R8)(DX*4), R8    \
	VPUNPCKLDQ  Z17, Z16, Z20     \
	VPUNPCKHDQ  Z17, Z16, Z21     \
	VPUNPCKLDQ  Z19, Z18, Z22     \
	VPUNPCKHDQ  Z19, Z18, Z23     \
	VPUNPCKLQDQ Z22, Z20, a       \
	VPUNPCKHQDQ Z22, Z20, b       \
	VPUNPCKLQDQ Z23, Z21, c       \
	VPUNPCKHQDQ Z23, Z21, d

// QUARTERS transposes the 4×4 matrix of quarters of a, b, c and d and stores its rows 256 bytes apart.
#define QUARTERS(a, b, c, d, at) \
	VSHUFI32X4 $0x44, b, a, Z16   \
	VSHUFI32X4 $0xee, b, a, Z17   \
	VSHUFI32X4 $0x44, d, c, Z18   \
	VSHUFI32X4 $0xee, d, c, Z19   \
	VSHUFI32X4 $0x88, Z18, Z16, Z20 \
	VSHUFI32X4 $0xdd, Z18, Z16, Z21 \
	VSHUFI32X4 $0x88, Z19, Z17, Z22 \
	VSHUFI32X4 $0xdd, Z19, Z17, Z23 \
	VMOVDQU32  Z20, at(DI)        \
	VMOVDQU32  Z21, (at+256)(DI)  \
	VMOVDQU32  Z22, (at+512)(DI)  \
	VMOVDQU32  Z23, (at+768)(DI)

// func packTilesAMX(to, from *uint16, stride, steps int)
TEXT ·packTilesAMX(SB), NOSPLIT, $0-32
	MOVQ to+0(FP), DI
	MOVQ from+8(FP), SI
	MOVQ stride+16(FP), DX
	MOVQ steps+24(FP), CX
	LEAQ (DX)(DX*2), BX

tile:
	MOVQ SI, R8
	ROW4(Z0, Z1, Z2, Z3)
	ROW4(Z4, Z5, Z6, Z7)
	ROW4(Z8, Z9, Z10, Z11)
	ROW4(Z12, Z13, Z14, Z15)
	QUARTERS(Z0, Z4, Z8, Z12, 0)
	QUARTERS(Z1, Z5, Z9, Z13, 64)
	QUARTERS(Z2, Z6, Z10, Z14, 128)
	QUARTERS(Z3, Z7, Z11, Z15, 192)
	ADDQ $64, SI
	ADDQ $2048, DI
	DECQ CX
	JNE  tile
	VZEROUPPER
	RET
