package tokenizers

import (
	"path/filepath"
	"slices"
	"testing"
	"unicode/utf8"
)

// FuzzScanners compares every hand-written scanner with its pattern, run by a regular expression engine that knows nothing of them.
func FuzzScanners(f *testing.F) {
	var slow []patternSplit
	for _, s := range scanners {
		find, err := compilePattern(s.pattern, "test")
		if err != nil {
			f.Fatal(err)
		}
		slow = append(slow, patternSplit{find, false, isolated})
	}
	for _, text := range tortureTexts(f, filepath.Join(goldenDir(), "tokenizers")) {
		f.Add(text)
	}
	for _, text := range []string{"ABCdef'LL GhǅI ʰªº中a\u0301B'S\r\n//x", "a\u1c89\U00010d50\U00010d70B 1２345\u00a0 \n/", "'ſ'Sſ's \u2028\u0085/\n/\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || len(text) > 1<<10 {
			return // the engine and the tokenizer read broken text each in its way, and backtracking takes its time
		}
		for i, s := range scanners {
			got, want := words(t, scanSplit{classTable(), s.scan}, text), words(t, slow[i], text)
			if !slices.Equal(got, want) {
				t.Errorf("scanner %d, %q: %q; want %q", i, text, got, want)
			}
		}
	})
}
