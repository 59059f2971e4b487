package models

import (
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

// ropeTolerance is how far tables and frequencies may be from the golden ones.
type ropeTolerance struct {
	freq  float64 // relative
	table float64 // absolute, of cos and sin made from the golden frequencies, per unit of attention scaling
}

// The powers, cosines and sines of PyTorch and the ones here are each within one unit in the last place of the truth,
// and a division or product follows; measured: 2 units (2.4e-7) for frequencies, one (6e-8) for tables.
var ropeTolerances = map[string]ropeTolerance{
	"default": {freq: 3e-7, table: 1.2e-7},
}

// TestGoldenRope compares every configuration of golden/models/rope with what transformers made of it: frequencies,
// tables made from the golden frequencies, and tables made from our own.
func TestGoldenRope(t *testing.T) {
	dir := golden(t, filepath.Join("models", "rope"))
	file := openTensors(t, filepath.Join(dir, "goldens.safetensors"))
	configs, err := members(readFile(t, os.DirFS(dir), "configs.json"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{"positions": true}
	for _, name := range file.Names() {
		stem, isTable := strings.CutSuffix(name, ".cos")
		if !isTable {
			continue
		}
		for _, suffix := range []string{".cos", ".sin", ".inv_freq", ".inv_freq_init", ".positions"} {
			seen[stem+suffix] = true
		}
		t.Run(stem, func(t *testing.T) {
			config, section, _ := strings.Cut(stem, ".")
			if configs[config] == nil {
				t.Skipf("configs.json has no %q", config)
			}
			seen[config+".inv_freq_init"] = true
			goldenRope(t, file, config, section, configs[config])
		})
	}
	for _, name := range file.Names() {
		if !seen[name] {
			t.Run(name, func(t *testing.T) { t.Skip("belongs to no table") })
		}
	}
}

func goldenRope(t *testing.T, file *safetensors.File, config, section string, raw json.RawMessage) {
	c, err := ReadConfig(config, raw)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewRope(c)
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Scaling float64 `json:"attention_scaling"`
		Kind    string  `json:"rope_type"`
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	if r.scale != float32(want.Scaling) || c.RopeScaling.Kind != want.Kind {
		t.Errorf("%s with attention scaling %v, want %s with %v", c.RopeScaling.Kind, r.scale, want.Kind, want.Scaling)
	}
	tolerance, ok := ropeTolerances[config]
	if !ok {
		tolerance = ropeTolerances["default"]
	}
	prefix, freqs, positions := config+".", "inv_freq_init", "positions"
	if section != "" {
		prefix += section + "."
		freqs, positions = "inv_freq", prefix+"positions"
	}
	at, _ := file.Tensor(positions)
	pos, err := at.Int32s()
	if err != nil || len(pos) == 0 {
		t.Fatalf("positions: %v, %v", pos, err)
	}
	length := int(slices.Max(pos)) + 1
	inv, cosWant, sinWant := floats(t, file, prefix+freqs), floats(t, file, prefix+"cos"), floats(t, file, prefix+"sin")

	got := r.InvFreq(length)
	if len(got) != len(inv) || r.Dim() != 2*len(inv) {
		t.Fatalf("%d frequencies for %d dimensions, want %d", len(got), r.Dim(), len(inv))
	}
	worst := 0.0
	for i := range inv {
		worst = max(worst, math.Abs(float64(got[i])/float64(inv[i])-1))
	}
	if !(worst <= tolerance.freq) {
		t.Errorf("frequencies are off by %.2g of themselves, want at most %.2g", worst, tolerance.freq)
	}
	cos, sin := make([]float32, len(cosWant)), make([]float32, len(sinWant))
	table := tolerance.table * want.Scaling
	fillTables(cos, sin, pos, inv, r.scale)
	exact := within(t, "tables of the golden frequencies", cos, sin, cosWant, sinWant, func(int) float64 { return table })
	r.Tables(cos, sin, pos, length)
	// An error of the frequency is multiplied by the position.
	own := within(t, "tables", cos, sin, cosWant, sinWant, func(i int) float64 {
		angle := float64(pos[i/len(inv)]) * float64(inv[i%len(inv)])
		return table + want.Scaling*angle*(tolerance.freq+0x1p-23)
	})
	t.Logf("frequencies off by %.2g of themselves, tables by %.2g with golden frequencies, %.2g with our own", worst, exact, own)
}

// within holds both tables against the golden ones and returns the largest difference.
func within(t *testing.T, what string, cos, sin, cosWant, sinWant []float32, tolerance func(i int) float64) (worst float64) {
	t.Helper()
	for i := range cosWant {
		d := max(math.Abs(float64(cos[i])-float64(cosWant[i])), math.Abs(float64(sin[i])-float64(sinWant[i])))
		if !(d <= tolerance(i)) {
			t.Fatalf("%s: element %d is (%v, %v), want (%v, %v) within %.2g", what, i, cos[i], sin[i], cosWant[i], sinWant[i], tolerance(i))
		}
		worst = max(worst, d)
	}
	return worst
}

func floats(t *testing.T, file *safetensors.File, name string) []float32 {
	t.Helper()
	x, ok := file.Tensor(name)
	if !ok {
		t.Fatalf("no tensor %s", name)
	}
	v, err := x.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// ropeConfig is a Llama with 8 rotated dimensions and the given fields more.
func ropeConfig(t *testing.T, more string) Config {
	t.Helper()
	c, err := ReadConfig("config.json", fmt.Appendf(nil, `{"model_type":"llama","hidden_size":32,"num_attention_heads":4,"max_position_embeddings":64%s}`, more))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRopeRefused(t *testing.T) {
	for _, c := range []struct{ name, more, want string }{
		{"unknown kind", `,"rope_scaling":{"type":"mrope","mrope_section":[1]}`, `"mrope" is not supported; supported are default, linear, dynamic, yarn, longrope, llama3`},
		{"unknown field", `,"rope_scaling":{"type":"yarn","factor":2,"truncate":false}`, `"truncate"`},
		{"no factor", `,"rope_scaling":{"type":"linear"}`, "needs factor"},
		{"llama3 without its context", `,"rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4}`, "needs original_max_position_embeddings"},
		{"llama3 bands", `,"rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":4,"high_freq_factor":4,"original_max_position_embeddings":32}`, "more than low_freq_factor"},
		{"longrope lengths", `,"rope_scaling":{"type":"longrope","factor":2,"short_factor":[1,1,1],"long_factor":[1,1,1,1]}`, "3 and 4 values, want 4"},
		{"longrope without factor", `,"rope_scaling":{"type":"longrope","short_factor":[1,1,1,1],"long_factor":[1,1,1,1]}`, "needs original_max_position_embeddings, factor"},
		{"longrope with its context inside", `,"rope_scaling":{"type":"longrope","original_max_position_embeddings":32,"short_factor":[1,1,1,1],"long_factor":[1,1,1,1]}`, "top level"},
		{"odd share", `,"partial_rotary_factor":0.4`, "3 rotated dimensions"},
		{"no share", `,"partial_rotary_factor":0.1`, "0 rotated dimensions"},
		{"dynamic of one pair", `,"partial_rotary_factor":0.25,"rope_scaling":{"type":"dynamic","factor":2}`, "at least 4 rotated"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := NewRope(ropeConfig(t, c.more))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "config.json: ") {
				t.Errorf("error %v does not name the file and say %q", err, c.want)
			}
		})
	}
}

// Different spellings of one thing must give one result.
func TestRopeSpellings(t *testing.T) {
	lists := `"short_factor":[1,1,1,1],"long_factor":[2,2,2,2]`
	for _, c := range []struct{ name, a, b string }{
		{"null", ``, `,"rope_scaling":null,"rope_theta":10000`},
		{"type", `,"rope_scaling":{"type":"linear","factor":2}`, `,"rope_scaling":{"rope_type":"linear","type":"linear","factor":2.0}`},
		{"rope_parameters", `,"rope_theta":5e5,"rope_scaling":{"type":"linear","factor":2}`, `,"rope_parameters":{"rope_type":"linear","factor":2,"rope_theta":500000.0}`},
		{"share inside", `,"partial_rotary_factor":0.5`, `,"rope_parameters":{"rope_type":"default","partial_rotary_factor":0.5}`},
		{"su", `,"original_max_position_embeddings":32,"rope_scaling":{"type":"longrope",` + lists + `}`, `,"original_max_position_embeddings":32,"rope_scaling":{"type":"su",` + lists + `}`},
		{"longrope in rope_parameters", `,"original_max_position_embeddings":32,"rope_scaling":{"type":"longrope",` + lists + `}`, `,"rope_parameters":{"rope_type":"longrope","original_max_position_embeddings":32,` + lists + `}`},
		{"yarn's defaults", `,"rope_scaling":{"type":"yarn","factor":4}`, `,"rope_scaling":{"type":"yarn","factor":4,"beta_fast":32,"beta_slow":1,"attention_factor":1.1386294361119891}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := ropeTables(t, c.a), ropeTables(t, c.b)
			if !slices.Equal(a, b) {
				t.Errorf("%v\n%v", a, b)
			}
			if slices.Equal(a, ropeTables(t, `,"rope_theta":777`)) {
				t.Error("the tables do not depend on the configuration")
			}
		})
	}
}

func ropeTables(t *testing.T, more string) []float32 {
	t.Helper()
	r, err := NewRope(ropeConfig(t, more))
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float32, 2*2*r.Dim()/2)
	r.Tables(out[:r.Dim()], out[r.Dim():], []int32{3, 50}, 51)
	return out
}

// The factor of YaRN depends on who reads the file; that is said aloud.
func TestRopeNotes(t *testing.T) {
	for _, c := range []struct {
		name, more string
		scale      float32
		notes      int
	}{
		{"agree", `,"rope_scaling":{"type":"yarn","factor":2,"original_max_position_embeddings":32}`, float32(0.1*math.Log(2) + 1), 0},
		{"disagree", `,"rope_scaling":{"type":"yarn","factor":4,"original_max_position_embeddings":64}`, 1, 1},
		{"transformers 5", `,"rope_parameters":{"rope_type":"yarn","factor":4,"original_max_position_embeddings":64}`, float32(0.1*math.Log(4) + 1), 0},
		{"mscale", `,"rope_scaling":{"type":"yarn","factor":4,"mscale":2,"mscale_all_dim":1}`, float32((0.2*math.Log(4) + 1) / (0.1*math.Log(4) + 1)), 0},
		{"ignored field", `,"rope_scaling":{"type":"linear","factor":4,"beta_fast":3,"finetuned":true}`, 1, 1},
	} {
		r, err := NewRope(ropeConfig(t, c.more))
		if err != nil {
			t.Fatal(err)
		}
		if r.scale != c.scale || len(r.Notes()) != c.notes {
			t.Errorf("%s: attention scaling %v, notes %q; want %v and %d", c.name, r.scale, r.Notes(), c.scale, c.notes)
		}
	}
}

func TestRopeShapePanics(t *testing.T) {
	r, err := NewRope(ropeConfig(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if msg := fmt.Sprint(recover()); !strings.Contains(msg, "want [1, 4]") {
			t.Errorf("panic %q does not say the shape", msg)
		}
	}()
	r.Tables(make([]float32, 3), make([]float32, 4), []int32{0}, 1)
}
