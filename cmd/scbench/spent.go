package main

import (
	"fmt"
	"runtime"

	"scbench/kernels"
	"scbench/outputs"
	"scbench/stages"
)

// spent is what a run took of this machine.
func spent(j *stages.Job) outputs.Cost {
	computed, alone := j.Prefilled()
	return outputs.Cost{
		Machine: fmt.Sprintf("%s, %s/%s", cpuName(), runtime.GOOS, runtime.GOARCH), Threads: j.Engine.Pool.Threads(), Kernels: kernels.Tier(),
		PeakRSS: stages.PeakRSS(), PeakKV: j.Engine.Store.Peak(),
		Alone: alone, Computed: computed, Bound: j.Bound(), Apart: j.Apart(),
	}
}
