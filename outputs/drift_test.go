package outputs

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func some(x float64) *float64 { return &x }

// driftRows are two prompts, one head, prefill and five tokens each, and a method that reads half of the attention.
func driftRows() (rows []Drift) {
	for p, name := range []string{"a", "b"} {
		for position := int32(-1); position < 5; position++ {
			row := Drift{Task: "kv", Example: name, Turn: 1, Method: DriftFull, Position: position, Prompt: 100,
				Overlap: some(0.2 * float64(p+1)), TopMass: some(0.5), GeneratedMass: some(float64(position+1) / 10),
				Entropy: some(math.Log(float64(100 + position + 1))), Divergence: some(math.Ln2 / 4), DistanceMass: []float64{0.25, 0.75}}
			rows = append(rows, row)
			if position >= 0 {
				rows = append(rows, Drift{Task: "kv", Example: name, Turn: 1, Method: "half<&>:x=1", Position: position, Prompt: 100,
					KeysRead: some(50), ReadMass: some(0.5), PromptMass: some(0.4), ReadTop: some(0.25)})
			}
		}
	}
	return rows
}

func writeDrift(t *testing.T, rows []Drift) string {
	t.Helper()
	var b bytes.Buffer
	w := NewDriftWriter(&b)
	w.Describe("scbench.drift.top", "32")
	for _, r := range rows {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), DriftFile)
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDriftReadsWhatWasWritten(t *testing.T) {
	rows, got := driftRows(), []Drift(nil)
	path := writeDrift(t, rows)
	if err := EachDrift(path, func(d *Drift) error { got = append(got, *d); return nil }); err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if len(rows[i].DistanceMass) == 0 {
			rows[i].DistanceMass = got[i].DistanceMass // nil and empty are the same list
		}
	}
	if diff := cmp.Diff(rows, got); diff != "" {
		t.Errorf("rows came back otherwise:\n%s", diff)
	}
	if err := EachResult(path, func(*Result) error { return nil }); err == nil || !strings.Contains(err.Error(), "holds drift, not results") {
		t.Errorf("read as results: %v", err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/3] ^= 1
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := EachDrift(path, func(*Drift) error { return nil }); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a damaged file: %v", err)
	}
}

func TestDriftSummary(t *testing.T) {
	s, err := SummariseDrift(writeDrift(t, driftRows()))
	if err != nil {
		t.Fatal(err)
	}
	if s.Prompts != 2 || s.Heads != 1 {
		t.Errorf("%d prompts, %d heads", s.Prompts, s.Heads)
	}
	if diff := cmp.Diff([]DriftBucket{{-1, -1}, {0, 0}, {1, 3}, {4, 4}}, s.Buckets); diff != "" {
		t.Errorf("ranges of positions:\n%s", diff)
	}
	want := map[string][]float64{"overlap": {0.3, 0.3, 0.3, 0.3}, "top mass": {0.5, 0.5, 0.5, 0.5}, "generated mass": {0, 0.1, 0.3, 0.5}, "divergence": {0.25, 0.25, 0.25, 0.25}, "entropy": {1, 1, 1, 1}}
	for _, m := range s.Measures {
		for i, p := range m.Points {
			if math.Abs(p.Value-want[m.Name][i]) > 1e-12 || (p.N == 0) != (m.Name == generatedMass && i == 0) {
				t.Errorf("%s at %s: %+v", m.Name, s.Buckets[i], p)
			}
		}
		delete(want, m.Name)
	}
	if len(want) > 0 {
		t.Errorf("not measured: %v", want)
	}
	if read, prompt := s.Read[0].Points[2], s.Prompt[0].Points[2]; math.Abs(read.Value-0.5) > 1e-12 || math.Abs(prompt.Value-0.4) > 1e-12 || read.N != 6 || read.Clusters != 2 {
		t.Errorf("read %+v, of the prompt %+v", read, prompt)
	}
	if diff := cmp.Diff([]float64{0.25, 0.75}, s.Distance[3]); diff != "" {
		t.Errorf("by distance:\n%s", diff)
	}
	var table, picture, again bytes.Buffer
	for _, err := range []error{s.Table(&table, TableOptions{}), s.Picture(&picture), s.Picture(&again)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"prefill", "1–3", "half<&> reads", "half<&> of the prompt", "50.0 ["} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, table.String())
		}
	}
	if !bytes.Equal(picture.Bytes(), again.Bytes()) {
		t.Error("the picture differs from itself")
	}
	words := ""
	for d := xml.NewDecoder(bytes.NewReader(picture.Bytes())); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
		if text, ok := token.(xml.CharData); ok {
			words += string(text) + "\n"
		}
	}
	for _, want := range []string{"half<&>", "How far back it looks", "prefill"} {
		if !strings.Contains(words, want) {
			t.Errorf("the picture lacks %q", want)
		}
	}
}

func TestDriftSummaryOfBadRows(t *testing.T) {
	if _, err := SummariseDrift(writeDrift(t, nil)); err == nil || !strings.Contains(err.Error(), "holds no rows") {
		t.Errorf("an empty file: %v", err)
	}
	rows := driftRows()
	rows[0].Entropy = nil
	if _, err := SummariseDrift(writeDrift(t, rows)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a row without entropy: %v", err)
	}
}
