package tokenizers

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sentencePieceFile writes a vocabulary as SentencePiece's trainer would.
func sentencePieceFile(p Parts, normalizer, trainer []byte) []byte {
	field := func(dst []byte, key byte, data []byte) []byte {
		dst = binary.AppendUvarint(append(dst, key<<3|2), uint64(len(data)))
		return append(dst, data...)
	}
	var out []byte
	for id, text := range p.Tokens {
		piece := field(nil, 1, []byte(text))
		piece = binary.LittleEndian.AppendUint32(append(piece, 2<<3|5), math.Float32bits(float32(p.Scores[id])))
		if p.Types[id] != Normal {
			piece = append(piece, 3<<3, byte(p.Types[id]))
		}
		out = field(out, 1, piece)
	}
	return field(field(out, 2, trainer), 3, normalizer)
}

// modelDir writes files into a directory.
func modelDir(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var (
	plainNormalizer = []byte{3 << 3, 1, 4 << 3, 0} // a dummy prefix, and spaces stay
	bpeTrainer      = []byte{3 << 3, 2}
)

// scoredParts has the vocabulary of a golden, with the scores that SentencePiece gives.
func scoredParts(t testing.TB, style string) (Parts, []byte) {
	p, file, _ := partsOf(t, style, SentencePiece)
	p.Types[0] = Unknown
	for id := range p.Tokens {
		p.Scores = append(p.Scores, -float64(id))
	}
	return p, file
}

// TestLoadModelFiles loads directories without a tokenizer.json and compares with the goldens.
func TestLoadModelFiles(t *testing.T) {
	llama, llamaFile := scoredParts(t, "llama2-style")
	model := string(sentencePieceFile(llama, plainNormalizer, bpeTrainer))
	glm, glmFile, merges := partsOf(t, "glm4-style", ByteBPE)
	made := map[string]bool{}
	for _, m := range merges {
		made[strings.ReplaceAll(m, " ", "")] = true
	}
	var lines strings.Builder
	added := map[string]any{}
	for id, text := range glm.Tokens {
		if b, _ := byteLevelBytes(text); glm.Types[id] == Normal {
			if len(b) > 1 && !made[text] {
				continue // tiktoken would make it of a whole word, as Hugging Face would not here
			}
			fmt.Fprintf(&lines, "%s %d\n", base64.StdEncoding.EncodeToString(b), id)
		} else {
			added[fmt.Sprint(id)] = map[string]any{"content": text, "special": glm.Types[id] == Control}
		}
	}
	glmConfig, err := json.Marshal(map[string]any{"tokenizer_class": "ChatGLM4Tokenizer", "added_tokens_decoder": added})
	if err != nil {
		t.Fatal(err)
	}
	texts := tortureTexts(t, filepath.Join(goldenDir(), "tokenizers"))
	for style, c := range map[string]struct {
		model, config string
		file          []byte
	}{
		"llama2-style":            {model, `{"tokenizer_class":"LlamaTokenizer"}`, llamaFile},
		"mistral-metaspace-style": {model, `{"tokenizer_class":"LlamaTokenizer","legacy":false,"add_eos_token":false}`, llamaFile},
		"glm4-style":              {lines.String(), string(glmConfig), glmFile},
	} {
		t.Run(style, func(t *testing.T) {
			tk, err := Load(modelDir(t, map[string]string{"tokenizer.model": c.model, "tokenizer_config.json": c.config}))
			if err != nil {
				t.Fatal(err)
			}
			var g goldenFile
			readJSON(t, filepath.Join(goldenDir(), "tokenizers", style+".golden.json"), &g)
			checkCases(t, tk, g, texts, c.file)
			checkPairsAndDecode(t, tk, g)
		})
	}
}

func TestLoadModelFileErrors(t *testing.T) {
	p, _ := scoredParts(t, "llama2-style")
	model := func(normalizer, trainer []byte) string { return string(sentencePieceFile(p, normalizer, trainer)) }
	good := model(plainNormalizer, bpeTrainer)
	config := `{"tokenizer_class":"LlamaTokenizer"}`
	for want, files := range map[string]map[string]string{
		"tokenizer_config.json: no such file": {"tokenizer.model": good},
		`of a "XLMRobertaTokenizer"`:          {"tokenizer.model": good, "tokenizer_config.json": `{"tokenizer_class":"XLMRobertaTokenizer"}`},
		"not BPE":                             {"tokenizer.model": model(plainNormalizer, []byte{3 << 3, 1}), "tokenizer_config.json": config},
		"normalizes text":                     {"tokenizer.model": model([]byte{3 << 3, 1}, bpeTrainer), "tokenizer_config.json": config},
		"ends within a field":                 {"tokenizer.model": good[:len(good)/2], "tokenizer_config.json": config},
		"has no tokens":                       {"tokenizer.model": "", "tokenizer_config.json": config},
		"is HTML":                             {"tokenizer.model": "<!DOCTYPE html><p>Sign in</p>", "tokenizer_config.json": config},
		"Git LFS":                             {"tokenizer.json": "version https://git-lfs.github.com/spec/v1\n"},
		"Python pickle":                       {"tokenizer.json": "\x80\x04\x95abc"},
		"zip archive":                         {"tokenizer.json": "PK\x03\x04"},
		"is no id":                            {"tokenizer.model": good, "tokenizer_config.json": `{"tokenizer_class":"LlamaTokenizer","added_tokens_decoder":{"x":{}}}`},
		`of a "QWenTokenizer"`:                {"tokenizer.model": "IQ== 0\n", "tokenizer_config.json": `{"tokenizer_class":"QWenTokenizer"}`},
		"line 2":                              {"tokenizer.model": "IQ== 0\nIg== 99999\n", "tokenizer_config.json": `{"tokenizer_class":"ChatGLM4Tokenizer"}`},
		`"[gMASK]" is not in`:                 {"tokenizer.model": "IQ== 0\n", "tokenizer_config.json": `{"tokenizer_class":"ChatGLM4Tokenizer"}`},
	} {
		if _, err := Load(modelDir(t, files)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "tokenizer.") {
			t.Errorf("%v; want an error that names the file and says %q", err, want)
		}
	}
}

func FuzzModelFile(f *testing.F) {
	p := Parts{Tokens: []string{"<unk>", "<s>", "a", "b", "ab", "▁"}, Scores: []float64{0, 0, -1, -2, -3, -4}, Types: []TokenType{2, 3, 1, 1, 1, 1}}
	f.Add(sentencePieceFile(p, plainNormalizer, bpeTrainer))
	f.Add([]byte("IQ== 0\nIg== 1\nISI= 2\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, parse := range []func([]byte, tokenizerConfig) (*tokenizer, error){
			sentencePieceTokenizer,
			func(data []byte, _ tokenizerConfig) (*tokenizer, error) {
				p, err := parseTiktoken(data)
				if err != nil {
					return nil, err
				}
				p.Split = gpt2Pattern
				return p.build()
			},
		} {
			tk, err := parse(data, tokenizerConfig{Class: "LlamaTokenizer"})
			if err != nil {
				continue
			}
			if ids, err := tk.Encode("ab ▁ é\xff", true); err == nil {
				tk.Decode(ids, false)
			}
		}
	})
}
