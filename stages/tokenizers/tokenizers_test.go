package tokenizers

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// styleFile reads a tokenizer.json of the repository's own goldens.
func styleFile(t testing.TB, style string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "golden", "tokenizers", style, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func parseStyle(t testing.TB, style string) *tokenizer {
	t.Helper()
	tk, err := Parse(style, styleFile(t, style))
	if err != nil {
		t.Fatal(err)
	}
	return tk.(*tokenizer)
}

// edited is a tokenizer.json after a change to its top level.
func edited(t testing.TB, data []byte, change func(file, model map[string]any)) []byte {
	t.Helper()
	var file map[string]any
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	change(file, file["model"].(map[string]any))
	out, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestParseErrors(t *testing.T) {
	base := styleFile(t, "llama3-style")
	vocab := func(m map[string]any) map[string]any { return m["vocab"].(map[string]any) }
	for name, c := range map[string]struct {
		change func(file, model map[string]any)
		want   []string // all in the message
	}{
		"missing merge part":   {func(_, m map[string]any) { m["merges"].([]any)[3] = "Q zzz" }, []string{"model.merges[3]", `"zzz"`, "model.vocab"}},
		"missing merge result": {func(_, m map[string]any) { m["merges"].([]any)[0] = []string{"Q", "~"} }, []string{"model.merges[0]", `"Q~"`}},
		"merge of three":       {func(_, m map[string]any) { m["merges"].([]any)[1] = "a b c" }, []string{"model.merges[1]", "two parts"}},
		"merge of one":         {func(_, m map[string]any) { m["merges"].([]any)[1] = []string{"a"} }, []string{"model.merges[1]", "two parts"}},
		"merge of numbers":     {func(_, m map[string]any) { m["merges"].([]any)[1] = 7 }, []string{"model.merges[1]"}},
		"id twice":             {func(_, m map[string]any) { vocab(m)["~~~"] = 5 }, []string{"vocab: id 5", "more than one"}},
		"id too large":         {func(_, m map[string]any) { vocab(m)["~~~"] = 2000000000 }, []string{"vocab: id 2000000000", "out of range"}},
		"id beyond 32 bits":    {func(_, m map[string]any) { vocab(m)["~~~"] = 1 << 40 }, []string{`vocab["~~~"]`, "2^31"}},
		"id negative":          {func(_, m map[string]any) { vocab(m)["~~~"] = -1 }, []string{`vocab["~~~"]`, "negative"}},
		"byte missing":         {func(_, m map[string]any) { delete(vocab(m), "!") }, []string{"model.vocab", "byte 0x21"}},
		"unigram":              {func(_, m map[string]any) { m["type"] = "Unigram" }, []string{"model", `"Unigram"`, "supported: BPE"}},
		"byte fallback":        {func(_, m map[string]any) { m["byte_fallback"] = true }, []string{"model.byte_fallback", "supported"}},
		"dropout":              {func(_, m map[string]any) { m["dropout"] = 0.1 }, []string{"model.dropout"}},
		"suffix":               {func(_, m map[string]any) { m["end_of_word_suffix"] = "</w>" }, []string{"model.end_of_word_suffix", "</w>"}},
		"no model":             {func(f, _ map[string]any) { delete(f, "model") }, []string{"model: is missing"}},
		"normalizer":           {func(f, _ map[string]any) { f["normalizer"] = map[string]any{"type": "Lowercase"} }, []string{"normalizer", `"Lowercase"`, "supported: NFC"}},
		"no ByteLevel":         {func(f, _ map[string]any) { f["pre_tokenizer"] = nil }, []string{"pre_tokenizer", "ByteLevel"}},
		"ByteLevel first": {func(f, _ map[string]any) {
			f["pre_tokenizer"] = map[string]any{"type": "Sequence", "pretokenizers": []any{map[string]any{"type": "ByteLevel"}, map[string]any{"type": "Digits"}}}
		}, []string{"pre_tokenizer", "last"}},
		"behavior": {func(f, _ map[string]any) {
			f["pre_tokenizer"] = map[string]any{"type": "Split", "pattern": map[string]any{"String": "x"}, "behavior": "Odd"}
		}, []string{"pre_tokenizer.behavior", `"Odd"`, "Isolated"}},
		"pattern": {func(f, _ map[string]any) {
			f["pre_tokenizer"] = map[string]any{"type": "Split", "pattern": map[string]any{"Regex": `\bx`}, "behavior": "Isolated"}
		}, []string{"pre_tokenizer.pattern.Regex", `\b`}},
		"decoder":        {func(f, _ map[string]any) { f["decoder"] = map[string]any{"type": "WordPiece"} }, []string{"decoder", "WordPiece", "supported: ByteLevel"}},
		"no decoder":     {func(f, _ map[string]any) { f["decoder"] = nil }, []string{"decoder", "ByteLevel"}},
		"added id":       {func(f, _ map[string]any) { f["added_tokens"].([]any)[1].(map[string]any)["id"] = 1960 }, []string{"added_tokens[1].id", "1960", "begin_of_text"}},
		"added negative": {func(f, _ map[string]any) { f["added_tokens"].([]any)[1].(map[string]any)["id"] = -7 }, []string{"added_tokens[1].id", "negative"}},
		"added long": {func(f, _ map[string]any) {
			f["added_tokens"].([]any)[1].(map[string]any)["content"] = strings.Repeat("x", 5000)
		}, []string{"added_tokens[1].content", "5000"}},
		"template token": {func(f, _ map[string]any) {
			f["post_processor"] = map[string]any{"type": "RobertaProcessing", "cls": []any{"<s>", 99999}, "sep": []any{"</s>", 1}}
		}, []string{"post_processor", "99999"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("some/tokenizer.json", edited(t, base, c.change))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(c.want, "some/tokenizer.json") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v: does not say %q", err, want)
				}
			}
		})
	}
}

func TestParseHostileJSON(t *testing.T) {
	for name, text := range map[string]string{
		"empty":         "",
		"not JSON":      "{",
		"trailing":      `{"model":{"type":"BPE"}} x`,
		"list":          `[]`,
		"binary":        "\x00\xff\xfe",
		"deep":          strings.Repeat(`{"model":`, 200000),
		"deep array":    `{"model":` + strings.Repeat("[", 200000) + strings.Repeat("]", 200000) + "}",
		"deep sequence": `{"model":{"type":"BPE"},"normalizer":` + strings.Repeat(`{"type":"Sequence","normalizers":[`, 3000) + strings.Repeat(`]}`, 3000) + "}",
		"vocab list":    `{"model":{"type":"BPE","vocab":[1,2]}}`,
		"vocab twice":   `{"model":{"type":"BPE","vocab":{"a":0,"a":1}}}`,
		"surrogates":    `{"model":{"type":"BPE","vocab":{"\ud800":0,"\ud801":1}}}`,
		"model string":  `{"model":"BPE"}`,
	} {
		if _, err := Parse(name, []byte(text)); err == nil || !strings.HasPrefix(err.Error(), name+": ") {
			t.Errorf("%s: %v; want an error that names the file", name, err)
		}
	}
	// A Sequence that is too deep within a file that is right otherwise.
	deep := any(map[string]any{"type": "NFC"})
	for range 20 {
		deep = map[string]any{"type": "Sequence", "normalizers": []any{deep}}
	}
	data := edited(t, styleFile(t, "llama3-style"), func(f, _ map[string]any) { f["normalizer"] = deep })
	if _, err := Parse("x", data); err == nil || !strings.Contains(err.Error(), "nested") {
		t.Errorf("deep sequence: %v", err)
	}
}

func TestAddedTokens(t *testing.T) {
	added := func(content string, flags ...string) map[string]any {
		m := map[string]any{"id": 0, "content": content}
		for _, f := range flags {
			m[f] = true
		}
		return m
	}
	list := []any{
		added("<L>", "lstrip"), added("<R>", "rstrip"), added("<B>", "lstrip", "rstrip", "special"), added("tok", "single_word"),
		added("<x>"), added("<x><y>"), added("Ǻ", "normalized"), added(""), added("<x>"),
	}
	for i, a := range list {
		a.(map[string]any)["id"] = 5000 + i // all wrong: they are renumbered
	}
	tk, err := Parse("x", edited(t, styleFile(t, "qwen2-style"), func(f, _ map[string]any) { f["added_tokens"] = list }))
	if err != nil {
		t.Fatal(err)
	}
	first, _ := tk.Special("<L>")
	if last, _ := tk.Special("Ǻ"); int(first) != tk.(*tokenizer).model.size() || last != first+6 || tk.VocabSize() != int(last)+1 {
		t.Errorf("ids %d to %d of %d", first, last, tk.VocabSize())
	}
	for text, want := range map[string]string{
		"a \t<L> b":       "a|[ \t<L>]| b",
		"a <R> \n b":      "a| |[<R> \n ]|b",
		"a <B> <B> b":     "a|[ <B> ]|[<B> ]|b",
		"a<R> <L>b":       "a|[<R> ]|[<L>]|b",
		"tok atok toké":   "[tok]| atok| toké",
		"tok.tok_ tok":    "[tok]|.|tok_| |[tok]",
		"<x><y><x>z<x":    "[<x><y>]|[<x>]|z|<|x",
		"bA\u030a\u0301c": "b|[A\u030a\u0301]|c", // found once normalized
	} {
		ids, spans, err := tk.EncodeOffsets(text, false)
		if err != nil {
			t.Fatal(err)
		}
		var parts []string
		for i, s := range spans {
			part := text[s.Lo:s.Hi]
			_, isAdded := tk.(*tokenizer).added.byID[ids[i]]
			switch {
			case isAdded:
				part = "[" + part + "]"
			case len(parts) > 0 && sameWord(part, parts[len(parts)-1]):
				parts[len(parts)-1] += part
				continue
			}
			parts = append(parts, part)
		}
		if got := strings.Join(parts, "|"); got != want {
			t.Errorf("%q: %s; want %s", text, got, want)
		}
	}
	ids := encode(t, tk, "a <B> b")
	if got := tk.Decode(ids, true); got != "ab" {
		t.Errorf("without special tokens: %q", got)
	}
}

// sameWord joins the tokens of "tok" and "toké", which are not added tokens there, for a readable comparison.
func sameWord(part, before string) bool {
	return part != "" && !strings.HasPrefix(before, "[") && strings.Trim(part+strings.TrimLeft(before, " "), "tokaé_") == "" && part[0] != ' '
}

// TestMergesAgree compares the two ways to merge with the plainest one.
func TestMergesAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, style := range []string{"llama3-style", "gpt2-style"} {
		m := parseStyle(t, style).model.(*bpe)
		for range 3000 {
			word := make([]byte, 2+r.IntN(shortWord-2))
			alphabet := []string{"aeinrst ", "ab", " \n", "\xe4\xbd\xa0\xe5\xa5\xbd", "0123456789abcdef-"}[r.IntN(5)]
			for i := range word {
				word[i] = alphabet[r.IntN(len(alphabet))]
			}
			want := mergePlainly(m, string(word))
			if got := m.mergeShort(nil, string(word)); !slices.Equal(got, want) {
				t.Fatalf("%q: short %v; want %v", word, got, want)
			}
			if got := m.mergeLong(nil, string(word)); !slices.Equal(got, want) {
				t.Fatalf("%q: long %v; want %v", word, got, want)
			}
		}
	}
}

func mergePlainly(m *bpe, word string) []int32 {
	var ids []int32
	for i := range len(word) {
		ids = append(ids, m.bytes[word[i]])
	}
	for {
		best, at := uint32(noMerge), 0
		for i := range len(ids) - 1 {
			if rank := m.pairs.slot(ids[i], ids[i+1]).rank; rank < best {
				best, at = rank, i
			}
		}
		if best == noMerge {
			return ids
		}
		ids[at] = m.pairs.slot(ids[at], ids[at+1]).id
		ids = slices.Delete(ids, at+1, at+2)
	}
}

// TestLongWord has a word of 500 KB, which quadratic merging would not end on.
func TestLongWord(t *testing.T) {
	tk := parseStyle(t, "llama3-style")
	for _, unit := range []string{"a", "ab", "ha", "你"} {
		text := strings.Repeat(unit, 500_000/len(unit))
		if got := tk.Decode(encode(t, tk, text), false); got != text {
			t.Errorf("%q repeated: decodes to other text of %d bytes", unit, len(got))
		}
	}
	text := strings.Repeat(" ", 250_000) + strings.Repeat("\n", 250_000) + "x"
	if got := tk.Decode(encode(t, tk, text), false); got != text {
		t.Error("white space: decodes to other text")
	}
}

func TestConcurrentUse(t *testing.T) {
	data := styleFile(t, "qwen2-style")
	shared, err := Parse("x", data)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := Parse("x", data)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(5, uint64(g%4)))
			for range 500 {
				text := randomText(r) + randomText(r)
				got, err := shared.Encode(text, false)
				want, err2 := alone.Encode(text, false)
				if err != nil || err2 != nil || !slices.Equal(got, want) {
					t.Errorf("%q: %v %v, %v %v", text, got, err, want, err2)
				}
			}
		})
	}
	wg.Wait()
}

func TestOffsetsTile(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 7))
	for _, style := range []string{"llama3-style", "gpt2-style", "qwen2-style"} {
		tk := parseStyle(t, style)
		for range 1000 {
			text := randomText(r) + "\xff<|end_of_text|>" + randomText(r)
			_, spans, err := tk.EncodeOffsets(text, false)
			if err != nil {
				t.Fatal(err)
			}
			at := 0
			for _, s := range spans {
				if s.Lo > at || s.Hi < at || s.Lo > s.Hi || style != "qwen2-style" && s.Lo != at {
					t.Fatalf("%s: %q: spans %v have a gap at %d", style, text, spans, at)
				}
				at = s.Hi
			}
			if at != len(text) {
				t.Fatalf("%s: %q: spans %v end early", style, text, spans)
			}
		}
	}
}

func TestNFC(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	pieces := []string{"a", "e\u0301", "A\u030a", "\u1100\u1161\u11a8", "\u0323\u0307", "q\u0307\u0323", "\u212b", "\uac00\u11a8", "가", "\u0344", "\u2126", "é", " ", "\u0f73", "\ufb2c", "\xff", "e\xcc"}
	for range 3000 {
		var b strings.Builder
		for range 1 + r.IntN(9) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		s := b.String()
		out, lo, hi := nfc{}.normalize(s, true)
		if want := norm.NFC.String(s); out != want {
			t.Fatalf("%+q: %+q; want %+q", s, out, want)
		}
		if lo == nil {
			if out != s {
				t.Fatalf("%+q: no map", s)
			}
			continue
		}
		if len(lo) != len(out) || len(hi) != len(out) || lo[0] != 0 || int(hi[len(hi)-1]) != len(s) {
			t.Fatalf("%+q: %v %v", s, lo, hi)
		}
	}
	// The library's form C puts U+034F into long runs of marks; the standard's does not.
	long := "e" + strings.Repeat("\u0323\u0301", 40)
	want := "\u1eb9\u0301"
	want = norm.NFC.String("e\u0323") + strings.Repeat("\u0323", 39) + strings.Repeat("\u0301", 40)
	if got, _, _ := (nfc{}).normalize(long, false); got != want {
		t.Errorf("long run: %+q; want %+q", got, want)
	}
}

func TestInvalidUTF8(t *testing.T) {
	tk := parseStyle(t, "llama3-style")
	for _, text := range []string{"\xff", "a\x80b", "\xe4\xbd", " \xf0\x9f\x98x\xed\xa0\x80"} {
		var bytes []byte
		for _, id := range encode(t, tk, text) {
			bytes = append(bytes, tk.piece(id, false)...)
		}
		if string(bytes) != text {
			t.Errorf("%q: tokens have the bytes %q", text, bytes)
		}
	}
}

func TestHash(t *testing.T) {
	data := styleFile(t, "llama3-style")
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	a, b := parseStyle(t, "llama3-style").Hash(), parseStyle(t, "gpt2-style").Hash()
	if len(a) != 64 || a == b {
		t.Errorf("hashes %s and %s", a, b)
	}
	spaced := "  " + strings.Replace(string(data), `"version"`, "\n \"version\"", 1)
	tk, err := Parse("x", []byte(spaced))
	if err != nil || tk.Hash() != a {
		t.Errorf("white space changes the hash (%v)", err)
	}
}

func TestLoad(t *testing.T) {
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "tokenizer.json") {
		t.Errorf("empty folder: %v", err)
	}
	tk, err := Load(referenceDir)
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := tk.Special("<|end|>"); !ok || id != 2553 || tk.VocabSize() != 2560 {
		t.Errorf("<|end|> is %d of %d", id, tk.VocabSize())
	}
	if _, ok := tk.Special("the"); ok {
		t.Error("an ordinary token is special")
	}
	if got := tk.Decode([]int32{-1, 9999, 2552, 104}, true); got != tk.Decode([]int32{104}, false) {
		t.Errorf("unknown ids decode to %q", got)
	}
}

func FuzzEncodeRoundTrip(f *testing.F) {
	for _, s := range []string{"", " ", "Hello world", "a\r\n\n b", "'ſ 12345 你好", "\xff\xfe", "<|eot_id|> x", strings.Repeat("ab", 40)} {
		f.Add(s)
	}
	styles := []*tokenizer{parseStyle(f, "llama3-style"), parseStyle(f, "gpt2-style")}
	f.Fuzz(func(t *testing.T, text string) {
		for _, tk := range styles {
			ids := encode(t, tk, text)
			if got, want := tk.Decode(ids, false), string(appendValid(nil, []byte(text))); got != want {
				t.Errorf("%q: decodes to %q", text, got)
			}
			if got := streamed(tk, ids, false); got != tk.Decode(ids, false) {
				t.Errorf("%q: streams %q", text, got)
			}
			again, spans, err := tk.EncodeOffsets(text, false)
			if err != nil || !slices.Equal(again, ids) || len(spans) != len(ids) {
				t.Errorf("%q: %v, with offsets %v %v %v", text, ids, again, spans, err)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"model":{"type":"BPE","vocab":{"a":0},"merges":["a a"]}}`))
	f.Add([]byte(`{"model":{"type":"BPE","vocab":{},"merges":[]},"pre_tokenizer":{"type":"ByteLevel"},"decoder":{"type":"ByteLevel"}}`))
	f.Add([]byte(`{"added_tokens":[{"id":1,"content":"x"}],"normalizer":{"type":"Sequence","normalizers":[null]}}`))
	f.Add(smallTokenizer(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		tk, err := Parse("fuzz", data)
		if err != nil {
			return
		}
		ids, err := tk.Encode("a b 12 <x> é\n", true)
		if err == nil {
			tk.Decode(ids, false)
		}
	})
}

// smallTokenizer has the 256 bytes, one merge and one added token.
func smallTokenizer(t testing.TB) []byte {
	vocab := map[string]int{"ab": 256}
	for b, r := range byteToRune {
		vocab[string(r)] = b
	}
	data, err := json.Marshal(map[string]any{
		"model":          map[string]any{"type": "BPE", "vocab": vocab, "merges": []string{"a b"}},
		"pre_tokenizer":  map[string]any{"type": "Sequence", "pretokenizers": []any{map[string]any{"type": "Digits"}, map[string]any{"type": "ByteLevel"}}},
		"decoder":        map[string]any{"type": "ByteLevel"},
		"added_tokens":   []any{map[string]any{"id": 257, "content": "<x>"}},
		"post_processor": nil,
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSmallTokenizer(t *testing.T) {
	tk, err := Parse("small", smallTokenizer(t))
	if err != nil {
		t.Fatal(err)
	}
	// ByteLevel puts a space before every word that Digits made.
	if got, want := encode(t, tk, "ab12<x>"), []int32{' ', 256, ' ', '1', '2', 257}; !slices.Equal(got, want) {
		t.Errorf("%v; want %v", got, want)
	}
}

func BenchmarkEncode(b *testing.B) {
	texts := tortureTexts(b, filepath.Join("..", "..", "testdata", "golden", "tokenizers"))
	for _, kind := range []string{"prose", "numbers"} {
		text := benchText(texts, kind)
		for _, style := range []string{"llama3-style", "qwen2-style", "gpt2-style"} {
			tk := parseStyle(b, style)
			b.Run(fmt.Sprintf("%s/%s", kind, style), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					if _, err := tk.Encode(text, false); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
	b.Run("word", func(b *testing.B) {
		tk, text := parseStyle(b, "llama3-style"), strings.Repeat("Donau", 100_000)
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if _, err := tk.Encode(text, false); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// benchText is about 1 MB of English prose, or of numbers that no cache can hold.
func benchText(texts map[string]string, kind string) string {
	r := rand.New(rand.NewPCG(10, 11))
	var b strings.Builder
	vocabulary := strings.Fields(texts["gpl"] + " " + texts["para"] + " " + texts["prompt"])
	for b.Len() < 1<<20 {
		if kind == "prose" {
			b.WriteString(vocabulary[r.IntN(len(vocabulary))] + " ")
		} else {
			fmt.Fprintf(&b, "\"%08x-%04x\": %d,\n", r.Uint32(), r.Uint32N(1<<16), r.Uint32())
		}
	}
	return b.String()
}
