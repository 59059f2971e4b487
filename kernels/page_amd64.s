#include "textflag.h"
#include "amx_amd64.h"
#include "transpose16_amd64.h"

// func pageKeysAMX(dst *uint16, src *float32, n int)
TEXT ·pageKeysAMX(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX

round:
	VMOVUPS   (SI), Z0
	VMOVUPS   64(SI), Z1
	VCVTNE2PS2BF16(0, 1, 0)
	VMOVDQU32 Z0, (DI)
	ADDQ      $128, SI
	ADDQ      $64, DI
	SUBQ      $32, CX
	JNE       round
	VZEROUPPER
	RET

#define CONSTANTS
#define NARROW(i, Zi, Yi) VCVTNEPS2BF16(i, i)
#define PAGEVALUES ·pageValuesAMX
#include "page_amd64.h"
