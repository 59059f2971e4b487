package tokenizers

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"scbench/stages/gguf"
	"scbench/stages/gguf/gguftest"
)

// ggufOf writes the parts of a tokenizer as llama.cpp's converter does; change may add keys, or set others to nil to leave them out.
func ggufOf(p Parts, model, pre string, change map[string]any) []byte {
	keys := map[string]any{"model": model, "tokens": p.Tokens, "pre": pre, "merges": p.Merges, "add_bos_token": len(p.Before) > 0}
	types, scores := make([]int32, len(p.Types)), make([]float32, len(p.Scores))
	for i, t := range p.Types {
		types[i] = int32(t)
	}
	for i, s := range p.Scores {
		scores[i] = float32(s)
	}
	if keys["token_type"] = types; p.Scores != nil {
		keys["scores"], keys["merges"] = scores, nil
	}
	if len(p.Before) > 0 {
		keys["bos_token_id"] = int(p.Before[0])
	}
	for key, v := range change {
		keys[key] = v
	}
	w := &gguftest.Writer{}
	for _, key := range []string{"model", "pre", "tokens", "token_type", "scores", "merges", "bos_token_id", "eos_token_id", "unknown_token_id", "add_bos_token", "add_eos_token", "add_space_prefix", "remove_extra_whitespaces"} {
		if v := keys[key]; v != nil {
			w.Set("tokenizer.ggml."+key, v)
		}
	}
	for key, v := range change {
		if strings.HasPrefix(key, "tokenizer.") {
			w.Set(key, v)
		}
	}
	return w.Bytes()
}

// ggufStyles is the goldens that GGUF files can hold, with the name of their pre-tokenizer, or whether a space comes first.
var ggufStyles = map[string]string{
	"gpt2-style": "gpt-2", "llama3-style": "llama-bpe", "glm4-style": "glm4", "qwen2-style": "qwen2", "llama2-style": "prefix", "gemma-style": "",
}

// ggufStyle is the parts of a golden and the file of them.
func ggufStyle(t testing.TB, style string, change map[string]any) (file, data []byte) {
	t.Helper()
	pre := ggufStyles[style]
	if pre != "" && pre != "prefix" {
		p, file, merges := partsOf(t, style, ByteBPE)
		p.Merges = merges
		if style == "glm4-style" {
			p.Before = nil // two tokens; llama.cpp leaves them to the chat template
		}
		return file, ggufOf(p, "gpt2", pre, change)
	}
	p, file, _ := partsOf(t, style, SentencePiece)
	p.Types[0] = Unknown
	for id, text := range p.Tokens {
		p.Scores = append(p.Scores, -float64(id))
		if strings.HasPrefix(text, "<0x") {
			p.Types[id] = Byte
		}
	}
	all := map[string]any{"add_space_prefix": pre == "prefix"}
	for key, v := range change {
		all[key] = v
	}
	return file, ggufOf(p, "llama", "default", all)
}

// openGGUF reads a file in memory.
func openGGUF(t testing.TB, b []byte) *gguf.File {
	t.Helper()
	f, err := gguf.FromBytes("m.gguf", b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestGGUF: the tokenizer of a GGUF file has the ids of the tokenizer.json that it was made from, on all golden texts.
func TestGGUF(t *testing.T) {
	texts := tortureTexts(t, filepath.Join(goldenDir(), "tokenizers"))
	for style := range ggufStyles {
		t.Run(style, func(t *testing.T) {
			file, data := ggufStyle(t, style, nil)
			tk, err := FromGGUF(openGGUF(t, data))
			if err != nil {
				t.Fatal(err)
			}
			if style == "glm4-style" { // without its two tokens before a text
				sameIDs(t, tk, file, texts)
				return
			}
			var g goldenFile
			readJSON(t, filepath.Join(goldenDir(), "tokenizers", style+".golden.json"), &g)
			checkCases(t, tk, g, texts, file)
		})
	}
	file, _ := ggufStyle(t, "qwen2-style", nil)
	whole := openGGUF(t, ggufOf(Parts{}, "none", "", map[string]any{"tokenizer.huggingface.json": string(file)}))
	a, err := FromGGUF(whole)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := Parse("", file); err != nil || a.Hash() != b.Hash() {
		t.Errorf("tokenizer.huggingface.json is another tokenizer: %v", err)
	}
}

// TestGGUFPhi3: Phi-3's own tokens take the white space behind them, as its tokenizer.json says and GGUF cannot.
func TestGGUFPhi3(t *testing.T) {
	p := Parts{Tokens: []string{"<unk>", "<s>", "a", "▁", "<|user|>", "<0x0A>"}, Types: []TokenType{Unknown, Control, Normal, Normal, Control, Byte}, Scores: make([]float64, 6)}
	for arch, want := range map[string][]int32{"phi3": {3, 2, 4, 3, 2, 1, 3, 3, 2}, "llama": {3, 2, 4, 3, 3, 0, 2, 1, 3, 3, 2}} {
		w := ggufOf(p, "llama", "default", map[string]any{"tokenizer.arch": arch, "add_bos_token": false})
		w = bytes.Replace(w, []byte("\x0e\x00\x00\x00\x00\x00\x00\x00tokenizer.arch"), []byte("\x14\x00\x00\x00\x00\x00\x00\x00general.architecture"), 1)
		tk, err := FromGGUF(openGGUF(t, w))
		if err != nil {
			t.Fatal(err)
		}
		if ids, err := tk.Encode("a<|user|> \na<s> a", true); err != nil || !slices.Equal(ids, want) {
			t.Errorf("%s: %v (%v), want %v", arch, ids, err, want)
		}
	}
}

// sameIDs compares a tokenizer with that of a tokenizer.json on texts as they are.
func sameIDs(t *testing.T, tk Tokenizer, file []byte, texts map[string]string) {
	t.Helper()
	want, err := Parse("file", file)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range texts {
		a, err1 := tk.Encode(text, true)
		b, err2 := want.Encode(text, false)
		if !slices.Equal(a, b) || err1 != nil || err2 != nil {
			t.Errorf("%s: %v (%v), want %v (%v)", name, a, err1, b, err2)
		}
	}
}

// TestGGUFRefused: what is missing or not supported is named.
func TestGGUFRefused(t *testing.T) {
	for _, c := range []struct {
		style  string
		change map[string]any
		want   string
	}{
		{"qwen2-style", map[string]any{"model": "bert"}, `"bert" is not supported; supported: gpt2`},
		{"qwen2-style", map[string]any{"model": nil}, "no tokenizer.ggml.model"},
		{"qwen2-style", map[string]any{"model": 3}, "want a string"},
		{"qwen2-style", map[string]any{"pre": "viking"}, `"viking" is not supported`},
		{"qwen2-style", map[string]any{"pre": nil}, `"" is not supported`},
		{"qwen2-style", map[string]any{"tokens": nil}, "no tokenizer.ggml.tokens"},
		{"qwen2-style", map[string]any{"merges": nil}, "no tokenizer.ggml.merges"},
		{"qwen2-style", map[string]any{"token_type": []int32{1, 9}}, "token_type[1] is 9"},
		{"qwen2-style", map[string]any{"token_type": []int32{1, 1}}, "2 types for"},
		{"qwen2-style", map[string]any{"add_eos_token": true}, "there is no tokenizer.ggml.eos_token_id"},
		{"qwen2-style", map[string]any{"add_eos_token": true, "eos_token_id": 99999}, "adds token 99999"},
		{"llama2-style", map[string]any{"scores": nil}, "0 scores for"},
		{"llama2-style", map[string]any{"scores": []float32{float32(math.NaN())}}, "1 scores for"},
		{"llama2-style", map[string]any{"remove_extra_whitespaces": true}, "remove_extra_whitespaces"},
	} {
		_, data := ggufStyle(t, c.style, c.change)
		if _, err := FromGGUF(openGGUF(t, data)); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "m.gguf") {
			t.Errorf("error %v, want one that names the file and says %q", err, c.want)
		}
	}
}

// TestGGUFFile reads tokenizer and chat template of a file as those of a folder are read.
func TestGGUFFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.gguf")
	_, data := ggufStyle(t, "llama3-style", map[string]any{"tokenizer.chat_template": "{{ bos_token }}{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}", "eos_token_id": 1967})
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	tk, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := tk.Encode("x", true)
	if err != nil || len(ids) != 2 || ids[0] != 1960 || tk.Decode(ids, true) != "x" {
		t.Errorf("%v, %v", ids, err)
	}
	chat, err := LoadChat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := chat.Render([]Message{{Role: "user", Content: "hi"}}, true); err != nil || got != "<|begin_of_text|>hi<|eot_id|>" {
		t.Errorf("%q, %v", got, err)
	}
	_, data = ggufStyle(t, "llama3-style", nil)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadChat(path); !errors.Is(err, ErrNoTemplate) {
		t.Errorf("no template: %v", err)
	}
	if err := os.WriteFile(path, []byte("PK\x03\x04"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "zip archive") {
		t.Errorf("a zip archive: %v", err)
	}
}

// FuzzGGUF reads a file's tokenizer and template: whatever the bytes are, it must neither panic nor take more than a few times their memory.
func FuzzGGUF(f *testing.F) {
	p := Parts{Tokens: []string{"<unk>", "<s>", "a", "b", "ab", "▁", "<0x0A>"}, Types: []TokenType{2, 3, 1, 1, 1, 1, 6}, Scores: []float64{0, 0, -1, -2, -3, -4, 0}, Before: []int32{1}}
	f.Add(ggufOf(p, "llama", "default", map[string]any{"tokenizer.chat_template": "{{ bos_token }}"}))
	p = Parts{Tokens: []string{"<s>"}, Types: []TokenType{3}, Merges: []string{"a b"}}
	for b := range byteToRune {
		p.Tokens, p.Types = append(p.Tokens, string(byteToRune[b])), append(p.Types, 1)
	}
	p.Tokens, p.Types = append(p.Tokens, "ab"), append(p.Types, 1)
	f.Add(ggufOf(p, "gpt2", "qwen2", nil))
	f.Add(ggufOf(p, "gpt2", "tekken", map[string]any{"bos_token_id": 0}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		file, err := gguf.FromBytes("x.gguf", b)
		if err != nil {
			return
		}
		chatFromGGUF(file)
		tk, err := FromGGUF(file)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 4*uint64(len(b))+64<<20 {
			t.Errorf("%d bytes allocated for a file of %d", n, len(b))
		}
		if err != nil {
			return
		}
		ids, err := tk.Encode("ab a\nä<s>", true)
		if err == nil {
			tk.Decode(ids, false)
		}
	})
}
