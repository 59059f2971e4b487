package tokenizers

import (
	"encoding/hex"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// vocabularyFile reads a file of the vocabulary of a golden: of those stored with it, or of published ones under $SCBENCH_VOCABULARIES,
// which .ci/tokenizers/vocabularies.mjs writes.
func vocabularyFile(style, name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(goldenDir(), "tokenizers", style, name))
	if dir := os.Getenv("SCBENCH_VOCABULARIES"); errors.Is(err, os.ErrNotExist) && dir != "" {
		return os.ReadFile(filepath.Join(dir, style, name))
	}
	return data, err
}

// readTiktoken makes a tokenizer of a published tiktoken vocabulary, with its special tokens if they are to be found in text.
func readTiktoken(t testing.TB, style string, special bool) *tokenizer {
	data, err := vocabularyFile(style, "vocabulary.tiktoken")
	if err != nil {
		t.Skip("not run: its vocabulary is not at hand; set SCBENCH_VOCABULARIES to a folder that .ci/tokenizers/vocabularies.mjs wrote")
	}
	p, err := parseTiktoken(data)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(os.Getenv("SCBENCH_VOCABULARIES"), style, "vocabulary.json")
	var settings struct {
		Pattern string
		Special map[string]int32
	}
	readJSON(t, path, &settings)
	p.Split = settings.Pattern
	var extra []addedToken
	for _, content := range slices.Sorted(maps.Keys(settings.Special)) {
		if special {
			extra = append(extra, addedToken{ID: settings.Special[content], Content: content, Special: true})
		}
	}
	tk, err := p.build(extra...)
	if err != nil {
		t.Fatal(err)
	}
	return tk
}

// TestGoldenTiktoken compares with tiktoken on its own vocabularies.
func TestGoldenTiktoken(t *testing.T) {
	dir := filepath.Join(goldenDir(), "tokenizers")
	texts := tortureTexts(t, dir)
	files, err := filepath.Glob(filepath.Join(dir, "real-*.golden.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no goldens in %s: %v", dir, err)
	}
	for _, path := range files {
		style := strings.TrimSuffix(filepath.Base(path), ".golden.json")
		var g struct {
			Meta  struct{ Implementation string }
			Cases []struct {
				Name       string
				IDs        []int32
				IDsSpecial []int32 `json:"ids_special"`
			}
			Decode []struct {
				IDs   []int32
				Bytes string `json:"bytes_hex"`
			}
		}
		readJSON(t, path, &g)
		if !strings.Contains(g.Meta.Implementation, "tiktoken") {
			continue
		}
		t.Run(style, func(t *testing.T) {
			plain, special := readTiktoken(t, style, false), readTiktoken(t, style, true)
			for _, c := range g.Cases {
				if c.IDsSpecial == nil {
					c.IDsSpecial = c.IDs
				}
				if got := encode(t, plain, texts[c.Name]); !slices.Equal(got, c.IDs) {
					t.Errorf("%s: %v; want %v", c.Name, got, c.IDs)
				}
				if got := encode(t, special, texts[c.Name]); !slices.Equal(got, c.IDsSpecial) {
					t.Errorf("%s: with special tokens %v; want %v", c.Name, got, c.IDsSpecial)
				}
			}
			for _, d := range g.Decode {
				var got []byte
				for _, id := range d.IDs {
					b, _ := special.piece(id, false, false)
					got = append(got, b...)
				}
				if hex.EncodeToString(got) != d.Bytes {
					t.Errorf("%v: %x; want %s", d.IDs, got, d.Bytes)
				}
			}
			t.Logf("%d texts encoded and %d rows of ids decoded as tiktoken does", len(g.Cases), len(g.Decode))
		})
	}
}
