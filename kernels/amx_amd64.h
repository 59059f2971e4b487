// AMX and AVX512-BF16 instructions, which the Go assembler does not have. A tile is a number 0 … 7, a vector
// register a number 0 … 31, a general register one of the names below; addresses are base + index + disp, where
// for tiles the index is the number of bytes from one row to the next.
//
// Rules for a function with tiles: AMX_BEGIN first, AMX_END before RET; at most 100 µs in between, because a
// garbage collection waits for assembly; never more than one goroutine's work, so that no tile outlives the call.

#define rAX 0
#define rCX 1
#define rDX 2
#define rBX 3
#define rSI 6
#define rDI 7
#define r8 8
#define r9 9
#define r10 10
#define r11 11
#define r12 12
#define r13 13
#define r14 14
#define r15 15

// amxTiles configures all eight tiles as 16 rows of 64 bytes (palette 1).
DATA amxTiles<>+0(SB)/8, $1
DATA amxTiles<>+8(SB)/8, $0
DATA amxTiles<>+16(SB)/8, $0x0040004000400040
DATA amxTiles<>+24(SB)/8, $0x0040004000400040
DATA amxTiles<>+32(SB)/8, $0
DATA amxTiles<>+40(SB)/8, $0
DATA amxTiles<>+48(SB)/8, $0x1010101010101010
DATA amxTiles<>+56(SB)/8, $0
GLOBL amxTiles<>(SB), RODATA|NOPTR, $64

// LDTILECFG loads the configuration at base and zeroes all tiles. base is not R12 or R13.
#define LDTILECFG(base) \
	BYTE $0xc4; BYTE $(0xc2|(~(base)&8)<<2); BYTE $0x78; BYTE $0x49; BYTE $((base)&7)

#define TILERELEASE BYTE $0xc4; BYTE $0xe2; BYTE $0x78; BYTE $0x49; BYTE $0xc0

// AMX_BEGIN configures the tiles; it changes AX.
#define AMX_BEGIN \
	MOVQ $amxTiles<>(SB), AX \
	LDTILECFG(rAX)

// AMX_END gives the tiles up: a context switch need not save them any more.
#define AMX_END \
	TILERELEASE \
	VZEROUPPER

#define TILEZERO(t) BYTE $0xc4; BYTE $0xe2; BYTE $0x7b; BYTE $0x49; BYTE $(0xc0|(t)<<3)

#define TILEMEM(pp, t, base, index, disp) \
	BYTE $0xc4; BYTE $(0x82|(~(index)&8)<<3|(~(base)&8)<<2); BYTE $(0x78|pp); BYTE $0x4b; \
	BYTE $(0x84|(t)<<3); BYTE $(((index)&7)<<3|(base)&7); LONG $(disp)

// TILELOADD loads a tile; TILELOADDT1 the same past the first-level cache, for an operand that is read once.
#define TILELOADD(t, base, index, disp) TILEMEM(3, t, base, index, disp)
#define TILELOADDT1(t, base, index, disp) TILEMEM(1, t, base, index, disp)
#define TILESTORED(t, base, index, disp) TILEMEM(2, t, base, index, disp)

// TDPBF16PS adds to tile d [16, 16] float32 the product of a [16, 32] bf16 and b [32, 16] bf16, where row r of b
// holds the rows 2r and 2r+1 of the matrix, interleaved (VNNI).
#define TDPBF16PS(d, a, b) \
	BYTE $0xc4; BYTE $0xe2; BYTE $(2|(~(b)&15)<<3); BYTE $0x5c; BYTE $(0xc0|(d)<<3|(a))

// TDPBSUD adds to tile d [16, 16] int32 the product of a [16, 64] signed bytes and b [64, 16] unsigned ones, where row
// r of b holds four rows of the matrix from 4r on, interleaved.
#define TDPBSUD(d, a, b) \
	BYTE $0xc4; BYTE $0xe2; BYTE $(2|(~(b)&15)<<3); BYTE $0x5e; BYTE $(0xc0|(d)<<3|(a))

#define EVEX512(pp, op, d, v, s) \
	BYTE $0x62; BYTE $(2|(~(d)&8)<<4|(~(s)&16)<<2|(~(s)&8)<<2|(~(d)&16)); BYTE $(4|pp|(~(v)&15)<<3); \
	BYTE $(0x40|(~(v)&16)>>1); BYTE $(op); BYTE $(0xc0|((d)&7)<<3|(s)&7)

// VCVTNE2PS2BF16 rounds the float32 of Zlo and Zhi to bf16 in the lower and upper half of Zd, to nearest even;
// subnormals become zeros, as in TDPBF16PS.
#define VCVTNE2PS2BF16(d, hi, lo) EVEX512(3, 0x72, d, hi, lo)

// VCVTNEPS2BF16 rounds the float32 of Zs to bf16 in Yd.
#define VCVTNEPS2BF16(d, s) EVEX512(2, 0x72, d, 0, s)

// PREFETCHW fetches a line that is to be written; disp is 0 … 127.
#define PREFETCHW(base, index, disp) \
	BYTE $(0x40|(index)>>3<<1|(base)>>3); BYTE $0x0f; BYTE $0x0d; BYTE $0x4c; BYTE $(((index)&7)<<3|(base)&7); \
	BYTE $(disp)
