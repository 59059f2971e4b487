package tokenizers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// goldenDir is the folder of golden vectors.
func goldenDir() string {
	if dir := os.Getenv("SCBENCH_GOLDEN"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "testdata", "golden")
}

func readJSON(t testing.TB, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// goldenFile is the form of <style>.golden.json.
type goldenFile struct {
	Cases []struct {
		Name        string
		IDs         []int32
		IDsSpecial  []int32 `json:"ids_special"`
		Offsets     []int
		Normalized  *string
		Decoded     string
		DecodedSkip *string `json:"decoded_special_skip"`
	}
	Pairs []struct {
		A, B  string
		IDs   []int32
		Types []int32 `json:"type_ids"`
	}
	Decode []struct {
		IDs      []int32
		Text     string
		TextSkip string `json:"text_skip"`
	}
}

func TestGoldenTokenizers(t *testing.T) {
	dir := filepath.Join(goldenDir(), "tokenizers")
	texts := tortureTexts(t, dir)
	files, err := filepath.Glob(filepath.Join(dir, "*.golden.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no goldens in %s: %v", dir, err)
	}
	ran := 0
	for _, path := range files {
		style := strings.TrimSuffix(filepath.Base(path), ".golden.json")
		t.Run(style, func(t *testing.T) {
			data, err := vocabularyFile(style, "tokenizer.json")
			if os.IsNotExist(err) {
				t.Skip("not run here: it has no tokenizer.json, or that is not at hand; set SCBENCH_VOCABULARIES to a folder that .ci/tokenizers/vocabularies.mjs wrote")
			}
			tk, err := Parse(style, data)
			if err != nil {
				t.Fatal(err)
			}
			var g goldenFile
			readJSON(t, path, &g)
			checkCases(t, tk, g, texts, data)
			checkPairsAndDecode(t, tk, g)
			ran++
		})
	}
	if ran == 0 {
		t.Fatalf("no golden in %s has its vocabulary", dir)
	}
}

func tortureTexts(t testing.TB, dir string) map[string]string {
	var list []struct{ Name, Text string }
	readJSON(t, filepath.Join(dir, "torture.json"), &list)
	texts := map[string]string{}
	for _, e := range list {
		texts[e.Name] = e.Text
	}
	return texts
}

func checkCases(t *testing.T, tk Tokenizer, g goldenFile, texts map[string]string, file []byte) {
	trim := readTrim(t, file)
	located, moved := 0, 0
	for _, c := range g.Cases {
		text, ok := texts[c.Name]
		if !ok {
			t.Fatalf("case %s is not in torture.json", c.Name)
		}
		if c.IDsSpecial == nil {
			c.IDsSpecial = c.IDs
		}
		if c.DecodedSkip == nil {
			c.DecodedSkip = &c.Decoded
		}
		if got, err := tk.Encode(text, false); err != nil || !slices.Equal(got, c.IDs) {
			t.Errorf("%s: ids %v, %v; want %v", c.Name, got, err, c.IDs)
			continue
		}
		ids, spans, err := tk.EncodeOffsets(text, true)
		if err != nil || !slices.Equal(ids, c.IDsSpecial) {
			t.Errorf("%s: with special tokens: ids %v, %v; want %v", c.Name, ids, err, c.IDsSpecial)
			continue
		}
		if got, err := tk.Encode(text, true); err != nil || !slices.Equal(got, ids) {
			t.Errorf("%s: Encode %v, %v; EncodeOffsets %v", c.Name, got, err, ids)
		}
		if got := tk.Decode(c.IDs, false); got != c.Decoded {
			t.Errorf("%s: decoded %q; want %q", c.Name, got, c.Decoded)
		}
		if got := tk.Decode(ids, true); got != *c.DecodedSkip {
			t.Errorf("%s: decoded without special tokens %q; want %q", c.Name, got, *c.DecodedSkip)
		}
		if c.Normalized != nil && !strings.ContainsAny(text, "<[") { // with added tokens in the text the reference normalizes what is between
			if got, _, _ := tk.(*tokenizer).normal.normalize(text, false); got != *c.Normalized {
				t.Errorf("%s: normalized %q; want %q", c.Name, got, *c.Normalized)
			}
		}
		got := trim.reference(tk.(*tokenizer), text, ids, spans)
		switch {
		case c.Offsets == nil: // the published vocabularies' goldens have none
		case c.Normalized == nil && !slices.Equal(got, c.Offsets):
			t.Errorf("%s: offsets %v; want %v", c.Name, got, c.Offsets)
		case c.Normalized == nil:
			located++
		case !slices.Equal(got, c.Offsets):
			moved++
		}
	}
	t.Logf("%d cases; offsets equal in %d where the text was not changed by the normalizer; where it was, different by design in %d", len(g.Cases), located, moved)
}

func checkPairsAndDecode(t *testing.T, tk Tokenizer, g goldenFile) {
	for _, p := range g.Pairs {
		ids, types, err := tk.(PairEncoder).EncodePair(p.A, p.B)
		if err != nil || !slices.Equal(ids, p.IDs) || !slices.Equal(types, p.Types) {
			t.Errorf("pair %q, %q: %v %v %v; want %v %v", p.A, p.B, ids, types, err, p.IDs, p.Types)
		}
	}
	for _, d := range g.Decode {
		if got := tk.Decode(d.IDs, false); got != d.Text {
			t.Errorf("decode %v: %q; want %q", d.IDs, got, d.Text)
		}
		if got := tk.Decode(d.IDs, true); got != d.TextSkip {
			t.Errorf("decode %v without special tokens: %q; want %q", d.IDs, got, d.TextSkip)
		}
		for skip, want := range map[bool]string{false: d.Text, true: d.TextSkip} {
			if got := streamed(tk, d.IDs, skip); got != want {
				t.Errorf("stream %v: %q; want %q", d.IDs, got, want)
			}
		}
	}
}

func streamed(tk Tokenizer, ids []int32, skip bool) string {
	s := tk.Stream(skip)
	var b strings.Builder
	for _, id := range ids {
		b.WriteString(s.Push(id))
	}
	return b.String() + s.Flush()
}

// trimming is what the reference does to the offsets of byte-level tokens.
type trimming struct {
	on     bool
	prefix bool // add_prefix_space
}

// readTrim finds the post-processor that trims.
func readTrim(t *testing.T, file []byte) trimming {
	type processor struct {
		Type           string
		TrimOffsets    bool `json:"trim_offsets"`
		AddPrefixSpace bool `json:"add_prefix_space"`
		Processors     []json.RawMessage
	}
	var f struct {
		PostProcessor json.RawMessage `json:"post_processor"`
	}
	if err := json.Unmarshal(file, &f); err != nil {
		t.Fatal(err)
	}
	queue := []json.RawMessage{f.PostProcessor}
	for len(queue) > 0 {
		var p processor
		if err := json.Unmarshal(queue[0], &p); err != nil {
			t.Fatal(err)
		}
		queue = append(queue[1:], p.Processors...)
		if p.TrimOffsets {
			return trimming{true, p.AddPrefixSpace}
		}
	}
	return trimming{}
}

// reference turns exact byte spans into the reference's offsets: in characters, a part of a character being all of it,
// special tokens around the text at 0, white space at the ends of a token trimmed.
func (tr trimming) reference(tk *tokenizer, text string, ids []int32, spans []Span) []int {
	added := [2]int{} // special tokens before and after the text
	side := 0
	for _, item := range tk.post.single {
		if item.text >= 0 {
			side = 1
		}
		added[side] += len(item.ids)
	}
	before, after := added[0], len(ids)-added[1]
	var out []int
	for i, id := range ids {
		if i < before || i >= after {
			out = append(out, 0, 0)
			continue
		}
		lo, hi := characters(text, spans[i])
		content := text[spans[i].Lo:spans[i].Hi] // an added token has the white space it took
		if _, isAdded := tk.added.byID[id]; !isAdded {
			content = tk.model.tokens()[id]
		}
		if lead := len(content) - len(strings.TrimLeftFunc(content, isBlank)); lead > 0 && lo == hi {
			hi++ // a space put before the text has the place of the first character
		}
		if tr.on {
			lo, hi = tr.trim(content, i == before, lo, hi)
		}
		out = append(out, lo, hi)
	}
	return out
}

func (tr trimming) trim(content string, first bool, lo, hi int) (int, int) {
	lead := utf8.RuneCountInString(content) - utf8.RuneCountInString(strings.TrimLeftFunc(content, isBlank))
	trail := utf8.RuneCountInString(content) - utf8.RuneCountInString(strings.TrimRightFunc(content, isBlank))
	if lead > 0 {
		if tr.prefix && (first || lo == 0) && lead == 1 {
			lead = 0
		}
		lo = min(lo+lead, hi)
	}
	if trail > 0 && hi >= trail {
		hi = max(hi-trail, lo)
	}
	return lo, hi
}

func isBlank(r rune) bool { return r == 'Ġ' || r == '▁' || unicode.IsSpace(r) }

// characters is a byte span in characters, of which any part is in it.
func characters(text string, s Span) (lo, hi int) {
	begin := func(at int) int { // of the character that has byte at
		for at < len(text) && !utf8.RuneStart(text[at]) {
			at--
		}
		return at
	}
	lo = utf8.RuneCountInString(text[:begin(s.Lo)])
	if s.Lo == s.Hi {
		return lo, lo
	}
	return lo, utf8.RuneCountInString(text[:begin(s.Hi-1)]) + 1
}
