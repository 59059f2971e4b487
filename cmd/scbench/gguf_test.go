package main

import (
	"encoding/json"
	"os"

	"github.com/rogpeppe/go-internal/testscript"

	"scbench/stages/gguf"
	"scbench/stages/gguf/gguftest"
)

// writeGGUF DIR FILE TYPE converts a checkpoint folder to a GGUF file of F32, F16, BF16 or Q8_0, with its tokenizer.json whole, as no name of
// a pre-tokenizer stands for that of the embedded model.
func writeGGUF(ts *testscript.TestScript, _ bool, args []string) {
	dir := os.DirFS(ts.MkAbs(args[0]))
	var c struct {
		Template string `json:"chat_template"`
	}
	var tokenizer struct {
		Model struct{ Vocab map[string]int }
		Added []struct {
			ID      int
			Content string
		} `json:"added_tokens"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0]+"/tokenizer_config.json")), &c))
	whole := ts.ReadFile(args[0] + "/tokenizer.json")
	ts.Check(json.Unmarshal([]byte(whole), &tokenizer))
	tokens := make([]string, len(tokenizer.Model.Vocab)+len(tokenizer.Added))
	for text, id := range tokenizer.Model.Vocab {
		tokens[id] = text
	}
	for _, t := range tokenizer.Added {
		tokens[t.ID] = t.Content
	}
	for _, kind := range []gguf.Type{gguf.F32, gguf.F16, gguf.BF16, gguf.Q8_0} {
		if kind.String() != args[2] {
			continue
		}
		b, err := gguftest.Model(dir, kind, func(w *gguftest.Writer) {
			w.Set("tokenizer.huggingface.json", whole)
			w.Set("tokenizer.ggml.tokens", tokens)
			w.Set("tokenizer.chat_template", c.Template)
		})
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o644))
		return
	}
	ts.Fatalf("gguf: no type %s", args[2])
}
