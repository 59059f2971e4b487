#include "textflag.h"
#include "amx_amd64.h"
#include "transpose16_amd64.h"

// Attention of one tile (sixteen queries) to one page (64 keys) after the other, in bf16:
//
//	S [64 keys, 16 queries] = -m + K·Qᵀ             m: the running maximum, so that S is the exponent of 2
//	P [64 keys, 16 queries] = 2^S, rounded          packed in pairs of keys as AMX wants its second operand
//	O [d, 16 queries]      += Vᵀ·P                  and sums += 1·P
//
// While the vector units turn S into P for one unit, the tile unit adds up O for the unit before and computes S for
// the unit after; hence two blocks of S and of P. m is a whole number and is raised only when a score exceeds it,
// which the signs of S tell: then P is made anew, and O and the sums fade (flashRaise). What a query gets from a unit
// thus depends on its own scores alone.
//
// Registers: R8 the unit, DX and CX this and the next block of S, DI and BX this and the previous block of P,
// SI keys and AX tile of the next unit, R13 values and R15 tile of the previous one, R10 = 64, R11 = 128,
// R12 = 2·d (bytes of a key), R9 = 0, R14 scratch. Tiles: 0 … 3 sums of products, 4 first and 5 second operand,
// 6 the sums of weights, 7 ones.

// Offsets in flashUnit and in a tile; the unit before and after lie 64 bytes away.
#define uK 0
#define uV 8
#define uTile 16
#define uMask 24
#define uUnion 32
#define uAhead 40
#define uLines 48
#define uSize 64
#define tSums 64
#define tGate 128
#define tQuery 256

// flashTiles is the configuration: tiles 6 and 7 have one row.
DATA flashTiles<>+0(SB)/8, $1
DATA flashTiles<>+8(SB)/8, $0
DATA flashTiles<>+16(SB)/8, $0x0040004000400040
DATA flashTiles<>+24(SB)/8, $0x0040004000400040
DATA flashTiles<>+32(SB)/8, $0
DATA flashTiles<>+40(SB)/8, $0
DATA flashTiles<>+48(SB)/8, $0x0101101010101010
DATA flashTiles<>+56(SB)/8, $0
GLOBL flashTiles<>(SB), RODATA|NOPTR, $64

// flashOnes is a row of ones in bf16, 64 bytes.
DATA flashOnes<>+0(SB)/8, $0x3f803f803f803f80
DATA flashOnes<>+8(SB)/8, $0x3f803f803f803f80
DATA flashOnes<>+16(SB)/8, $0x3f803f803f803f80
DATA flashOnes<>+24(SB)/8, $0x3f803f803f803f80
DATA flashOnes<>+32(SB)/8, $0x3f803f803f803f80
DATA flashOnes<>+40(SB)/8, $0x3f803f803f803f80
DATA flashOnes<>+48(SB)/8, $0x3f803f803f803f80
DATA flashOnes<>+56(SB)/8, $0x3f803f803f803f80
GLOBL flashOnes<>(SB), RODATA|NOPTR, $64

// The polynomial of weightBF16 from the top, the constant with half a place of bf16; then -Inf, 1 and -1.
DATA flashConst<>+0(SB)/4, $0.07802452266443263
DATA flashConst<>+4(SB)/4, $0.22606715539312927
DATA flashConst<>+8(SB)/4, $0.6958335405064481
DATA flashConst<>+12(SB)/4, $1.00383146856401
DATA flashConst<>+16(SB)/4, $0xff800000
DATA flashConst<>+20(SB)/4, $1.0
DATA flashConst<>+24(SB)/4, $-1.0
GLOBL flashConst<>(SB), RODATA|NOPTR, $28

#define BEGIN \
	MOVQ         $flashTiles<>(SB), AX       \
	LDTILECFG(rAX)                           \
	MOVL         $64, R10                    \
	MOVL         $128, R11                   \
	XORL         R9, R9                      \
	MOVQ         $flashOnes<>(SB), AX        \
	TILELOADD(7, rAX, r10, 0)                \
	VBROADCASTSS flashConst<>+0(SB), Z31     \
	VBROADCASTSS flashConst<>+4(SB), Z30     \
	VBROADCASTSS flashConst<>+8(SB), Z29     \
	VBROADCASTSS flashConst<>+12(SB), Z28    \
	MOVL         $0xffff0000, AX             \
	VPBROADCASTD AX, Z27                     \
	LEAQ         4096(DX), CX                \
	LEAQ         8192(DX), DI                \
	LEAQ         10240(DX), BX

// PLAIN jumps unless this unit and its neighbours are about whole pages: then the work can be woven together. A unit
// of half a page, of whose union half is 0, goes through flashUnit.
#define PLAIN(jump) \
	CMPL uUnion(R8), $0             \
	JEQ  jump                       \
	CMPL (uUnion+4)(R8), $0         \
	JEQ  jump                       \
	CMPL (uUnion+uSize)(R8), $0     \
	JEQ  jump                       \
	CMPL (uUnion+uSize+4)(R8), $0   \
	JEQ  jump                       \
	CMPL (uUnion-uSize)(R8), $0     \
	JEQ  jump                       \
	CMPL (uUnion-uSize+4)(R8), $0   \
	JEQ  jump

// NEIGHBOURS loads what belongs to the next and the previous unit.
#define NEIGHBOURS \
	MOVQ (uSize+uK)(R8), SI     \
	MOVQ (uSize+uTile)(R8), AX  \
	MOVQ (uV-uSize)(R8), R13    \
	MOVQ (uTile-uSize)(R8), R15

// FETCH fetches a sixteenth of the unit's share of the next page into the second-level cache, from R14 on.
#define FETCH(again, done) \
	MOVQ       uLines(R8), R9 \
	TESTQ      R9, R9         \
	JEQ        done           \
again: \
	PREFETCHT1 (R14)          \
	ADDQ       $64, R14       \
	DECQ       R9             \
	JNE        again          \
done:

// EXP turns four rows of S at disp(DX) into two of P. X and Y are work for the tile unit in between. The signs of S
// are collected in Z26.
#define EXP(disp, X, Y) \
	VMOVUPS     (disp)(DX), Z0            \
	VMOVUPS     (disp+64)(DX), Z1         \
	VMOVUPS     (disp+128)(DX), Z2        \
	VMOVUPS     (disp+192)(DX), Z3        \
	VREDUCEPS   $1, Z0, Z4                \
	VREDUCEPS   $1, Z1, Z5                \
	VREDUCEPS   $1, Z2, Z6                \
	VREDUCEPS   $1, Z3, Z7                \
	VPTERNLOGD  $0x80, Z0, Z1, Z26        \
	VPTERNLOGD  $0x80, Z2, Z3, Z26        \
	X                                     \
	WEIGHTS(disp, Z0, Z1, Z2, Z3)         \
	Y

// WEIGHTS makes two rows of P at disp/2(DI) of four exponents and their fractions Z4 … Z7.
#define WEIGHTS(disp, a, b, c, d) \
	VMOVAPS     Z31, Z8                   \
	VMOVAPS     Z31, Z9                   \
	VMOVAPS     Z31, Z10                  \
	VMOVAPS     Z31, Z11                  \
	VFMADD213PS Z30, Z4, Z8               \
	VFMADD213PS Z30, Z5, Z9               \
	VFMADD213PS Z30, Z6, Z10              \
	VFMADD213PS Z30, Z7, Z11              \
	VFMADD213PS Z29, Z4, Z8               \
	VFMADD213PS Z29, Z5, Z9               \
	VFMADD213PS Z29, Z6, Z10              \
	VFMADD213PS Z29, Z7, Z11              \
	VFMADD213PS Z28, Z4, Z8               \
	VFMADD213PS Z28, Z5, Z9               \
	VFMADD213PS Z28, Z6, Z10              \
	VFMADD213PS Z28, Z7, Z11              \
	VSCALEFPS   a, Z8, Z8                 \
	VSCALEFPS   b, Z9, Z9                 \
	VSCALEFPS   c, Z10, Z10               \
	VSCALEFPS   d, Z11, Z11               \
	VPSRLD      $16, Z8, Z8               \
	VPSRLD      $16, Z10, Z10             \
	VPTERNLOGD  $0xf8, Z27, Z9, Z8        \
	VPTERNLOGD  $0xf8, Z27, Z11, Z10      \
	VMOVDQU32   Z8, (disp/2)(DI)          \
	VMOVDQU32   Z10, (disp/2+64)(DI)

// GATE begins the collection of signs: queries that have not seen a key always need flashRaise.
#define GATE \
	MOVQ      uTile(R8), R14      \
	VMOVDQU32 tGate(R14), Z26     \
	MOVQ      uAhead(R8), R14

// RAISED sets the carry flag if all signs are minus: no score exceeds its maximum.
#define RAISED \
	VPMOVD2M Z26, K1  \
	KORTESTW K1, K1

// NONE is no work for the tile unit.
#define NONE

// Steps of the tile unit for S: INIT t starts with -m, QUERY loads 32 dimensions of the queries, KEYS multiplies
// sixteen keys with them, KEEP stores.
#define INIT(t) TILELOADD(t, rAX, r9, 0)
#define QUERY(i) TILELOADDT1(5, rAX, r10, tQuery+1024*(i))
#define KEYS(t, i, index, bytes) \
	TILELOADD(4, rSI, index, 16*bytes*(t)+64*(i)) \
	TDPBF16PS(t, 4, 5)
#define KEEP(t) TILESTORED(t, rCX, r10, 1024*(t))

// Steps for O: LOADO and KEEPO take sixteen dimensions of O at off, WEIGHT loads the weights of half a page, SUM adds
// them up, VALUES multiplies sixteen dimensions of the values with them.
#define LOADO(t, off, i) TILELOADDT1(t, r15, r10, off+1024*(i))
#define KEEPO(t, off, i) TILESTORED(t, r15, r10, off+1024*(i))
#define LOADSUM TILELOADD(6, r15, r10, tSums)
#define KEEPSUM TILESTORED(6, r15, r10, tSums)
#define WEIGHT(half) TILELOADD(5, rBX, r10, 1024*(half))
#define SUM TDPBF16PS(6, 7, 5)
#define VALUES(t, i, half) \
	TILELOADD(4, r13, r11, 2048*(i)+64*(half)) \
	TDPBF16PS(t, 4, 5)

// FIRST computes S of the first unit.
#define FIRST \
	MOVQ  uK(R8), SI           \
	MOVQ  uTile(R8), AX        \
	MOVQ  R8, R14              \
	XCHGQ DX, CX               \
	CALL  flashScores<>(SB)    \
	XCHGQ DX, CX

// RAISE makes good a unit in which a score exceeds its maximum. If the next unit is the same tile's, its S depended on
// the maximum.
#define RAISE(next) \
	CALL flashRaise<>(SB)         \
	MOVQ (uSize+uTile)(R8), AX    \
	CMPQ AX, uTile(R8)            \
	JNE  next                     \
	MOVQ (uSize+uK)(R8), SI       \
	LEAQ uSize(R8), R14           \
	CALL flashScores<>(SB)

// NEXT turns to the next unit.
#define NEXT \
	XCHGQ DX, CX    \
	XCHGQ DI, BX    \
	ADDQ  $64, R8   \
	DECQ  left-8(SP)

// LAST adds up O of the last unit.
#define LAST \
	NEIGHBOURS              \
	LEAQ -uSize(R8), SI     \
	CALL flashValues<>(SB)  \
	AMX_END

// func flashAMX64(units *flashUnit, n int, scratch *byte, d int)
TEXT ·flashAMX64(SB), NOSPLIT, $24-32
	MOVQ scratch+16(FP), DX
	BEGIN
	MOVQ units+0(FP), R8
	MOVQ n+8(FP), AX
	MOVQ AX, left-8(SP)
	MOVL $128, R12
	FIRST

unit:
	MOVQ  uMask(R8), R14
	TESTQ R14, R14
	JEQ   visible
	CALL  flashMask<>(SB)

visible:
	PLAIN(half)
	NEIGHBOURS
	GATE
	FETCH(fetch0, fetched0)
	EXP(0, LOADO(0, 2304, 0); LOADO(1, 2304, 1), LOADO(2, 2304, 2); LOADO(3, 2304, 3))
	FETCH(fetch1, fetched1)
	EXP(256, LOADSUM; WEIGHT(0), VALUES(0, 0, 0))
	FETCH(fetch2, fetched2)
	EXP(512, VALUES(1, 1, 0), VALUES(2, 2, 0))
	FETCH(fetch3, fetched3)
	EXP(768, VALUES(3, 3, 0), SUM)
	FETCH(fetch4, fetched4)
	EXP(1024, WEIGHT(1), VALUES(0, 0, 1))
	FETCH(fetch5, fetched5)
	EXP(1280, VALUES(1, 1, 1), VALUES(2, 2, 1))
	FETCH(fetch6, fetched6)
	EXP(1536, VALUES(3, 3, 1), SUM)
	FETCH(fetch7, fetched7)
	EXP(1792, KEEPO(0, 2304, 0); KEEPO(1, 2304, 1), KEEPO(2, 2304, 2); KEEPO(3, 2304, 3); KEEPSUM)
	FETCH(fetch8, fetched8)
	EXP(2048, INIT(0); INIT(1), INIT(2); INIT(3))
	FETCH(fetch9, fetched9)
	EXP(2304, QUERY(0); KEYS(0, 0, r11, 128), KEYS(1, 0, r11, 128))
	FETCH(fetch10, fetched10)
	EXP(2560, KEYS(2, 0, r11, 128), KEYS(3, 0, r11, 128))
	FETCH(fetch11, fetched11)
	EXP(2816, QUERY(1); KEYS(0, 1, r11, 128), KEYS(1, 1, r11, 128))
	FETCH(fetch12, fetched12)
	EXP(3072, KEYS(2, 1, r11, 128), KEYS(3, 1, r11, 128))
	FETCH(fetch13, fetched13)
	EXP(3328, NONE, KEEP(0))
	FETCH(fetch14, fetched14)
	EXP(3584, KEEP(1), KEEP(2))
	FETCH(fetch15, fetched15)
	EXP(3840, NONE, KEEP(3))
raised:
	RAISED
	JCS next
	RAISE(next)

next:
	NEXT
	JNE unit
	LAST
	RET

half:
	CALL flashUnit<>(SB)
	JMP  raised

// func flashAMX128(units *flashUnit, n int, scratch *byte, d int)
TEXT ·flashAMX128(SB), NOSPLIT, $24-32
	MOVQ scratch+16(FP), DX
	BEGIN
	MOVQ units+0(FP), R8
	MOVQ n+8(FP), AX
	MOVQ AX, left-8(SP)
	MOVL $256, R12
	FIRST

unit:
	MOVQ  uMask(R8), R14
	TESTQ R14, R14
	JEQ   visible
	CALL  flashMask<>(SB)

visible:
	PLAIN(half)
	NEIGHBOURS
	GATE
	FETCH(fetch0, fetched0)
	EXP(0, LOADO(0, 4352, 0); LOADO(1, 4352, 1); LOADO(2, 4352, 2); LOADO(3, 4352, 3); LOADSUM, WEIGHT(0); VALUES(0, 0, 0))
	FETCH(fetch1, fetched1)
	EXP(256, VALUES(1, 1, 0); VALUES(2, 2, 0), VALUES(3, 3, 0); SUM)
	FETCH(fetch2, fetched2)
	EXP(512, WEIGHT(1); VALUES(0, 0, 1), VALUES(1, 1, 1); VALUES(2, 2, 1))
	FETCH(fetch3, fetched3)
	EXP(768, VALUES(3, 3, 1); SUM, KEEPO(0, 4352, 0); KEEPO(1, 4352, 1))
	FETCH(fetch4, fetched4)
	EXP(1024, KEEPO(2, 4352, 2); KEEPO(3, 4352, 3); KEEPSUM, LOADO(0, 4352, 4); LOADO(1, 4352, 5); LOADO(2, 4352, 6); LOADO(3, 4352, 7))
	FETCH(fetch5, fetched5)
	EXP(1280, WEIGHT(0); VALUES(0, 4, 0), VALUES(1, 5, 0); VALUES(2, 6, 0))
	FETCH(fetch6, fetched6)
	EXP(1536, VALUES(3, 7, 0), WEIGHT(1); VALUES(0, 4, 1))
	FETCH(fetch7, fetched7)
	EXP(1792, VALUES(1, 5, 1); VALUES(2, 6, 1), VALUES(3, 7, 1))
	FETCH(fetch8, fetched8)
	EXP(2048, KEEPO(0, 4352, 4); KEEPO(1, 4352, 5), KEEPO(2, 4352, 6); KEEPO(3, 4352, 7))
	FETCH(fetch9, fetched9)
	EXP(2304, INIT(0); INIT(1); INIT(2); INIT(3), QUERY(0); KEYS(0, 0, r12, 256))
	FETCH(fetch10, fetched10)
	EXP(2560, KEYS(1, 0, r12, 256); KEYS(2, 0, r12, 256), KEYS(3, 0, r12, 256))
	FETCH(fetch11, fetched11)
	EXP(2816, QUERY(1); KEYS(0, 1, r12, 256); KEYS(1, 1, r12, 256), KEYS(2, 1, r12, 256); KEYS(3, 1, r12, 256))
	FETCH(fetch12, fetched12)
	EXP(3072, QUERY(2); KEYS(0, 2, r12, 256); KEYS(1, 2, r12, 256), KEYS(2, 2, r12, 256); KEYS(3, 2, r12, 256))
	FETCH(fetch13, fetched13)
	EXP(3328, QUERY(3); KEYS(0, 3, r12, 256); KEYS(1, 3, r12, 256), KEYS(2, 3, r12, 256); KEYS(3, 3, r12, 256))
	FETCH(fetch14, fetched14)
	EXP(3584, NONE, KEEP(0))
	FETCH(fetch15, fetched15)
	EXP(3840, KEEP(1); KEEP(2), KEEP(3))
raised:
	RAISED
	JCS next
	RAISE(next)

next:
	NEXT
	JNE unit
	LAST
	RET

half:
	CALL flashUnit<>(SB)
	JMP  raised

// func flashAMX(units *flashUnit, n int, scratch *byte, d int)
TEXT ·flashAMX(SB), NOSPLIT, $24-32
	MOVQ scratch+16(FP), DX
	BEGIN
	MOVQ units+0(FP), R8
	MOVQ n+8(FP), AX
	MOVQ AX, left-8(SP)
	MOVQ d+24(FP), R12
	SHLQ $1, R12
	FIRST

unit:
	MOVQ  uMask(R8), R14
	TESTQ R14, R14
	JEQ   visible
	CALL  flashMask<>(SB)

visible:
	CALL flashUnit<>(SB)
	RAISED
	JCS  next
	RAISE(next)

next:
	NEXT
	JNE unit
	LAST
	RET

// flashUnit does a unit's work, one thing after the other, but for what RAISED asks for. It changes AX, SI and R13 to R15.
TEXT flashUnit<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ (uV-uSize)(R8), R13
	MOVQ (uTile-uSize)(R8), R15
	LEAQ -uSize(R8), SI
	CALL flashValues<>(SB)
	MOVQ (uSize+uK)(R8), SI
	MOVQ (uSize+uTile)(R8), AX
	LEAQ uSize(R8), R14
	CALL flashScores<>(SB)
	GATE
	MOVQ DX, SI
	MOVQ DI, AX
	MOVL $16, R13
	CMPL (uUnion+4)(R8), $0
	JNE  upper
	MOVL $8, R13

upper:
	CMPL uUnion(R8), $0
	JNE  rows
	ADDQ $2048, DX
	ADDQ $1024, DI
	MOVL $8, R13

rows:
	FETCH(fetch, fetched)
	EXP(0, NONE, NONE)
	ADDQ $256, DX
	ADDQ $128, DI
	DECQ R13
	JNE  rows
	MOVQ SI, DX
	MOVQ AX, DI
	RET

// flashScores computes S of the keys at SI, the tile at AX and the union in the unit at R14 to CX. It changes SI, AX,
// R13, R14 and R15.
TEXT flashScores<>(SB), NOSPLIT|NOFRAME, $0-0
	INIT(0)
	INIT(1)
	MOVQ R12, R13
	SHLQ $4, R13
	CMPL uUnion(R14), $0
	JEQ  upper
	CMPL (uUnion+4)(R14), $0
	JEQ  lower
	INIT(2)
	INIT(3)
	LEAQ (SI)(R13*1), R14
	LEAQ (SI)(R13*2), R15
	ADDQ R15, R13
	MOVQ R12, R9
	SHRQ $6, R9

dims:
	TILELOADD(5, rAX, r10, tQuery)
	TILELOADD(4, rSI, r12, 0)
	TDPBF16PS(0, 4, 5)
	TILELOADD(4, r14, r12, 0)
	TDPBF16PS(1, 4, 5)
	TILELOADD(4, r15, r12, 0)
	TDPBF16PS(2, 4, 5)
	TILELOADD(4, r13, r12, 0)
	TDPBF16PS(3, 4, 5)
	ADDQ $1024, AX
	ADDQ $64, SI
	ADDQ $64, R13
	ADDQ $64, R14
	ADDQ $64, R15
	DECQ R9
	JNE  dims
	KEEP(0)
	KEEP(1)
	KEEP(2)
	KEEP(3)
	RET

upper:
	LEAQ 2048(CX), R15
	LEAQ (SI)(R13*2), SI
	JMP  half

lower:
	MOVQ CX, R15

half:
	LEAQ (SI)(R13*1), R14
	MOVQ R12, R9
	SHRQ $6, R9

halfDims:
	TILELOADD(5, rAX, r10, tQuery)
	TILELOADD(4, rSI, r12, 0)
	TDPBF16PS(0, 4, 5)
	TILELOADD(4, r14, r12, 0)
	TDPBF16PS(1, 4, 5)
	ADDQ $1024, AX
	ADDQ $64, SI
	ADDQ $64, R14
	DECQ R9
	JNE  halfDims
	TILESTORED(0, r15, r10, 0)
	TILESTORED(1, r15, r10, 1024)
	RET

// flashValues adds to O and the sums of the tile at R15 the weights at BX with the values at R13, for the union in the
// unit at SI. It changes AX, SI, R13 and R14.
TEXT flashValues<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ R12, AX
	SHLQ $4, AX
	LEAQ 256(R15)(AX*1), AX
	MOVQ R12, R14
	SHRQ $6, R14
	LOADSUM
	CMPL uUnion(SI), $0
	JEQ  upper
	CMPL (uUnion+4)(SI), $0
	JEQ  lower
	TILELOADD(5, rBX, r10, 0)
	SUM
	TILELOADD(5, rBX, r10, 1024)
	SUM
	KEEPSUM

dims:
	TILELOADD(0, rAX, r10, 0)
	TILELOADD(1, rAX, r10, 1024)
	TILELOADD(5, rBX, r10, 0)
	VALUES(0, 0, 0)
	VALUES(1, 1, 0)
	TILELOADD(5, rBX, r10, 1024)
	VALUES(0, 0, 1)
	VALUES(1, 1, 1)
	TILESTORED(0, rAX, r10, 0)
	TILESTORED(1, rAX, r10, 1024)
	ADDQ $2048, AX
	ADDQ $4096, R13
	DECQ R14
	JNE  dims
	RET

upper:
	LEAQ 1024(BX), SI
	ADDQ $64, R13
	JMP  half

lower:
	MOVQ BX, SI

half:
	TILELOADD(5, rSI, r10, 0)
	SUM
	KEEPSUM

halfDims:
	TILELOADD(0, rAX, r10, 0)
	TILELOADD(1, rAX, r10, 1024)
	VALUES(0, 0, 0)
	VALUES(1, 1, 0)
	TILESTORED(0, rAX, r10, 0)
	TILESTORED(1, rAX, r10, 1024)
	ADDQ $2048, AX
	ADDQ $4096, R13
	DECQ R14
	JNE  halfDims
	RET

// flashMask sets S to -Inf where the mask at R14 is 0. It changes SI.
TEXT flashMask<>(SB), NOSPLIT|NOFRAME, $0-0
	VMOVDQU32    (R14), Z0
	VMOVDQU32    64(R14), Z1
	MOVL         $1, SI
	VPBROADCASTD SI, Z2
	VBROADCASTSS flashConst<>+16(SB), Z3
	MOVQ         DX, SI
	MOVL         $32, R14

rows:
	VPTESTNMD Z2, Z0, K1
	VPTESTNMD Z2, Z1, K2
	VMOVUPS   Z3, K1, (SI)
	VMOVUPS   Z3, K2, 2048(SI)
	VPSLLD    $1, Z2, Z2
	ADDQ      $64, SI
	DECQ      R14
	JNE       rows
	RET

// flashRaise raises the unit's maxima to what S asks for, lets O and the sums fade, and makes P anew. It changes AX, SI
// and R13 to R15.
TEXT flashRaise<>(SB), NOSPLIT|NOFRAME, $0-0
	// R13 quadruples of rows from SI on.
	MOVQ DX, SI
	MOVL $16, R13
	CMPL (uUnion+4)(R8), $0
	JNE  upper
	MOVL $8, R13

upper:
	CMPL uUnion(R8), $0
	JNE  lower
	ADDQ $2048, SI
	MOVL $8, R13

lower:
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z1
	VMOVUPS 128(SI), Z2
	VMOVUPS 192(SI), Z3
	LEAQ    -1(R13), AX
	MOVQ    SI, R15
	ADDQ    $256, SI

highest:
	VMAXPS (SI), Z0, Z0
	VMAXPS 64(SI), Z1, Z1
	VMAXPS 128(SI), Z2, Z2
	VMAXPS 192(SI), Z3, Z3
	ADDQ   $256, SI
	DECQ   AX
	JNE    highest
	VMAXPS Z1, Z0, Z0
	VMAXPS Z3, Z2, Z2
	VMAXPS Z2, Z0, Z0

	// Z12: by how much. Queries that see a key for the first time (K2 but not K1) may go down.
	MOVQ         uTile(R8), R14
	VBROADCASTSS flashConst<>+16(SB), Z5
	VCMPPS       $4, Z5, Z0, K2
	VMOVDQU32    tGate(R14), Z4
	VPMOVD2M     Z4, K1
	VRNDSCALEPS  $2, Z0, Z12
	VPXORQ       Z6, Z6, Z6
	VMAXPS       Z12, Z6, K1, Z12
	VMOVAPS.Z    Z12, K2, Z12
	VMOVUPS      (R14), Z7
	VSUBPS       Z12, Z7, Z7
	VMOVUPS      Z7, (R14)
	VBROADCASTSS flashConst<>+24(SB), K2, Z4
	VMOVDQU32    Z4, tGate(R14)

	VBROADCASTSS flashConst<>+20(SB), Z3
	VSUBPS       Z12, Z6, Z8
	VSCALEFPS    Z8, Z3, K1, Z3
	VMULPS       tSums(R14), Z3, Z9
	VMOVUPS      Z9, tSums(R14)
	MOVQ         R12, SI
	SHLQ         $4, SI
	LEAQ         256(R14)(SI*1), SI
	MOVQ         R12, AX
	SHRQ         $2, AX

fade:
	VMULPS  (SI), Z3, Z8
	VMULPS  64(SI), Z3, Z9
	VMOVUPS Z8, (SI)
	VMOVUPS Z9, 64(SI)
	ADDQ    $128, SI
	DECQ    AX
	JNE     fade

	MOVQ R15, SI
	SUBQ DX, R15
	SHRQ $1, R15
	MOVQ DI, R14
	ADDQ R15, DI

weights:
	VMOVUPS   (SI), Z0
	VMOVUPS   64(SI), Z1
	VMOVUPS   128(SI), Z2
	VMOVUPS   192(SI), Z3
	VSUBPS    Z12, Z0, Z0
	VSUBPS    Z12, Z1, Z1
	VSUBPS    Z12, Z2, Z2
	VSUBPS    Z12, Z3, Z3
	VREDUCEPS $1, Z0, Z4
	VREDUCEPS $1, Z1, Z5
	VREDUCEPS $1, Z2, Z6
	VREDUCEPS $1, Z3, Z7
	WEIGHTS(0, Z0, Z1, Z2, Z3)
	ADDQ      $256, SI
	ADDQ      $128, DI
	DECQ      R13
	JNE       weights
	MOVQ      R14, DI
	RET

// PACKROW scales and rounds 32 dimensions of a query.
#define PACKROW(i, from) \
	VMULPS from, Z20, Z21      \
	VMULPS 64 from, Z20, Z22   \
	VCVTNE2PS2BF16(i, 22, 21)

// func flashPackAMX(dst *uint16, q *float32, d int, scale float32)
TEXT ·flashPackAMX(SB), NOSPLIT, $0-28
	MOVQ         dst+0(FP), DI
	MOVQ         q+8(FP), R8
	MOVQ         d+16(FP), CX
	VBROADCASTSS scale+24(FP), Z20
	MOVQ         CX, AX
	SHLQ         $2, AX
	LEAQ         (AX)(AX*2), BX

dims:
	LEAQ (R8)(AX*4), R9
	LEAQ (R9)(AX*4), R10
	LEAQ (R10)(AX*4), R11
	PACKROW(0, (R8))
	PACKROW(1, (R8)(AX*1))
	PACKROW(2, (R8)(AX*2))
	PACKROW(3, (R8)(BX*1))
	PACKROW(4, (R9))
	PACKROW(5, (R9)(AX*1))
	PACKROW(6, (R9)(AX*2))
	PACKROW(7, (R9)(BX*1))
	PACKROW(8, (R10))
	PACKROW(9, (R10)(AX*1))
	PACKROW(10, (R10)(AX*2))
	PACKROW(11, (R10)(BX*1))
	PACKROW(12, (R11))
	PACKROW(13, (R11)(AX*1))
	PACKROW(14, (R11)(AX*2))
	PACKROW(15, (R11)(BX*1))
	TRANSPOSE16
	ROWS16DENSE
	ADDQ $1024, DI
	ADDQ $128, R8
	SUBQ $32, CX
	JNE  dims
	VZEROUPPER
	RET

// func flashCleanAMX(dst, v unsafe.Pointer, union uint64, d int)
TEXT ·flashCleanAMX(SB), NOSPLIT, $0-32
	MOVQ  dst+0(FP), DI
	MOVQ  v+8(FP), SI
	MOVQ  union+16(FP), AX
	MOVQ  d+24(FP), CX
	KMOVD AX, K1
	SHRQ  $32, AX
	KMOVD AX, K2

dims:
	VMOVDQU16.Z (SI), K1, Z0
	VMOVDQU16.Z 64(SI), K2, Z1
	VMOVDQU16   Z0, (DI)
	VMOVDQU16   Z1, 64(DI)
	ADDQ        $128, SI
	ADDQ        $128, DI
	DECQ        CX
	JNE         dims
	VZEROUPPER
	RET
