// How keys and values are stored in pages of bf16, in terms of what the including files define: NARROW(i, Zi, Yi), which
// makes the numbers in Zi the sixteen bf16 numbers in Yi, and CONSTANTS, which sets what that needs in Z22 … Z25 and may
// change DX. NARROW may change Z16 … Z19 and masks.

// LARGEST keeps in Z20 the largest of Zi without its sign; Z21 clears signs.
#define LARGEST(Zi) \
	VPANDD  Z21, Zi, Z16  \
	VPMAXUD Z16, Z20, Z20

// func pageValues(dst *uint16, src *float32, d int) uint32
TEXT PAGEVALUES(SB), NOSPLIT, $0-28
	MOVQ         dst+0(FP), DI
	MOVQ         src+8(FP), SI
	MOVQ         d+16(FP), CX
	MOVQ         CX, AX
	SHLQ         $2, AX
	LEAQ         (AX)(AX*2), BX
	VPXORQ       Z20, Z20, Z20
	MOVL         $0x7fffffff, DX
	VPBROADCASTD DX, Z21
	CONSTANTS

block:
	MOVQ SI, R8
	LOAD16
	LARGEST(Z0)
	LARGEST(Z1)
	LARGEST(Z2)
	LARGEST(Z3)
	LARGEST(Z4)
	LARGEST(Z5)
	LARGEST(Z6)
	LARGEST(Z7)
	LARGEST(Z8)
	LARGEST(Z9)
	LARGEST(Z10)
	LARGEST(Z11)
	LARGEST(Z12)
	LARGEST(Z13)
	LARGEST(Z14)
	LARGEST(Z15)
	TRANSPOSE16
	NARROW(0, Z0, Y0)
	NARROW(1, Z1, Y1)
	NARROW(2, Z2, Y2)
	NARROW(3, Z3, Y3)
	NARROW(4, Z4, Y4)
	NARROW(5, Z5, Y5)
	NARROW(6, Z6, Y6)
	NARROW(7, Z7, Y7)
	NARROW(8, Z8, Y8)
	NARROW(9, Z9, Y9)
	NARROW(10, Z10, Y10)
	NARROW(11, Z11, Y11)
	NARROW(12, Z12, Y12)
	NARROW(13, Z13, Y13)
	NARROW(14, Z14, Y14)
	NARROW(15, Z15, Y15)
	VMOVDQU Y0, (DI)
	VMOVDQU Y1, 128(DI)
	VMOVDQU Y2, 256(DI)
	VMOVDQU Y3, 384(DI)
	VMOVDQU Y4, 512(DI)
	VMOVDQU Y5, 640(DI)
	VMOVDQU Y6, 768(DI)
	VMOVDQU Y7, 896(DI)
	VMOVDQU Y8, 1024(DI)
	VMOVDQU Y9, 1152(DI)
	VMOVDQU Y10, 1280(DI)
	VMOVDQU Y11, 1408(DI)
	VMOVDQU Y12, 1536(DI)
	VMOVDQU Y13, 1664(DI)
	VMOVDQU Y14, 1792(DI)
	VMOVDQU Y15, 1920(DI)
	ADDQ $64, SI
	ADDQ $2048, DI
	SUBQ $16, CX
	JNE  block

	VEXTRACTI64X4 $1, Z20, Y1
	VPMAXUD       Z20, Z1, Z0
	VEXTRACTI128  $1, Y0, X1
	VPMAXUD       X0, X1, X0
	VPSHUFD       $0x4e, X0, X1
	VPMAXUD       X0, X1, X0
	VPSHUFD       $0xb1, X0, X1
	VPMAXUD       X0, X1, X0
	VMOVD         X0, AX
	MOVL          AX, ret+24(FP)
	VZEROUPPER
	RET
