package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"scbench/kernels"
	"scbench/stages/engine"
)

// doctorCommand says what this machine has and what fits on it.
type doctorCommand struct {
	modelFlags
}

// Run prints the machine, the kernels with a measured speed, and the model with what its cache takes.
func (d doctorCommand) Run(c console) error {
	o, err := d.prepare()
	if err != nil {
		return err
	}
	defer o.Close()
	rows := [][2]string{
		{"scbench", build + ", " + runtime.Version()},
		{"machine", fmt.Sprintf("%s/%s, %s, %d processors for Go", runtime.GOOS, runtime.GOARCH, cpuName(), runtime.GOMAXPROCS(0))},
		{"memory", fmt.Sprintf("%s free of %s", orUnknown(memInfo("MemAvailable")), orUnknown(memInfo("MemTotal")))},
		{"huge pages", hugePages()},
		{"kernels", fmt.Sprintf("%s, of %s", kernels.Tier(), strings.Join(kernels.Tiers(), ", "))},
		{"speed", fmt.Sprintf("%.0f GFLOP/s on %d threads (f32 matrix product)", matmulSpeed(o.pool), o.pool.Threads())},
	}
	model, err := modelRows(o)
	printRows(c.out, append(append(rows, model...), [2]string{"tokenizer", o.tokenizer.Hash()}))
	return err
}

// cacheRows says what conversations take, of token bytes for each token, and how many fit.
func cacheRows(s engine.Shape, precision string, token, free int64) (rows [][2]string) {
	add := func(name, text string) { rows = append(rows, [2]string{name, text}) }
	if s.Layers > 0 {
		add("context", fmt.Sprintf("%d tokens at most", s.MaxTokens))
		add("KV cache", fmt.Sprintf("%s a token in %s, %s for the longest context", bytesText(token), precision, bytesText(token*int64(s.MaxTokens))))
	}
	if s.State > 0 {
		add("state", fmt.Sprintf("%s a conversation, however long it is", bytesText(s.StateBytes())))
	}
	switch each := token*int64(s.MaxTokens) + s.StateBytes(); {
	case free > 0 && token > 0:
		add("room for", fmt.Sprintf("%d contexts of that length, or %d tokens of full attention, in half of the free memory", free/2/each, free/2/token))
	case free > 0:
		add("room for", fmt.Sprintf("%d conversations, in half of the free memory", free/2/each))
	}
	return rows
}

func orUnknown(n int64) string {
	if n == 0 {
		return "unknown"
	}
	return bytesText(n)
}

// cpuName is the processor as the system calls it.
func cpuName() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if k, v, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return "unknown processor"
}

// hugePages says whether the KV cache's memory can lie in huge pages.
func hugePages() string {
	b, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	if err != nil {
		return "not known here"
	}
	if strings.Contains(string(b), "[never]") {
		return "off; the KV cache reads faster with transparent_hugepage=madvise"
	}
	return "on"
}

// matmulSpeed is the GFLOP/s of a product of the size that a prefill has, over about a fifth of a second.
func matmulSpeed(pool *kernels.Pool) float64 {
	const m, n, k = 256, 1024, 1024
	w, err := kernels.NewMatrix(kernels.F32, make([]byte, n*k*4), n, k)
	if err != nil {
		return 0
	}
	packed := w.Pack(pool, kernels.PrecisionF32)
	defer packed.Close()
	x, out := make([]float32, m*k), make([]float32, m*n)
	var rows kernels.Rows
	rows.Set(pool, kernels.PrecisionF32, x, m, k)
	start, done := time.Now(), 0
	for time.Since(start) < 200*time.Millisecond {
		kernels.Product(pool, out, &rows, packed, kernels.Epilogue{})
		done++
	}
	return float64(done) * 2 * m * n * k / time.Since(start).Seconds() / 1e9
}
