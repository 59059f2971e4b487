// TRANSPOSE16 transposes the 16×16 matrix of dwords whose rows are Z0 … Z15. Z16 … Z19 are scratch.
#define TRANSPOSE16 \
	TRANSPOSE4(Z0, Z1, Z2, Z3)     \
	TRANSPOSE4(Z4, Z5, Z6, Z7)     \
	TRANSPOSE4(Z8, Z9, Z10, Z11)   \
	TRANSPOSE4(Z12, Z13, Z14, Z15) \
	QUARTERS4(Z0, Z4, Z8, Z12)     \
	QUARTERS4(Z1, Z5, Z9, Z13)     \
	QUARTERS4(Z2, Z6, Z10, Z14)    \
	QUARTERS4(Z3, Z7, Z11, Z15)

// TRANSPOSE4 transposes the 4×4 dwords in each quarter of four registers.
#define TRANSPOSE4(a, b, c, d) \
	VUNPCKLPS b, a, Z16    \
	VUNPCKHPS b, a, Z17    \
	VUNPCKLPS d, c, Z18    \
	VUNPCKHPS d, c, Z19    \
	VUNPCKLPD Z18, Z16, a  \
	VUNPCKHPD Z18, Z16, b  \
	VUNPCKLPD Z19, Z17, c  \
	VUNPCKHPD Z19, Z17, d

// QUARTERS4 transposes the 4×4 matrix of the quarters of four registers.
#define QUARTERS4(a, b, c, d) \
	VSHUFF64X2 $0x44, b, a, Z16   \
	VSHUFF64X2 $0xee, b, a, Z17   \
	VSHUFF64X2 $0x44, d, c, Z18   \
	VSHUFF64X2 $0xee, d, c, Z19   \
	VSHUFF64X2 $0x88, Z18, Z16, a \
	VSHUFF64X2 $0xdd, Z18, Z16, b \
	VSHUFF64X2 $0x88, Z19, Z17, c \
	VSHUFF64X2 $0xdd, Z19, Z17, d

// LOAD16 loads Z0 … Z15 from sixteen rows AX bytes apart, from R8 on; BX is 3·AX. It changes R9, R10 and R11.
#define LOAD16 \
	LEAQ    (R8)(AX*4), R9    \
	LEAQ    (R9)(AX*4), R10   \
	LEAQ    (R10)(AX*4), R11  \
	VMOVUPS (R8), Z0          \
	VMOVUPS (R8)(AX*1), Z1    \
	VMOVUPS (R8)(AX*2), Z2    \
	VMOVUPS (R8)(BX*1), Z3    \
	VMOVUPS (R9), Z4          \
	VMOVUPS (R9)(AX*1), Z5    \
	VMOVUPS (R9)(AX*2), Z6    \
	VMOVUPS (R9)(BX*1), Z7    \
	VMOVUPS (R10), Z8         \
	VMOVUPS (R10)(AX*1), Z9   \
	VMOVUPS (R10)(AX*2), Z10  \
	VMOVUPS (R10)(BX*1), Z11  \
	VMOVUPS (R11), Z12        \
	VMOVUPS (R11)(AX*1), Z13  \
	VMOVUPS (R11)(AX*2), Z14  \
	VMOVUPS (R11)(BX*1), Z15

// STORE16 is the opposite of LOAD16.
#define STORE16 \
	LEAQ    (R8)(AX*4), R9    \
	LEAQ    (R9)(AX*4), R10   \
	LEAQ    (R10)(AX*4), R11  \
	VMOVUPS Z0, (R8)          \
	VMOVUPS Z1, (R8)(AX*1)    \
	VMOVUPS Z2, (R8)(AX*2)    \
	VMOVUPS Z3, (R8)(BX*1)    \
	VMOVUPS Z4, (R9)          \
	VMOVUPS Z5, (R9)(AX*1)    \
	VMOVUPS Z6, (R9)(AX*2)    \
	VMOVUPS Z7, (R9)(BX*1)    \
	VMOVUPS Z8, (R10)         \
	VMOVUPS Z9, (R10)(AX*1)   \
	VMOVUPS Z10, (R10)(AX*2)  \
	VMOVUPS Z11, (R10)(BX*1)  \
	VMOVUPS Z12, (R11)        \
	VMOVUPS Z13, (R11)(AX*1)  \
	VMOVUPS Z14, (R11)(AX*2)  \
	VMOVUPS Z15, (R11)(BX*1)

// ROWS16DENSE stores Z0 … Z15 one after the other from DI on.
#define ROWS16DENSE \
	VMOVUPS Z0, (DI)      \
	VMOVUPS Z1, 64(DI)    \
	VMOVUPS Z2, 128(DI)   \
	VMOVUPS Z3, 192(DI)   \
	VMOVUPS Z4, 256(DI)   \
	VMOVUPS Z5, 320(DI)   \
	VMOVUPS Z6, 384(DI)   \
	VMOVUPS Z7, 448(DI)   \
	VMOVUPS Z8, 512(DI)   \
	VMOVUPS Z9, 576(DI)   \
	VMOVUPS Z10, 640(DI)  \
	VMOVUPS Z11, 704(DI)  \
	VMOVUPS Z12, 768(DI)  \
	VMOVUPS Z13, 832(DI)  \
	VMOVUPS Z14, 896(DI)  \
	VMOVUPS Z15, 960(DI)
