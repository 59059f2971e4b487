package tokenizers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestKinds compares one normalizer, pre-tokenizer or decoder of each kind with what the reference library makes of the golden texts.
// .ci/tokenizers/kinds.mjs writes the file.
func TestKinds(t *testing.T) {
	var all struct {
		Style string
		Kinds []struct {
			Name   string
			Change map[string]json.RawMessage
			Cases  []struct {
				Name    string
				IDs     []int32
				Decoded *string // only of kinds with another decoder
			}
		}
	}
	readJSON(t, filepath.Join("testdata", "kinds.json"), &all)
	dir := filepath.Join("..", "..", "testdata", "golden", "tokenizers")
	texts := tortureTexts(t, dir)
	base, err := os.ReadFile(filepath.Join(dir, all.Style, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(all.Kinds) == 0 {
		t.Fatal("no kinds")
	}
	for _, k := range all.Kinds {
		t.Run(k.Name, func(t *testing.T) {
			var file map[string]json.RawMessage
			if err := json.Unmarshal(base, &file); err != nil {
				t.Fatal(err)
			}
			for field, raw := range k.Change {
				file[field] = raw
			}
			data, err := json.Marshal(file)
			if err != nil {
				t.Fatal(err)
			}
			tk, err := Parse(k.Name, data)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range k.Cases {
				got, spans, err := tk.EncodeOffsets(texts[c.Name], false)
				if err != nil || !slices.Equal(got, c.IDs) {
					t.Errorf("%s: %q: ids %v, %v; want %v", c.Name, texts[c.Name], got, err, c.IDs)
				}
				for i, s := range spans {
					if s.Lo > s.Hi || s.Hi > len(texts[c.Name]) || i > 0 && s.Lo < spans[i-1].Lo {
						t.Errorf("%s: %q: spans %v", c.Name, texts[c.Name], spans)
						break
					}
				}
				if c.Decoded == nil {
					continue
				}
				if got := tk.Decode(c.IDs, false); got != *c.Decoded {
					t.Errorf("%s: %v: decoded %q; want %q", c.Name, c.IDs, got, *c.Decoded)
				}
				if got := streamed(tk, c.IDs, false); got != *c.Decoded {
					t.Errorf("%s: %v: streamed %q; want %q", c.Name, c.IDs, got, *c.Decoded)
				}
			}
		})
	}
}
