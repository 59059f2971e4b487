#include "textflag.h"
#include "exp16_amd64.h"
#include "exp_amd64.h"

#define SOFTPLUS ·softplusAVX512
#define CONV ·convAVX512
#define SELECTIVESCAN ·selectiveScanAVX512
#define SSDSCAN ·ssdScanAVX512
#define SSDSCAN2 ·ssdScan2AVX512
#define TILEPRODUCT ·tileProductAVX512
#define SCALEROWS ·scaleRowsAVX512
#define DECAYROW ·decayRowAVX512
#include "scan_amd64.h"
