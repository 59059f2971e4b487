package tokenizers

import (
	"encoding/json"
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
		out, lo, hi := unicodeForm{norm.NFC, norm.NFD}.normalize(s, true)
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
	want := norm.NFC.String("e\u0323") + strings.Repeat("\u0323", 39) + strings.Repeat("\u0301", 40)
	if got, _, _ := (unicodeForm{norm.NFC, norm.NFD}).normalize(long, false); got != want {
		t.Errorf("long run: %+q; want %+q", got, want)
	}
}

func TestInvalidUTF8(t *testing.T) {
	tk := parseStyle(t, "llama3-style")
	for _, text := range []string{"\xff", "a\x80b", "\xe4\xbd", " \xf0\x9f\x98x\xed\xa0\x80"} {
		var bytes []byte
		for _, id := range encode(t, tk, text) {
			b, _ := tk.piece(id, false, false)
			bytes = append(bytes, b...)
		}
		if string(bytes) != text {
			t.Errorf("%q: tokens have the bytes %q", text, bytes)
		}
	}
}

// TestCharacterRoundTrip decodes what models with byte_fallback made of text, whole and as a stream.
func TestCharacterRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for _, style := range []string{"llama2-style", "mistral-metaspace-style", "gemma-style"} {
		tk := parseStyle(t, style)
		for range 2000 {
			text := randomText(r) + string(rune(0x80+r.IntN(0xD000))) + randomText(r) // no mark for a space is in it but by chance
			if strings.Contains(text, "▁") {
				continue
			}
			ids := encode(t, tk, text)
			want := text
			if strings.HasPrefix(text, " ") && style == "mistral-metaspace-style" {
				want = text[1:] // no space is put before one that is there, and one is taken away
			}
			if got := tk.Decode(ids, false); got != want {
				t.Errorf("%s: %q: decodes to %q", style, text, got)
			}
			if got := streamed(tk, ids, false); got != want {
				t.Errorf("%s: %q: streams %q", style, text, got)
			}
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
