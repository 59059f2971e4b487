package tokenizers

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// TestGoldenClasses compares the classes of all code points with those that the reference library was seen to use.
func TestGoldenClasses(t *testing.T) {
	var golden map[string]json.RawMessage
	readJSON(t, filepath.Join(goldenDir(), "tokenizers", "unicode_classes.json"), &golden)
	c := classTable()
	in := func(set uint8) func(rune) bool { return func(r rune) bool { return c[r]&set != 0 } }
	clean := func(becomes string) func(rune) bool {
		return func(r rune) bool {
			text, replaced := cleanRune(r)
			return replaced && text == becomes
		}
	}
	for name, is := range map[string]func(rune) bool{
		`\p{L}`: in(letter), `\p{N}`: in(number), `\s`: in(blank), "bert_punctuation": isBertPunctuation, "bert_pretok_whitespace": unicode.IsSpace,
		"bert_clean_removed": clean(""), "bert_clean_to_space": clean(" "),
		"bert_chinese": func(r rune) bool { _, yes := spaceChinese(r); return yes },
	} {
		var ranges [][2]rune
		if err := json.Unmarshal(golden[name], &ranges); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		at := 0
		for r := rune(0); r <= utf8.MaxRune; r++ {
			for at < len(ranges) && ranges[at][1] < r {
				at++
			}
			want := at < len(ranges) && ranges[at][0] <= r
			if got := is(r); got != want && !(0xD800 <= r && r < 0xE000) { // surrogates are no characters
				t.Errorf("%U in %s: %v; want %v", r, name, got, want)
			}
		}
	}
}

// words are the pieces that a splitter makes.
func words(t testing.TB, s splitter, text string) []string {
	t.Helper()
	var out []string
	err := s.split(word{text: text}, func(w word) error {
		if w.pad == 0 && text[w.pos:w.pos+len(w.text)] != w.text {
			t.Errorf("word %q is not at %d of %q", w.text, w.pos, text)
		}
		if w.text != "" {
			out = append(out, w.text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestScanners compares each hand-written scanner with its pattern run by a regular expression engine.
func TestScanners(t *testing.T) {
	var texts []string
	for _, s := range tortureTexts(t, filepath.Join(goldenDir(), "tokenizers")) {
		texts = append(texts, s)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		texts = append(texts, randomText(r))
	}
	for i, s := range scanners {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			find, err := compilePattern(s.pattern, "test")
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range texts {
				got := words(t, scanSplit{classTable(), s.scan}, text)
				want := words(t, patternSplit{find, false, isolated}, text)
				if !slices.Equal(got, want) {
					t.Fatalf("%q: %q; want %q", text, got, want)
				}
			}
		})
	}
}

// TestNewCases wants the newer letters of each case to be all newer letters, each once.
func TestNewCases(t *testing.T) {
	seen := map[rune]int{}
	for _, list := range [][][2]rune{newCapitals, newSmalls, newModifier, newCaseless} {
		for _, r := range list {
			for c := r[0]; c <= r[1]; c++ {
				seen[c]++
			}
		}
	}
	n := 0
	for _, r := range newLetters {
		for c := r[0]; c <= r[1]; c++ {
			if n++; seen[c] != 1 {
				t.Errorf("%U is in %d lists", c, seen[c])
			}
		}
	}
	if n != len(seen) {
		t.Errorf("%d newer letters, %d of them with a case or without", n, len(seen))
	}
}

// randomText is made of pieces at which patterns decide something.
func randomText(r *rand.Rand) string {
	pieces := []string{
		" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u0085", "\u200b", "a", "Z", "é", "ſ", "世", "'", "'s", "'S", "'ſ", "'re", "'LL", "'l",
		"1", "23", "٣", "½", "Ⅷ", ".", "!?", "-", "-3f", "a1", "1a", "ab", "f", "_", "😀", "\u0301", "\u1c89", "\U00010d40", `": "`, "\u2028", "\x0b",
		"ABC", "Bc", "ǅ", "ʰ", "/", "//\n", "\U00010d50", "\U00010d70", "ªº", "Й",
	}
	var b strings.Builder
	for range r.IntN(12) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

func TestBehaviors(t *testing.T) {
	// The example of the reference's documentation.
	for behavior, want := range map[string]string{
		"Removed":            "the|final|countdown",
		"Isolated":           "the|-|final|-|-|countdown",
		"Contiguous":         "the|-|final|--|countdown",
		"MergedWithPrevious": "the-|final-|-|countdown",
		"MergedWithNext":     "the|-final|-|-countdown",
	} {
		for _, invert := range []bool{false, true} {
			pattern := `{"String":"-"}`
			if invert {
				pattern = `{"Regex":"[^-]+|(?!-)x"}` // the same stretches, seen from the other side
			}
			if invert && behavior != "Removed" {
				continue
			}
			s, err := parseSplit(json.RawMessage(fmt.Sprintf(`{"pattern":%s,"behavior":%q,"invert":%v}`, pattern, behavior, invert)), "test")
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(words(t, s[0], "the-final--countdown"), "|"); got != want {
				t.Errorf("%s, invert %v: %s; want %s", behavior, invert, got, want)
			}
		}
	}
}

func TestDigits(t *testing.T) {
	for config, want := range map[string]string{
		`{"individual_digits":true}`:  "a|1|2|b|٣|½",
		`{"individual_digits":false}`: "a|12|b|٣½",
	} {
		s, err := parseDigits(json.RawMessage(config), "test")
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(words(t, s[0], "a12b٣½"), "|"); got != want {
			t.Errorf("%s: %s; want %s", config, got, want)
		}
	}
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct{ pattern, text, want string }{
		{`\s+`, "a \u0085b\u200bc", "a| \u0085|b\u200bc"},
		{`[^\s\d]+`, "a b1٣", "a| |b|1٣"},
		{`[\S]`, "a b", "a| |b"},
		{`\p{L}+(?=x)`, "aax b\u1c89x", "aa|x |b\u1c89|x"},
		{`(?i:'s)`, "a'Sb'ſc", "a|'S|b|'ſ|c"},
		{`\u0041|\x{42}|\x43`, "ABCD", "A|B|C|D"},
		{`[\r\n]{2,3}?|[a-c\-]`, "a\n\n\n-", "a|\n\n|\n|-"},
	} {
		find, err := compilePattern(c.pattern, "test")
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if got := strings.Join(words(t, patternSplit{find, false, isolated}, c.text), "|"); got != c.want {
			t.Errorf("%s: %q; want %q", c.pattern, got, c.want)
		}
	}
	for _, pattern := range []string{
		`\w+`, `\bx`, `(ab){2}`, `a{101}`, strings.Repeat("a", 5000), `^a`, `a$`, `a++`, `a*+`, `[a[bc]]`, `[a&&b]`, `(?x)a`, `(?<n>a)`, `(?i:ss)`, `(?i:é)`, `\p{Nope}`, `\p{^L}`, `\h`, `\1`, `a{,3}`, `\`, `(?i:s)(?#c)`, `[[:alpha:]]`, `(`, `a\x{110000}`,
	} {
		if _, err := compilePattern(pattern, "model.field"); err == nil || !strings.Contains(err.Error(), "model.field") {
			t.Errorf("%s: %v; want an error that names the field", pattern, err)
		}
	}
}

// TestBertMarks compares the marks of all code points with those that the reference library was seen to remove.
func TestBertMarks(t *testing.T) {
	var seen struct{ Marks [][2]rune }
	readJSON(t, filepath.Join("testdata", "bert_marks.json"), &seen)
	if len(seen.Marks) < 200 {
		t.Fatalf("%d ranges", len(seen.Marks))
	}
	for r := rune(1); r <= utf8.MaxRune; r++ {
		if got, want := withoutMarks(string(r)) == "", inRanges(r, seen.Marks); got != want && !(0xD800 <= r && r < 0xE000) {
			t.Errorf("%U is removed: %v; want %v", r, got, want)
		}
	}
}
