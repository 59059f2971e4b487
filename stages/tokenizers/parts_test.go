package tokenizers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// partsOf takes the tokenizer of a golden apart, as GGUF metadata would have it.
func partsOf(t testing.TB, style string, kind PartsKind) (p Parts, file []byte, merges []string) {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(goldenDir(), "tokenizers", style, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Model struct {
			Vocab  map[string]int32
			Merges mergeList
		}
	}
	if err := json.Unmarshal(file, &f); err != nil {
		t.Fatal(err)
	}
	tk, err := Parse(style, file)
	if err != nil {
		t.Fatal(err)
	}
	whole := tk.(*tokenizer)
	p = Parts{Kind: kind, Tokens: make([]string, whole.VocabSize()), Types: make([]TokenType, whole.VocabSize())}
	for id := range p.Types {
		p.Types[id] = Normal
	}
	for text, id := range f.Model.Vocab {
		p.Tokens[id] = text
	}
	for id, a := range whole.added.byID {
		p.Tokens[id], p.Types[id] = a.Content, UserDefined
		if a.Special {
			p.Types[id] = Control
		}
	}
	if whole.post.single[0].text < 0 {
		for _, item := range whole.post.single[:slices.IndexFunc(whole.post.single, func(i templateItem) bool { return i.text >= 0 })] {
			p.Before = append(p.Before, item.ids...)
		}
	}
	for _, m := range f.Model.Merges {
		merges = append(merges, m.left+" "+m.right)
	}
	return p, file, merges
}

// TestParts puts tokenizers together again and compares them with the goldens.
func TestParts(t *testing.T) {
	texts := tortureTexts(t, filepath.Join(goldenDir(), "tokenizers"))
	for style, pre := range map[string]string{
		"gpt2-style": "gpt-2", "llama3-style": "llama-bpe", "glm4-style": "glm4", "qwen2-style": "qwen2", "llama2-style": "prefix", "gemma-style": "",
	} {
		t.Run(style, func(t *testing.T) {
			kind := ByteBPE
			if pre == "" || pre == "prefix" {
				kind = SentencePiece
			}
			p, file, merges := partsOf(t, style, kind)
			if kind == SentencePiece {
				p.SpacePrefix = pre == "prefix"
				p.Types[0] = Unknown
				for id := range p.Tokens {
					p.Scores = append(p.Scores, -float64(id))
				}
				v, err := p.vocabulary()
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, m := range p.mergesByScore(v) {
					got = append(got, p.Tokens[m.left]+" "+p.Tokens[m.right])
				}
				if !slices.Equal(got, merges) {
					t.Errorf("%d merges made of the scores; the file has %d, or others", len(got), len(merges))
				}
			} else {
				p.Merges = merges
				if err := p.SetPre(pre); err != nil {
					t.Fatal(err)
				}
			}
			tk, err := p.Build(style)
			if err != nil {
				t.Fatal(err)
			}
			var g goldenFile
			readJSON(t, filepath.Join(goldenDir(), "tokenizers", style+".golden.json"), &g)
			checkCases(t, tk, g, texts, file)
			checkPairsAndDecode(t, tk, g)
		})
	}
}

func TestPartsErrors(t *testing.T) {
	base, _, merges := partsOf(t, "gpt2-style", ByteBPE)
	base.Merges, base.Split = merges, gpt2Pattern
	if _, err := base.Build("whole"); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(p *Parts){
		"7 types for":                      func(p *Parts) { p.Types = p.Types[:7] },
		"no split pattern":                 func(p *Parts) { p.Split = "" },
		"must be one for each":             func(p *Parts) { p.Kind = SentencePiece },
		"are both":                         func(p *Parts) { p.Tokens = append(slices.Clone(p.Tokens[:40]), p.Tokens[39:len(p.Tokens)-1]...) },
		"merges[1]":                        func(p *Parts) { p.Merges = []string{"a b", "abc"} },
		"is not in parts.vocab":            func(p *Parts) { p.Merges = []string{"Q ~"} },
		"adds token 99999":                 func(p *Parts) { p.Before = []int32{99999} },
		"not UTF-8":                        func(p *Parts) { p.Tokens = slices.Clone(p.Tokens); p.Tokens[3] = "\xff" },
		`tokenizer.ggml.pre: "odd" is not`: func(p *Parts) { p.Split = p.SetPre("odd").Error() },
	} {
		p := base
		change(&p)
		if strings.HasPrefix(want, "tokenizer.ggml") {
			if !strings.HasPrefix(p.Split, want) {
				t.Errorf("%s; want %s", p.Split, want)
			}
			continue
		}
		if _, err := p.Build("some.gguf"); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "some.gguf: ") {
			t.Errorf("%v; want an error that says %q", err, want)
		}
	}
	other := base
	other.Before = []int32{1756}
	if base.hash(nil) == other.hash(nil) || len(base.hash(nil)) != 64 {
		t.Errorf("hashes %s and %s", base.hash(nil), other.hash(nil))
	}
}
