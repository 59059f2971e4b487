package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"scbench/kernels"
)

// benchRow is one measurement. The names up to stddev_ts are llama-bench's.
type benchRow struct {
	Build    string  `parquet:"build_commit"`
	CPU      string  `parquet:"cpu_info"`
	Backend  string  `parquet:"backends"`
	File     string  `parquet:"model_filename"`
	Type     string  `parquet:"model_type"`
	Size     int64   `parquet:"model_size"`
	Params   int64   `parquet:"model_n_params"`
	Threads  int64   `parquet:"n_threads"`
	TypeK    string  `parquet:"type_k"`
	TypeV    string  `parquet:"type_v"`
	Prompt   int64   `parquet:"n_prompt"`
	Gen      int64   `parquet:"n_gen"`
	Depth    int64   `parquet:"n_depth"`
	Time     string  `parquet:"test_time"`
	AvgNS    float64 `parquet:"avg_ns"`
	StddevNS float64 `parquet:"stddev_ns"`
	AvgTS    float64 `parquet:"avg_ts"`
	StddevTS float64 `parquet:"stddev_ts"`
	Method   string  `parquet:"method"`
	Branches int64   `parquet:"branches"`
	CPUTS    float64 `parquet:"cpu_ts"`      // tokens per second of processor time, all threads together: what noisy neighbours change least
	Vs       float64 `parquet:"vs_full"`     // speed as a multiple of the first method's in the same test
	Cells    float64 `parquet:"cells_share"` // attention cells computed of dense ones
	GFLOPS   float64 `parquet:"gflops"`      // multiply-adds of weights and attention, twice, per second
	Share    float64 `parquet:"limit_share"` // gflops of prefill, or bytes read in decoding, as a share of what this machine can do; more than 1 where a small model stays in the caches, which read faster than memory
}

// measured is a row whose share of the limit is worked out at the end, when the limits are known best.
type measured struct {
	benchRow
	flops, reads float64 // operations, or bytes read, a second and thread: what the test is limited by; the other is 0
	bf16         bool    // the operations are bf16's
}

// share is what the machine's limits leave of that.
func (m measured) share(l kernels.Limits) float64 {
	switch {
	case m.reads > 0:
		return m.reads / l.Read
	case m.bf16 && l.BF16 > 0:
		return m.flops / l.BF16
	}
	return m.flops / l.F32
}

// benchFile is the Parquet file asked for, open before anything is measured so that a path that cannot be written costs no time.
type benchFile struct {
	*os.File
	fresh bool // it was not there before
}

// openBenchFile opens the file at path, leaving what it has for the time being; nothing for no path.
func openBenchFile(path string) (*benchFile, error) {
	if path == "" {
		return nil, nil
	}
	_, err := os.Lstat(path)
	f := &benchFile{fresh: os.IsNotExist(err)}
	if f.File, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644); err != nil {
		return nil, fmt.Errorf("--parquet: %w", err)
	}
	return f, nil
}

// finish replaces what the file has by rows and closes it. Without rows the file is as it was before, or not there.
func (f *benchFile) finish(rows []benchRow) error {
	if f == nil {
		return nil
	}
	defer f.Close() // of a file that was not written, or whose error is on its way
	if len(rows) == 0 {
		if f.fresh {
			return os.Remove(f.Name())
		}
		return nil
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		if err := f.Truncate(0); err != nil {
			return fmt.Errorf("--parquet: %w", err)
		}
	}
	if err := parquet.Write(f, rows); err != nil {
		return fmt.Errorf("--parquet: %s: %w", f.Name(), err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("--parquet: %w", err)
	}
	return nil
}

func meanStddev(x []float64) (mean, dev float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		dev += (v - mean) * (v - mean)
	}
	if len(x) > 1 {
		dev = math.Sqrt(dev / float64(len(x)-1))
	}
	return mean, dev
}

func benchTable(w io.Writer, rows []benchRow) {
	fmt.Fprintln(w, "model\tthreads\ttest\tmethod\tt/s\t±\tt/s per processor\tvs first\tcells\tGFLOP/s\tof limit")
	for _, r := range rows {
		test := fmt.Sprintf("pp%d", r.Prompt)
		if r.Gen > 0 {
			test = fmt.Sprintf("tg%d @ d%d", r.Gen, r.Depth)
			if r.Branches > 1 {
				test += fmt.Sprintf(" x%d", r.Branches)
			}
		}
		name := r.File
		if name == "" {
			name = "reference"
		}
		fmt.Fprintf(w, "%s %s\t%d\t%s\t%s\t%.1f\t%.1f\t%.1f\t%.2f\t%.3f\t%.0f\t%.0f%%\n",
			name, r.TypeK, r.Threads, test, r.Method, r.AvgTS, r.StddevTS, r.CPUTS, r.Vs, r.Cells, r.GFLOPS, 100*r.Share)
	}
}

// benchCSV writes the rows under the names of their Parquet columns.
func benchCSV(w io.Writer, rows []benchRow) error {
	out := csv.NewWriter(w)
	var header []string
	for f := range reflect.TypeFor[benchRow]().Fields() {
		header = append(header, f.Tag.Get("parquet"))
	}
	if err := out.Write(header); err != nil {
		return err
	}
	for _, r := range rows {
		var cells []string
		for _, v := range reflect.ValueOf(r).Fields() {
			if v.Kind() == reflect.Float64 {
				cells = append(cells, strconv.FormatFloat(v.Float(), 'f', 6, 64))
			} else {
				cells = append(cells, fmt.Sprint(v.Interface()))
			}
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
