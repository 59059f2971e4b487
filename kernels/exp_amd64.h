// Constants of e^x in base 2: log2 e in two parts, the minimax polynomial of 2^f on [-½, ½] with 2^0 = 1 (3e-9
// relatively) from the top, 1, and exp.go's expMin.
DATA exp2Const<>+0(SB)/4, $1.44269502162933349609375
DATA exp2Const<>+4(SB)/4, $1.92596299112661746887e-8
DATA exp2Const<>+8(SB)/4, $1.559467569701510541e-4
DATA exp2Const<>+12(SB)/4, $1.3406643847480061e-3
DATA exp2Const<>+16(SB)/4, $9.617692976143188e-3
DATA exp2Const<>+20(SB)/4, $5.550310551206981e-2
DATA exp2Const<>+24(SB)/4, $2.4022652782876178e-1
DATA exp2Const<>+28(SB)/4, $6.93147214967885e-1
DATA exp2Const<>+32(SB)/4, $1.0
DATA exp2Const<>+36(SB)/4, $-87.33654
GLOBL exp2Const<>(SB), RODATA|NOPTR, $40

#define EXPCONST \
	VBROADCASTSS exp2Const<>+0(SB), LOG2E   \
	VBROADCASTSS exp2Const<>+4(SB), LOG2ELO \
	VBROADCASTSS exp2Const<>+8(SB), E6      \
	VBROADCASTSS exp2Const<>+12(SB), E5     \
	VBROADCASTSS exp2Const<>+16(SB), E4     \
	VBROADCASTSS exp2Const<>+20(SB), E3     \
	VBROADCASTSS exp2Const<>+24(SB), E2     \
	VBROADCASTSS exp2Const<>+28(SB), E1     \
	VBROADCASTSS exp2Const<>+32(SB), ONE    \
	VBROADCASTSS exp2Const<>+36(SB), EXPMIN
