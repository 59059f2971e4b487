package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scbench/outputs"
)

// writeEncoder makes a tiny token classifier with random weights and one of the golden tokenizers, and returns its folder.
func writeEncoder(t *testing.T, architecture, style string) string {
	t.Helper()
	dir := t.TempDir()
	tokenizer, err := os.ReadFile(filepath.Join("..", "..", "testdata", "golden", "tokenizers", style, "tokenizer.json"))
	if err != nil {
		t.Skipf("not run: %v", err)
	}
	const vocab, hidden, inner, positions = 2401, 16, 24, 130
	config, err := json.Marshal(map[string]any{
		"architectures": []string{architecture}, "model_type": "xlm-roberta", "num_hidden_layers": 1, "hidden_size": hidden, "num_attention_heads": 2,
		"intermediate_size": inner, "vocab_size": vocab, "max_position_embeddings": positions, "type_vocab_size": 1, "pad_token_id": 1, "layer_norm_eps": 1e-5,
	})
	if err != nil {
		t.Fatal(err)
	}
	prefix := map[string]string{"BertForTokenClassification": "bert.", "XLMRobertaForTokenClassification": "roberta."}[architecture]
	header, body := map[string]any{}, []byte(nil)
	r := rand.New(rand.NewPCG(5, 6))
	add := func(name string, shape ...int) {
		from, n := len(body), 1
		for _, d := range shape {
			n *= d
		}
		for range n {
			body = binary.LittleEndian.AppendUint32(body, math.Float32bits(float32(r.NormFloat64())))
		}
		header[name] = map[string]any{"dtype": "F32", "shape": shape, "data_offsets": []int{from, len(body)}}
	}
	both := func(name string, shape ...int) {
		add(name+".weight", shape...)
		add(name+".bias", shape[0])
	}
	add(prefix+"embeddings.word_embeddings.weight", vocab, hidden)
	add(prefix+"embeddings.position_embeddings.weight", positions, hidden)
	add(prefix+"embeddings.token_type_embeddings.weight", 1, hidden)
	both(prefix+"embeddings.LayerNorm", hidden)
	layer := prefix + "encoder.layer.0."
	for _, name := range []string{"self.query", "self.key", "self.value", "output.dense"} {
		both(layer+"attention."+name, hidden, hidden)
	}
	both(layer+"attention.output.LayerNorm", hidden)
	both(layer+"intermediate.dense", inner, hidden)
	both(layer+"output.dense", hidden, inner)
	both(layer+"output.LayerNorm", hidden)
	both("classifier", 2, hidden)
	head, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	weights := slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head, body)
	for name, data := range map[string][]byte{"tokenizer.json": tokenizer, "config.json": config, "model.safetensors": weights} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestLLMLingua2EndToEnd runs the benchmark with encoders of both architectures: contexts become shorter, questions stay as they are, both
// modes and compositions ask about the same text, and neither threads nor a second run change a byte.
func TestLLMLingua2EndToEnd(t *testing.T) {
	for architecture, style := range map[string]string{
		"BertForTokenClassification": "bert-multilingual-cased-style", "XLMRobertaForTokenClassification": "xlmr-unigram-precompiled",
	} {
		t.Run(architecture, func(t *testing.T) {
			method := "llmlingua2:model=" + writeEncoder(t, architecture, style)
			counts := ",counts=" + filepath.Join("..", "..", "testdata", "golden", "tokenizers", "llama3-style", "tokenizer.json")
			var files [2][]byte
			for i := range files {
				out := t.TempDir()
				args := []string{"run", "--out", out, "--task", "kv", "--examples", "1", "--turns", "2", "--threads", fmt.Sprint(1 + i),
					"-m", "full", "-m", method, "-m", method + `,rate=10%,digits=yes,force=\n;.` + counts, "-m", method + "+snapkv:budget=64"}
				var stdout, stderr bytes.Buffer
				if code := run(args, &stdout, &stderr); code != 0 {
					t.Fatalf("exit code %d: %s", code, stderr.String())
				}
				found, err := filepath.Glob(filepath.Join(out, "runs", "*", "results.parquet"))
				if err != nil || len(found) != 1 {
					t.Fatalf("%v %v", found, err)
				}
				if files[i], err = os.ReadFile(found[0]); err != nil {
					t.Fatal(err)
				}
				if i == 0 {
					checkShortened(t, found[0])
				}
			}
			if !bytes.Equal(files[0], files[1]) {
				t.Error("two threads give other results than one")
			}
		})
	}
}

// checkShortened compares the prompts of the rows of llmlingua2 with those of full attention.
func checkShortened(t *testing.T, path string) {
	t.Helper()
	rows, err := outputs.ReadResults(path)
	if err != nil {
		t.Fatal(err)
	}
	whole, short := map[string]int32{}, map[string]int32{}
	seen := 0
	for _, r := range rows {
		turn := fmt.Sprintf("%s %d", r.Mode, r.Turn)
		switch {
		case r.Method == "full":
			whole[turn] = r.PromptTokens
		case strings.Contains(r.Method, "+snapkv"):
			if r.PromptTokens != short[turn] {
				t.Errorf("%s: %d tokens in a composition, %d alone", turn, r.PromptTokens, short[turn])
			}
		case strings.Contains(r.Method, "rate=1/3"):
			short[turn] = r.PromptTokens
			fallthrough
		default:
			seen++
			if r.PromptTokens >= whole[turn]*3/4 {
				t.Errorf("%s, %s: %d tokens of %d", r.Method, turn, r.PromptTokens, whole[turn])
			}
		}
	}
	if seen != 8 || len(whole) != 4 {
		t.Errorf("%d rows of full attention and %d of shortened contexts; want 4 and 8", len(whole), seen)
	}
}

func TestEncoderErrors(t *testing.T) {
	good := writeEncoder(t, "BertForTokenClassification", "bert-uncased-style")
	swap := func(name, with string) string {
		dir := t.TempDir()
		for _, f := range []string{"tokenizer.json", "config.json", "model.safetensors"} {
			data, err := os.ReadFile(filepath.Join(good, f))
			if f == name {
				data = []byte(with)
			}
			if err := errors.Join(err, os.WriteFile(filepath.Join(dir, f), data, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	for dir, want := range map[string]string{
		filepath.Join(good, "none"):                   "no such file",
		swap("model.safetensors", "short"):            "model.safetensors",
		swap("config.json", `{"model_type":"llama"}`): "no encoder that labels tokens",
		swap("tokenizer.json", `{"model":{"type":"WordPiece","vocab":{"[UNK]":9000}},"decoder":{"type":"WordPiece"}}`): "do not belong together",
		swap("tokenizer.json", "{}"): "tokenizer.json",
	} {
		var stdout, stderr bytes.Buffer
		code := run([]string{"run", "--out", t.TempDir(), "--task", "kv", "--examples", "1", "-m", "llmlingua2:model=" + dir}, &stdout, &stderr)
		if code != 2 || !strings.Contains(stderr.String(), "method llmlingua2: model="+dir) || !strings.Contains(stderr.String(), want) {
			t.Errorf("exit code %d: %s; want 2 and an error that says %q", code, stderr.String(), want)
		}
	}
}
