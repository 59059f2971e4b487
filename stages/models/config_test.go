package models

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const llamaConfig = `{"model_type":"llama","architectures":["LlamaForCausalLM"],"vocab_size":100,"hidden_size":32,
	"intermediate_size":64,"num_hidden_layers":2,"num_attention_heads":4,"hidden_act":"silu","max_position_embeddings":64,
	"rms_norm_eps":1e-5,"eos_token_id":[2,3],"torch_dtype":"bfloat16","transformers_version":"4.52.4","head_dim":null}`

func TestReadConfig(t *testing.T) {
	c, err := ReadConfig("config.json", []byte(llamaConfig))
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Name: "config.json", Architectures: []string{"LlamaForCausalLM"}, ModelType: "llama", DType: "bfloat16",
		Vocab: 100, Hidden: 32, Intermediate: 64, Layers: 2, Heads: 4, KVHeads: 4, HeadDim: 8, HiddenAct: "silu",
		RMSNormEps: 1e-5, MaxPositions: 64, RopeTheta: 10000, PartialRotary: 1,
		RopeScaling: RopeScaling{Kind: "default"}, BosID: -1, EosIDs: []int32{2, 3}, fields: c.fields,
	}
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(Config{}, RopeScaling{}), cmp.Comparer(func(a, b *fields) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if unknown := c.Unknown(); len(unknown) != 0 {
		t.Errorf("unknown fields %q", unknown)
	}
	if err := c.Require("vocab_size", "head_dim", "sliding_window"); err == nil || !strings.Contains(err.Error(), `["head_dim" "sliding_window"]`) {
		t.Errorf("Require: %v", err)
	}
}

// What config.json leaves out is what the class of its model_type assumes.
func TestFamilies(t *testing.T) {
	for _, c := range []struct {
		modelType string
		tie       bool
		rotary    float64
		eps       float64
	}{
		{"llama", false, 1, 1e-6}, {"phi3", false, 1, 1e-5}, {"gemma2", true, 1, 1e-6}, {"glm", false, 0.5, 1.5625e-7},
		{"mamba", true, 1, 0}, {"never heard of", true, 1, 0},
	} {
		got, err := ReadConfig("x", fmt.Appendf(nil, `{"model_type":%q}`, c.modelType))
		if err != nil {
			t.Fatal(err)
		}
		if got.TieEmbeddings != c.tie || got.PartialRotary != c.rotary || got.RMSNormEps != c.eps {
			t.Errorf("%s: %v, %v, %v; want %v, %v, %v", c.modelType, got.TieEmbeddings, got.PartialRotary, got.RMSNormEps, c.tie, c.rotary, c.eps)
		}
	}
	said, err := ReadConfig("x", []byte(`{"model_type":"gemma2","tie_word_embeddings":false,"rms_norm_eps":0.5}`))
	if err != nil || said.TieEmbeddings || said.RMSNormEps != 0.5 {
		t.Errorf("what the file says does not win: %+v, %v", said, err)
	}
}

func TestConfigRefused(t *testing.T) {
	for _, c := range []struct{ json, want string }{
		{``, "is not a JSON object"},
		{`[]`, "is not a JSON object"},
		{`{"model_type":"llama"`, "is cut off"},
		{`{"model_type":"llama"}{}`, "more text"},
		{`{"model_type":"llama","a":}`, "not valid JSON"},
		{`{"model_type":"llama","hidden_size":8,"hidden_size":16}`, `"hidden_size" twice`},
		{`{"vocab_size":8}`, "model_type is missing"},
		{`{"model_type":7}`, "model_type is 7, want a string"},
		{`{"model_type":"llama","hidden_size":"32"}`, `hidden_size is "32", want a whole number`},
		{`{"model_type":"llama","hidden_size":32.5}`, "hidden_size is 32.5"},
		{`{"model_type":"llama","hidden_size":0}`, "hidden_size is 0, want a whole number from 1 to 2147483647"},
		{`{"model_type":"llama","vocab_size":-5}`, "vocab_size is -5"},
		{`{"model_type":"llama","vocab_size":99999999999999999999}`, "vocab_size is 99999999999999999999"},
		{`{"model_type":"llama","num_hidden_layers":2147483647}`, "from 1 to 65536"},
		{`{"model_type":"llama","rms_norm_eps":-1}`, "rms_norm_eps is -1"},
		{`{"model_type":"llama","rms_norm_eps":NaN}`, "rms_norm_eps"},
		{`{"model_type":"llama","rope_theta":Infinity}`, "rope_theta"},
		{`{"model_type":"llama","rope_theta":1}`, "rope_theta is 1, want a number above 1"},
		{`{"model_type":"llama","attention_bias":1}`, "attention_bias is 1, want true or false"},
		{`{"model_type":"llama","architectures":"LlamaForCausalLM"}`, "architectures"},
		{`{"model_type":"llama","partial_rotary_factor":1.5}`, "partial_rotary_factor is 1.5"},
		{`{"model_type":"llama","vocab_size":10,"eos_token_id":10}`, "eos_token_id is 10, want token ids of the vocabulary, 0 to 9"},
		{`{"model_type":"llama","eos_token_id":[1,null]}`, "eos_token_id"},
		{`{"model_type":"llama","bos_token_id":-1}`, "bos_token_id is -1"},
		{`{"model_type":"llama","hidden_size":32,"num_attention_heads":6,"num_key_value_heads":4}`, "num_attention_heads is 6, not a multiple of num_key_value_heads, 4"},
		{`{"model_type":"llama","hidden_size":32,"num_attention_heads":5}`, "hidden_size is 32, not a multiple of num_attention_heads, 5"},
		{`{"model_type":"llama","hidden_size":32,"num_attention_heads":4,"head_dim":7}`, "head_dim is 7, want an even number"},
		{`{"model_type":"llama","hidden_size":1073741824,"num_attention_heads":4}`, "head_dim is 268435456, want an even number (RoPE rotates pairs) of at most 16384"},
		{`{"model_type":"llama","num_attention_heads":4}`, "rotated"},
		{`{"model_type":"llama","hidden_size":32,"num_attention_heads":262144,"head_dim":16384}`, "num_attention_heads · head_dim"},
		{`{"model_type":"llama","rope_scaling":[]}`, "rope_scaling is not an object"},
		{`{"model_type":"llama","rope_scaling":{"type":"linear","factor":0}}`, "rope_scaling.factor is 0, want a number above 0"},
		{`{"model_type":"llama","rope_scaling":{"type":"linear","rope_type":"yarn"}}`, `rope_scaling.type is "linear", want the same as rope_type, "yarn"`},
		{`{"model_type":"llama","rope_scaling":{"type":"longrope","long_factor":[1,"2"]}}`, "rope_scaling.long_factor"},
		{`{"model_type":"llama","rope_scaling":{"type":"linear"},"rope_parameters":{"rope_type":"linear"}}`, "both rope_scaling and rope_parameters"},
		{`{"model_type":"llama","rope_theta":5,"rope_parameters":{"rope_theta":6}}`, "rope_parameters.rope_theta is 6, want the same as rope_theta outside, 5"},
	} {
		got, err := ReadConfig("dir/config.json", []byte(c.json))
		if err == nil && c.want == "rotated" { // sizes that only RoPE misses
			_, err = NewRope(got)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "dir/config.json") {
			t.Errorf("%s\nerror %v does not name the file and say %q", c.json, err, c.want)
		}
	}
}

// One run shows all that is wrong.
func TestConfigAllErrors(t *testing.T) {
	_, err := ReadConfig("x", []byte(`{"model_type":"llama","hidden_size":0,"rope_scaling":{"factor":-1},"mlp_bias":"no"}`))
	for _, want := range []string{"hidden_size", "rope_scaling.factor", "mlp_bias"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %s", err, want)
		}
	}
}

func TestUnknown(t *testing.T) {
	c, err := ReadConfig("x", []byte(`{"model_type":"llama","zeta":1,"sliding_window":8,"quantization_config":null,"use_cache":true,"alpha":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"alpha", "sliding_window", "zeta"}, c.Unknown()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"alpha", "zeta"}, c.Unknown("sliding_window")); diff != "" {
		t.Error(diff)
	}
}

func TestField(t *testing.T) {
	c, err := ReadConfig("x", []byte(`{"model_type":"mamba2","note":"an \"Infinity\" and NaN\\","limit":[0.0, Infinity,-Infinity],"newer":{"__float__":"Infinity"},"n":3,"off":null}`))
	if err != nil {
		t.Fatal(err)
	}
	var limit []float64
	var newer float64
	var n, off int
	var note string
	for key, dst := range map[string]any{"limit": &limit, "newer": &newer, "n": &n, "note": &note} {
		if ok, err := c.Field(key, dst); !ok || err != nil {
			t.Errorf("%s: %v, %v", key, ok, err)
		}
	}
	if !cmp.Equal(limit, []float64{0, math.Inf(1), math.Inf(-1)}) || newer != math.Inf(1) || n != 3 || note != `an "Infinity" and NaN\` {
		t.Errorf("%v, %v, %v, %q", limit, newer, n, note)
	}
	if ok, err := c.Field("off", &off); ok || err != nil {
		t.Errorf("null: %v, %v", ok, err)
	}
	if _, err := c.Field("note", &n); err == nil || !strings.Contains(err.Error(), "note") {
		t.Errorf("wrong type: %v", err)
	}
}

func TestWithGeneration(t *testing.T) {
	c, err := ReadConfig("config.json", []byte(llamaConfig))
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range []struct {
		json string
		want []int32
	}{
		{`{"eos_token_id":7,"do_sample":true}`, []int32{7}},
		{`{"eos_token_id":[7,8]}`, []int32{7, 8}},
		{`{"eos_token_id":null}`, []int32{2, 3}},
		{`{}`, []int32{2, 3}},
	} {
		got, err := c.WithGeneration("generation_config.json", []byte(g.json))
		if err != nil || !cmp.Equal(got.EosIDs, g.want) {
			t.Errorf("%s: %v, %v; want %v", g.json, got.EosIDs, err, g.want)
		}
	}
	if _, err := c.WithGeneration("generation_config.json", []byte(`{"eos_token_id":100}`)); err == nil || !strings.Contains(err.Error(), "generation_config.json: eos_token_id is 100") {
		t.Errorf("an id outside the vocabulary: %v", err)
	}
}

// TestGoldenConfigs reads the configurations that transformers wrote.
func TestGoldenConfigs(t *testing.T) {
	for _, dir := range goldenFolders(t, "config.json") {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			fsys := os.DirFS(dir)
			c, err := ReadConfig("config.json", readFile(t, fsys, "config.json"))
			if err != nil {
				t.Fatal(err)
			}
			if b, err := os.ReadFile(filepath.Join(dir, "generation_config.json")); err == nil {
				if c, err = c.WithGeneration("generation_config.json", b); err != nil {
					t.Fatal(err)
				}
			}
			if want := eosOf(t, fsys); fmt.Sprint(c.EosIDs) != want {
				t.Errorf("eos ids %v, want %s", c.EosIDs, want)
			}
			w, err := OpenWeights(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			// The embedding is the same tensor under the names of several architectures.
			if embed, err := w.Tensor("model.embed_tokens.weight"); err == nil && !cmp.Equal(embed.Shape, []int{c.Vocab, c.Hidden}) {
				t.Errorf("embedding %v for a vocabulary of %d and width %d", embed.Shape, c.Vocab, c.Hidden)
			}
			if c.Has("vocab_size") && slices.ContainsFunc(c.Architectures, func(a string) bool { return strings.HasSuffix(a, "ForCausalLM") }) && w.Has("lm_head.weight") == c.TieEmbeddings {
				t.Errorf("tied: %v, but lm_head.weight is there: %v", c.TieEmbeddings, w.Has("lm_head.weight"))
			}
			t.Logf("not understood: %q", c.Unknown())
		})
	}
}

// eosOf reads the ids that end an answer by other means than ReadConfig, and prints them as a list.
func eosOf(t *testing.T, fsys fs.FS) string {
	eos := "[]"
	for _, name := range []string{"config.json", "generation_config.json"} {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			continue
		}
		var file struct {
			Eos any `json:"eos_token_id"`
		}
		if err := json.Unmarshal(spellOutFloats(b), &file); err != nil {
			t.Fatal(err)
		}
		if file.Eos != nil {
			eos = "[" + strings.Trim(fmt.Sprint(file.Eos), "[]") + "]"
		}
	}
	return eos
}

// FuzzReadConfig reads configurations and, where they are of an architecture, surveys a checkpoint that lacks its tensors: an error, never a
// panic, and no memory for what a configuration only states.
func FuzzReadConfig(f *testing.F) {
	f.Add([]byte(llamaConfig))
	f.Add([]byte(`{"model_type":"x","rope_scaling":{"type":"yarn","factor":{"__float__":"NaN"}},"a":-Infinity}`))
	for _, p := range slices.Concat(published, more) {
		f.Add([]byte(p.json))
	}
	for _, s := range RandomShapes {
		b, err := json.Marshal(s.config)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	w, err := FSWeights(fstest.MapFS{singleFile: {Data: encode(f, map[string]tensor{"x": twoByTwo})}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c, err := ReadConfig("x", b)
		if err == nil {
			c.Unknown()
			NewRope(c)
			if _, faults := (&checkpoint{name: "x", weights: w, config: c}).survey(Choice{}); len(faults) == 0 {
				t.Error("a checkpoint without its tensors passes")
			}
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > uint64(4*len(b)+64<<20) {
			t.Errorf("%d bytes allocated for a configuration of %d", got, len(b))
		}
	})
}
