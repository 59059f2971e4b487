#include "textflag.h"
#include "transpose16_amd64.h"

// Tiles of codes and rows of 16-bit numbers, one tile at a time, with what AVX512F alone has: neighbouring 16-bit
// numbers share a dword, and no shift that is used here carries a code from one into the other before it is masked.
//
// Registers: CX the bits of a code, DI the scratch of sixteen rows of 64 bytes, AX = 64 and BX = 3·AX for LOAD16. Z30
// masks one code in each 16-bit number; X29 is the bits too.

DATA pageqLanes<>+0(SB)/4, $0
DATA pageqLanes<>+4(SB)/4, $1
DATA pageqLanes<>+8(SB)/4, $2
DATA pageqLanes<>+12(SB)/4, $3
DATA pageqLanes<>+16(SB)/4, $4
DATA pageqLanes<>+20(SB)/4, $5
DATA pageqLanes<>+24(SB)/4, $6
DATA pageqLanes<>+28(SB)/4, $7
DATA pageqLanes<>+32(SB)/4, $8
DATA pageqLanes<>+36(SB)/4, $9
DATA pageqLanes<>+40(SB)/4, $10
DATA pageqLanes<>+44(SB)/4, $11
DATA pageqLanes<>+48(SB)/4, $12
DATA pageqLanes<>+52(SB)/4, $13
DATA pageqLanes<>+56(SB)/4, $14
DATA pageqLanes<>+60(SB)/4, $15
GLOBL pageqLanes<>(SB), RODATA|NOPTR, $64

// MASKS sets Z30 and X29. It changes R12 and R13.
#define MASKS \
	MOVL         $1, R12          \
	SHLL         CX, R12          \
	DECL         R12              \
	MOVL         R12, R13         \
	SHLL         $16, R13         \
	ORL          R13, R12         \
	VPBROADCASTD R12, Z30         \
	VMOVD        CX, X29

// unpackRows<> writes the rows of a tile of codes at SI. It changes SI, R12 and R13.
TEXT unpackRows<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ CX, R12

vector:
	VMOVDQU32 (SI), Z0
	ADDQ      $64, SI
	MOVL      $16, R13

code:
	VPANDD    Z30, Z0, Z1
	VPSRLD    X29, Z0, Z0
	VMOVDQU32 Z1, (DI)
	ADDQ      $64, DI
	SUBL      CX, R13
	JNE       code
	DECQ      R12
	JNE       vector
	SUBQ      $1024, DI
	RET

// packRows<> is the way back: rows at DI, codes at DX. It changes DX, DI, R12 and R13.
TEXT packRows<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ CX, R12

vector:
	VPXORD Z1, Z1, Z1
	XORL   R13, R13

code:
	VMOVDQU32 (DI), Z0
	ADDQ      $64, DI
	VPANDD    Z30, Z0, Z0
	VMOVD     R13, X2
	VPSLLD    X2, Z0, Z0
	VPORD     Z0, Z1, Z1
	ADDL      CX, R13
	CMPL      R13, $16
	JLT       code
	VMOVDQU32 Z1, (DX)
	ADDQ      $64, DX
	DECQ      R12
	JNE       vector
	RET

// TOKEN writes 32 numbers of the codes in Z.
#define TOKEN(Z, Y) \
	VEXTRACTI64X4 $1, Z, Y17     \
	VPMOVZXWD     Y, Z16         \
	VPMOVZXWD     Y17, Z17       \
	VCVTDQ2PS     Z16, Z16       \
	VCVTDQ2PS     Z17, Z17       \
	VMULPS        Z24, Z16, Z16  \
	VMULPS        Z25, Z17, Z17  \
	VADDPS        Z26, Z16, Z16  \
	VADDPS        Z27, Z17, Z17  \
	VMOVUPS       Z16, (DX)      \
	VMOVUPS       Z17, 64(DX)    \
	ADDQ          R15, DX

// func keyTileAVX512(k *float32, codes, scale, lo *uint16, rows *byte, d, bits int)
TEXT ·keyTileAVX512(SB), NOSPLIT, $0-56
	MOVQ      k+0(FP), DX
	MOVQ      codes+8(FP), SI
	MOVQ      scale+16(FP), R8
	MOVQ      lo+24(FP), R9
	MOVQ      rows+32(FP), DI
	MOVQ      d+40(FP), R15
	MOVQ      bits+48(FP), CX
	SHLQ      $2, R15
	VCVTPH2PS (R8), Z24
	VCVTPH2PS 32(R8), Z25
	VCVTPH2PS (R9), Z26
	VCVTPH2PS 32(R9), Z27
	MASKS
	CALL      unpackRows<>(SB)
	MOVQ      DI, R8
	MOVL      $64, AX
	MOVL      $192, BX
	LOAD16
	TRANSPOSE16
	TOKEN(Z0, Y0)
	TOKEN(Z1, Y1)
	TOKEN(Z2, Y2)
	TOKEN(Z3, Y3)
	TOKEN(Z4, Y4)
	TOKEN(Z5, Y5)
	TOKEN(Z6, Y6)
	TOKEN(Z7, Y7)
	TOKEN(Z8, Y8)
	TOKEN(Z9, Y9)
	TOKEN(Z10, Y10)
	TOKEN(Z11, Y11)
	TOKEN(Z12, Y12)
	TOKEN(Z13, Y13)
	TOKEN(Z14, Y14)
	TOKEN(Z15, Y15)
	VZEROUPPER
	RET

// func valueTileAVX512(v *float32, codes, scale, lo *uint16, rows *byte, d, bits int)
TEXT ·valueTileAVX512(SB), NOSPLIT, $0-56
	MOVQ      v+0(FP), DX
	MOVQ      codes+8(FP), SI
	MOVQ      scale+16(FP), R8
	MOVQ      lo+24(FP), R9
	MOVQ      rows+32(FP), DI
	MOVQ      d+40(FP), R15
	MOVQ      bits+48(FP), CX
	SHLQ      $2, R15
	VCVTPH2PS (R8), Z0
	VCVTPH2PS 32(R8), Z1
	VCVTPH2PS (R9), Z2
	VCVTPH2PS 32(R9), Z3
	LEAQ      1024(DI), R8
	VMOVUPS   Z0, (R8)
	VMOVUPS   Z1, 64(R8)
	VMOVUPS   Z2, 128(R8)
	VMOVUPS   Z3, 192(R8)
	MASKS
	CALL      unpackRows<>(SB)
	MOVL      $0xffff, R12
	VPBROADCASTD R12, Z31
	MOVL      $16, R12

tokens:
	VMOVDQU32   (DI), Z0
	VPANDD      Z31, Z0, Z1
	VPSRLD      $16, Z0, Z2
	VCVTDQ2PS   Z1, Z1
	VCVTDQ2PS   Z2, Z2
	VMULPS.BCST (R8), Z1, Z1
	VMULPS.BCST 4(R8), Z2, Z2
	VADDPS.BCST 128(R8), Z1, Z1
	VADDPS.BCST 132(R8), Z2, Z2
	VMOVUPS     Z1, (DX)
	VMOVUPS     Z2, (DX)(R15*1)
	LEAQ        (DX)(R15*2), DX
	ADDQ        $64, DI
	ADDQ        $8, R8
	DECQ        R12
	JNE         tokens
	VZEROUPPER
	RET

// CODEMASK sets all dwords of Z31 to the largest code. It changes R12.
#define CODEMASK \
	MOVL         $1, R12  \
	SHLL         CX, R12  \
	DECL         R12      \
	VPBROADCASTD R12, Z31

// func packKeysAVX512(codes *uint16, words *uint32, rows *byte, d, bits int)
TEXT ·packKeysAVX512(SB), NOSPLIT, $0-40
	MOVQ  codes+0(FP), DX
	MOVQ  words+8(FP), SI
	MOVQ  rows+16(FP), DI
	MOVQ  d+24(FP), R15
	MOVQ  bits+32(FP), CX
	SHLQ  $2, R15
	CODEMASK
	VMOVD CX, X28
	MOVQ  CX, R12
	SHRQ  $1, R12

word:
	VMOVDQU32 (SI), Z0
	VMOVDQU32 64(SI), Z1
	ADDQ      R15, SI
	MOVL      $32, R13

code:
	VPANDD       Z31, Z0, Z2
	VPANDD       Z31, Z1, Z3
	VPSRLD       X28, Z0, Z0
	VPSRLD       X28, Z1, Z1
	VPMOVDW      Z2, Y2
	VPMOVDW      Z3, Y3
	VINSERTI64X4 $1, Y3, Z2, Z2
	VMOVDQU32    Z2, (DI)
	ADDQ         $64, DI
	SUBL         CX, R13
	JNE          code
	DECQ         R12
	JNE          word
	SUBQ         $1024, DI
	MOVQ         DI, R8
	MOVL         $64, AX
	MOVL         $192, BX
	LOAD16
	TRANSPOSE16
	ROWS16DENSE
	MASKS
	CALL         packRows<>(SB)
	VZEROUPPER
	RET

// func packValuesAVX512(codes *uint16, words *uint32, rows *byte, d, bits int)
TEXT ·packValuesAVX512(SB), NOSPLIT, $0-40
	MOVQ         codes+0(FP), DX
	MOVQ         words+8(FP), SI
	MOVQ         rows+16(FP), DI
	MOVQ         d+24(FP), R15
	MOVQ         bits+32(FP), CX
	IMULQ        CX, R15
	SHRQ         $3, R15 // bytes of a token's codes
	CODEMASK
	VPBROADCASTD CX, Z0
	VPMULLD      pageqLanes<>(SB), Z0, Z0
	VPSRLD       $5, Z0, Z26 // the dword of a code
	MOVL         $31, R12
	VPBROADCASTD R12, Z1
	VPANDD       Z1, Z0, Z27 // its place there
	MOVQ         CX, R8
	SHRQ         $1, CX
	MOVL         $1, R12
	SHLL         CX, R12
	DECL         R12
	KMOVW        R12, K1
	MOVQ         R8, CX
	MOVL         $16, R12

tokens:
	VMOVDQU32.Z (SI), K1, Z0
	VMOVDQU32.Z (SI)(R15*1), K1, Z1
	LEAQ        (SI)(R15*2), SI
	VPERMD      Z0, Z26, Z0
	VPERMD      Z1, Z26, Z1
	VPSRLVD     Z27, Z0, Z0
	VPSRLVD     Z27, Z1, Z1
	VPANDD      Z31, Z0, Z0
	VPANDD      Z31, Z1, Z1
	VPSLLD      $16, Z1, Z1
	VPORD       Z1, Z0, Z0
	VMOVDQU32   Z0, (DI)
	ADDQ        $64, DI
	DECQ        R12
	JNE         tokens
	SUBQ        $1024, DI
	MASKS
	CALL        packRows<>(SB)
	VZEROUPPER
	RET

// func largestAVX512(x *float32, n int) uint32
TEXT ·largestAVX512(SB), NOSPLIT, $0-20
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	MOVL         $0x7fffffff, AX
	VPBROADCASTD AX, Z31
	VPXORD       Z2, Z2, Z2
	VPXORD       Z3, Z3, Z3

next:
	VPANDD  (SI), Z31, Z0
	VPANDD  64(SI), Z31, Z1
	VPMAXUD Z0, Z2, Z2
	VPMAXUD Z1, Z3, Z3
	ADDQ    $128, SI
	SUBQ    $32, CX
	JNE     next

	VPMAXUD       Z3, Z2, Z0
	VEXTRACTI64X4 $1, Z0, Y1
	VPMAXUD       Y0, Y1, Y0
	VEXTRACTI128  $1, Y0, X1
	VPMAXUD       X0, X1, X0
	VPSHUFD       $0x4e, X0, X1
	VPMAXUD       X0, X1, X0
	VPSHUFD       $0xb1, X0, X1
	VPMAXUD       X0, X1, X0
	VMOVD         X0, AX
	MOVL          AX, ret+16(FP)
	VZEROUPPER
	RET
