#include "textflag.h"
#include "exp8_amd64.h"
#include "exp_amd64.h"

#define SOFTPLUS ·softplusAVX2
#define CONV ·convAVX2
#define SELECTIVESCAN ·selectiveScanAVX2
#define SSDSCAN ·ssdScanAVX2
#define SSDSCAN2 ·ssdScan2AVX2
#define TILEPRODUCT ·tileProductAVX2
#define SCALEROWS ·scaleRowsAVX2
#define DECAYROW ·decayRowAVX2
#include "scan_amd64.h"
