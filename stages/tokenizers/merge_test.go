package tokenizers

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

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
			if got := m.pairs.mergeShort(m.appendBytes(nil, string(word))); !slices.Equal(got, want) {
				t.Fatalf("%q: short %v; want %v", word, got, want)
			}
			if got := m.pairs.mergeLong(m.appendBytes(nil, string(word))); !slices.Equal(got, want) {
				t.Fatalf("%q: long %v; want %v", word, got, want)
			}
		}
	}
}

// TestWindowsAgree merges long texts in windows and as a whole.
func TestWindowsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, style := range []string{"llama3-style", "gpt2-style"} {
		m := parseStyle(t, style).model.(*bpe)
		for _, alphabet := range []string{"a", "ab", "aab", " ", "etaoinshrdlu", " \n", "0123456789abcdef-", "\xe4\xbd\xa0\xe5\xa5\xbd"} {
			for _, n := range []int{mergeWindow, mergeWindow + 1, 5*mergeWindow - 3, 4*mergeWindow + 17} {
				text := make([]byte, n)
				for i := range text {
					text[i] = alphabet[r.IntN(len(alphabet))]
				}
				ids := m.appendBytes(nil, string(text))
				var whole merger
				whole.merge(&m.pairs, ids)
				if got := m.pairs.mergeLong(ids); !slices.Equal(got, whole.tokens) {
					t.Errorf("%s: %d of %q: %d tokens in windows, %d as a whole, or others", style, n, alphabet, len(got), len(whole.tokens))
				}
			}
		}
	}
	// Tables of random merges, in windows so short that they often go wrong at first.
	for range 3000 {
		tokens := int32(2 + r.IntN(4))
		pairs, n := newPairTable(64), 1+r.IntN(20)
		for rank := range n {
			pairs.put(r.Int32N(tokens), r.Int32N(tokens), uint32(r.IntN(n)+rank%2), tokens)
			tokens++
		}
		ids := make([]int32, 10+r.IntN(60))
		for i := range ids {
			ids[i] = r.Int32N(2)
		}
		var whole merger
		whole.merge(&pairs, ids)
		window, overlap := 2+r.IntN(5), 1+r.IntN(2)
		was := slices.Clone(ids)
		if got := pairs.mergeWindows(ids, window, overlap); !slices.Equal(got, whole.tokens) {
			t.Fatalf("%v in windows of %d: %v; as a whole %v", was, window, got, whole.tokens)
		}
	}
}

// TestCutsAreSafe compares texts encoded stretch by stretch with texts encoded whole, and the pieces that they fall into with the text.
func TestCutsAreSafe(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, style := range []string{"llama2-style", "gemma-style"} {
		m := parseStyle(t, style).model.(*charBPE)
		whole := *m
		whole.uncut, whole.cache = true, newWordCache()
		for range 3000 {
			var b strings.Builder
			for range 1 + r.IntN(80) {
				piece := m.text[r.IntN(len(m.text))]
				b.WriteString([]string{piece, "▁", "▁▁▁", "é", "😀", "\xff", "<unk>", "日本"}[max(0, r.IntN(16)-8)])
			}
			text := b.String()
			got, want := m.encode(nil, text), whole.encode(nil, text)
			if !slices.Equal(got, want) {
				t.Fatalf("%s: %q: %v; whole %v", style, text, got, want)
			}
			sum := 0
			for _, w := range m.widths(nil, text, got) {
				sum += int(w)
			}
			if sum != len(text) {
				t.Fatalf("%s: %q: tokens %v stand for %d bytes of %d", style, text, got, sum, len(text))
			}
		}
	}
}

func mergePlainly(m *bpe, word string) []int32 {
	ids := m.appendBytes(nil, word)
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
