#include "textflag.h"
#include "exp16_amd64.h"
#include "exp_amd64.h"

#define ADD ·addAVX512
#define SCALEBY ·scaleByAVX512
#define ADDSCALED ·addScaledAVX512
#define SILUMUL ·siluMulAVX512
#define SUMSQUARES ·sumSquaresAVX512
#define NORMALIZE ·normalizeAVX512
#define ROTATE ·rotateAVX512
#define MINMAX ·minMaxAVX512
#include "elementwise_amd64.h"

#define MAXOF ·maxOfAVX512
#define EXPSUM ·expSumAVX512
#define FIND ·findAVX512
#include "softmax_amd64.h"
