package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scbench/stages/models/safetensors"
)

// goldenModels is the folders of golden models that predict tokens.
func goldenModels(t *testing.T) []string {
	t.Helper()
	root := os.Getenv("SCBENCH_GOLDEN")
	if root == "" {
		root = filepath.Join("..", "..", "testdata", "golden")
	}
	dirs, err := filepath.Glob(filepath.Join(root, "models", "*", "generation_config.json"))
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range dirs {
		dirs[i] = filepath.Dir(d)
	}
	if len(dirs) == 0 {
		t.Skipf("no golden models in %s", root)
	}
	return dirs
}

// scbench runs a command line that must succeed and returns what it prints.
func scbench(t *testing.T, args ...string) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(args, &out, &errs); code != 0 {
		t.Fatalf("scbench %s: exit code %d, %s", strings.Join(args, " "), code, errs.String())
	}
	return out.Bytes()
}

// TestModelsLogits asks the command for the logits of golden prompts and holds them against the golden ones: as JSON and as safetensors, of
// all positions and of the last. The tolerance is twice the largest that the golden README states for prompts of 64 tokens; what is exact is
// the tests' of package models.
func TestModelsLogits(t *testing.T) {
	const tolerance = 1e-3
	for _, dir := range goldenModels(t) {
		golden, err := safetensors.Open(filepath.Join(dir, "goldens.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		defer golden.Close()
		if _, ok := golden.Tensor("mamba_ssm.logits.17"); ok {
			dir = groupless(t, dir) // logits.17 are those of transformers' port
		}
		const n = 64
		ids, want := ints(t, golden, fmt.Sprintf("input_ids.%d", n)), numbers(t, golden, fmt.Sprintf("logits.%d", n))
		text, err := json.Marshal(ids)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "ids.json")
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
		var all, last struct {
			Model, Weights string
			IDs            []int32
			Positions      []int
			Logits         [][]float32
		}
		if err := json.Unmarshal(scbench(t, "models", "logits", dir, "--precision", "f32", "--ids", file, "--positions", "all"), &all); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(scbench(t, "models", "logits", dir, "--precision", "f32", "--ids", file), &last); err != nil {
			t.Fatal(err)
		}
		got := slices.Concat(all.Logits...)
		if !slices.Equal(all.IDs, ids) || len(all.Positions) != n || all.Positions[n-1] != n-1 || len(all.Logits) != n || len(got) != len(want) {
			t.Fatalf("%s: %d positions, %d rows of logits, %d numbers, want %d", dir, len(all.Positions), len(all.Logits), len(got), len(want))
		}
		worst := 0.0
		for i := range want {
			worst = max(worst, math.Abs(float64(got[i])-float64(want[i])))
		}
		t.Logf("%s: largest difference %.2g", filepath.Base(dir), worst)
		if !(worst <= tolerance) {
			t.Errorf("%s: logits differ by up to %g", dir, worst)
		}
		if len(last.Logits) != 1 || !slices.Equal(last.Logits[0], all.Logits[n-1]) || !slices.Equal(last.Positions, []int{n - 1}) || len(last.Weights) != 64 {
			t.Errorf("%s: the last position alone has other logits", dir)
		}
		tensors := filepath.Join(t.TempDir(), "logits.safetensors")
		scbench(t, "models", "logits", dir, "--precision", "f32", "--ids", file, "--positions", "all", "--format", "safetensors", "-o", tensors)
		f, err := safetensors.Open(tensors)
		if err != nil {
			t.Fatal(err)
		}
		if x, _ := f.Tensor("logits"); !slices.Equal(numbers(t, f, "logits"), got) || !slices.Equal(x.Shape, []int{n, len(want) / n}) || !slices.Equal(ints(t, f, "input_ids"), ids) {
			t.Errorf("%s: safetensors has other logits than JSON", dir)
		}
		f.Close()
	}
}

// groupless copies a Mamba-2 whose gated norm takes all channels together, and says so.
func groupless(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(to, "config.json")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, append([]byte(`{"norm_groups":1,`), b[1:]...), 0o644); err != nil {
		t.Fatal(err)
	}
	return to
}

func numbers(t *testing.T, f *safetensors.File, name string) []float32 {
	t.Helper()
	x, ok := f.Tensor(name)
	if !ok {
		t.Fatalf("no tensor %s", name)
	}
	v, err := x.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func ints(t *testing.T, f *safetensors.File, name string) []int32 {
	t.Helper()
	x, ok := f.Tensor(name)
	if !ok {
		t.Fatalf("no tensor %s", name)
	}
	v, err := x.Int32s()
	if err != nil {
		t.Fatal(err)
	}
	return v
}
