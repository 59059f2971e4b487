package methods

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scbench/stages/engine"
)

func TestHeadScores(t *testing.T) {
	file := filepath.Join(t.TempDir(), "full_attention_heads.tsv")
	s := engine.Shape{Layers: 2, Heads: 4, KVHeads: 2, Dim: 8}
	for _, text := range []string{"# alpha\n0.5\t1.25\n\n-1e-3\t0.75\n", " [[0.5, 3], [-1, 0.75]]"} {
		got, err := parseHeadScores([]byte(text), s)
		if err != nil || !slices.Equal(slices.Concat(got...), []float32{0.5, 1, 0, 0.75}) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"":                  "0 layers, the model 2",
		"0\t1":              "1 layers, the model 2",
		"0\t1\n0":           "layer 1 has 1 heads",
		"0 1\n0 1":          "line 1, field 1",
		"0\t1\n0\tx":        "line 2, field 2",
		"0\t1\nNaN\t1":      "layer 1, head 0: no number",
		`[[0, "a"], [0,1]]`: "list of lists",
		`[[0, 1], [0,1]`:    "list of lists",
		"[[0,1,2],[0,1,2]]": "layer 0 has 3 heads",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Parse("duoattention:pattern="+file, s)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: error %v, want one that names the file and says %q", text, err, want)
		}
	}
}

// TestMeanScores compares the estimate of retrieval heads with its definition, in float64 and by angles of its own.
func TestMeanScores(t *testing.T) {
	c := newChat(t, 2)
	s := conformanceShape
	o := observeQueries(s, 0, false)
	ses := engine.NewSession(s, c.store, engine.Policy{Observe: []engine.Observation{o}})
	defer ses.Release()
	const n = 130
	m := noise{c.pool}
	if err := m.Forward(t.Context(), []engine.Chunk{{Session: ses, Tokens: make([]int32, n)}}); err != nil {
		t.Fatal(err)
	}
	for _, l := range ses.Layers {
		seen := l.Observer(o.Name).(*queries)
		got := meanScores(s, l, seen)
		for h := range s.KVHeads {
			key := make([]float64, s.Dim)
			for at := range n {
				k := make([]float32, s.Dim)
				l.Key(k, h, at)
				s.Rotate(k, []int32{int32(at)}, []int32{0}, n)
				for c, v := range k {
					key[c] += float64(v) / n
				}
			}
			var want float64
			for q := h * s.Group(); q < (h+1)*s.Group(); q++ {
				mean, _ := seen.heads[q].distribution()
				var sum, area float64
				for at := range meanSpan {
					var product float64
					for j := range s.Dim / 2 { // the query at meanSpan-1, the key at at
						sin, cos := math.Sincos(float64(meanSpan-1-at) * math.Pow(10000, -2*float64(j)/float64(s.Dim)))
						a, b := float64(mean[j]), float64(mean[j+s.Dim/2])
						product += (a*cos-b*sin)*key[j] + (b*cos+a*sin)*key[j+s.Dim/2]
					}
					w := math.Exp(product / math.Sqrt(float64(s.Dim)))
					sum, area = sum+w, area+w*float64(meanSpan-at)/meanSpan
				}
				want += area / sum / float64(s.Group())
			}
			near(t, "score", got[h:h+1], []float32{float32(want)}, 1e-5, 0)
		}
	}
}

// TestDuoPrefill wants streaming heads to compute the prompt with what they will keep, and the others densely.
func TestDuoPrefill(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pattern.json")
	if err := os.WriteFile(file, []byte("[[0.1, 0.9], [0.8, 0.2]]"), 0o600); err != nil {
		t.Fatal(err)
	}
	spec := "duoattention:sinks=4,recent=32,prefill=streaming,pattern=" + file
	c := newChat(t, 1)
	got, prompt, _ := c.converse(spec)
	dense, _, _ := c.converse("full")
	s := conformanceShape
	w := s.Heads * s.Dim
	half := w / 2
	for i, x := range [][]bool{{false, true}, {true, false}} {
		for h, same := range x {
			from := i*promptRows*w + h*half
			for r := range promptRows {
				at := from + r*w
				equal := slices.Equal(got[at:at+half], dense[at:at+half])
				if equal != (same || r < 4+32) {
					t.Fatalf("layer %d, KV head %d, row %d: like full attention: %v", i, h, r, equal)
				}
			}
		}
	}
	n := int64(promptRows)
	streaming := (36*37/2 + (n-36)*36) * int64(s.Layers*s.Heads/2)
	if want := prompt.DenseCells/2 + streaming; prompt.Cells != want {
		t.Errorf("%d cells, want %d of %d", prompt.Cells, want, prompt.DenseCells)
	}
	if _, err := Parse("duoattention:prefill=streaming", s); err == nil || !strings.Contains(err.Error(), "needs a pattern") {
		t.Errorf("without a pattern: %v", err)
	}
}
