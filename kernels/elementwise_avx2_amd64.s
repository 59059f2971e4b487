#include "textflag.h"
#include "exp8_amd64.h"
#include "exp_amd64.h"

#define ADD ·addAVX2
#define SCALEBY ·scaleByAVX2
#define ADDSCALED ·addScaledAVX2
#define SILUMUL ·siluMulAVX2
#define SUMSQUARES ·sumSquaresAVX2
#define NORMALIZE ·normalizeAVX2
#define ROTATE ·rotateAVX2
#define MINMAX ·minMaxAVX2
#include "elementwise_amd64.h"

#define MAXOF ·maxOfAVX2
#define EXPSUM ·expSumAVX2
#define FIND ·findAVX2
#include "softmax_amd64.h"
