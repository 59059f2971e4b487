// SUM8 leaves in lane i of Y0 the sum of the eight lanes of Yi, i = 0 … 7. All go through one and the same tree
// ((0+1)+(2+3))+((4+5)+(6+7)), so the result does not depend on i. Y8 is scratch.
#define SUM8 \
	VHADDPS    Y1, Y0, Y0        \
	VHADDPS    Y3, Y2, Y2        \
	VHADDPS    Y5, Y4, Y4        \
	VHADDPS    Y7, Y6, Y6        \
	VHADDPS    Y2, Y0, Y0        \ // [0 1 2 3 | 0 1 2 3]
	VHADDPS    Y6, Y4, Y4        \ // [4 5 6 7 | 4 5 6 7]
	VPERM2F128 $0x20, Y4, Y0, Y8 \
	VPERM2F128 $0x31, Y4, Y0, Y0 \
	VADDPS     Y8, Y0, Y0

#define ZERO8 \
	VXORPS Y0, Y0, Y0 \
	VXORPS Y1, Y1, Y1 \
	VXORPS Y2, Y2, Y2 \
	VXORPS Y3, Y3, Y3 \
	VXORPS Y4, Y4, Y4 \
	VXORPS Y5, Y5, Y5 \
	VXORPS Y6, Y6, Y6 \
	VXORPS Y7, Y7, Y7

// FMA4 adds to a … d the products of Y8 with a vector of each of four rows at P, AX bytes apart. BX is 3·AX.
#define FMA4(P, a, b, c, d) \
	VFMADD231PS (P), Y8, a       \
	VFMADD231PS (P)(AX*1), Y8, b \
	VFMADD231PS (P)(AX*2), Y8, c \
	VFMADD231PS (P)(BX*1), Y8, d \
	ADDQ        $32, P
