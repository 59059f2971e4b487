package tokenizers

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var charStyles = []string{"bert-uncased-style", "bert-multilingual-cased-style", "xlmr-unigram-nonorm", "xlmr-unigram-precompiled"}

// TestUnigramIsLikeliest compares segmentations of random words with those found by trying all.
func TestUnigramIsLikeliest(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		vocab := []any{[]any{"<unk>", 0}}
		scores := map[string]float64{}
		for range 2 + r.IntN(8) {
			var s strings.Builder
			for range 1 + r.IntN(4) {
				s.WriteRune([]rune("abcé")[r.IntN(4)])
			}
			if _, twice := scores[s.String()]; !twice {
				scores[s.String()] = -float64(1+r.IntN(1000)) / 64
				vocab = append(vocab, []any{s.String(), scores[s.String()]})
			}
		}
		lowest := 0.0
		for _, s := range scores {
			lowest = min(lowest, s)
		}
		raw, _ := json.Marshal(map[string]any{"unk_id": 0, "vocab": vocab})
		m, err := parseUnigram(raw, "model")
		if err != nil {
			t.Fatal(err)
		}
		var word strings.Builder
		for range 1 + r.IntN(9) {
			word.WriteRune([]rune("abcé")[r.IntN(4)])
		}
		got, at := 0.0, 0
		m.(*unigram).segment(word.String(), func(lo, hi int, id int32) {
			if lo != at {
				t.Fatalf("%q: a token begins at %d, the one before ends at %d", word.String(), lo, at)
			}
			at = hi
			if id == 0 {
				got += float64(utf8.RuneCountInString(word.String()[lo:hi])) * (lowest - unkPenalty)
			} else {
				got += scores[word.String()[lo:hi]]
			}
		})
		if want := likeliest(word.String(), scores, lowest-unkPenalty); at != word.Len() || math.Abs(got-want) > 1e-9 {
			t.Errorf("%q of %v: sum of log probabilities %g; want %g", word.String(), scores, got, want)
		}
	}
}

// likeliest is the largest sum of scores over all segmentations of word.
func likeliest(word string, scores map[string]float64, unk float64) float64 {
	if word == "" {
		return 0
	}
	_, first := utf8.DecodeRuneInString(word)
	best := math.Inf(-1)
	for n := first; n <= len(word); n++ {
		if s, ok := scores[word[:n]]; ok {
			best = max(best, s+likeliest(word[n:], scores, unk))
		}
	}
	if _, ok := scores[word[:first]]; !ok {
		best = max(best, unk+likeliest(word[first:], scores, unk))
	}
	return best
}

func TestUnigramByteFallback(t *testing.T) {
	vocab := []any{[]any{"<unk>", 0}, []any{"▁", -2}, []any{"ab", -3}}
	for b := range 256 {
		vocab = append(vocab, []any{fmt.Sprintf("<0x%02X>", b), -20})
	}
	data, _ := json.Marshal(map[string]any{
		"model":         map[string]any{"type": "Unigram", "unk_id": 0, "byte_fallback": true, "vocab": vocab},
		"pre_tokenizer": map[string]any{"type": "Metaspace", "replacement": "▁", "add_prefix_space": true},
		"decoder":       map[string]any{"type": "Metaspace", "replacement": "▁", "add_prefix_space": true},
	})
	tk, err := Parse("x", data)
	if err != nil {
		t.Fatal(err)
	}
	ids, spans, err := tk.EncodeOffsets("abéab ab", false)
	want := []int32{1, 2, 3 + 0xC3, 3 + 0xA9, 2, 1, 2}
	at := []Span{{0, 0}, {0, 2}, {2, 3}, {3, 4}, {4, 6}, {6, 7}, {7, 9}}
	if err != nil || !slices.Equal(ids, want) || !slices.Equal(spans, at) {
		t.Errorf("%v at %v, %v; want %v at %v", ids, spans, err, want, at)
	}
	if ids := encode(t, tk, "<0x41>"); !slices.Equal(ids, []int32{1, 3 + 0x41}) { // the text of a token, as in the reference
		t.Errorf("%v", ids)
	}
}

// TestLongWords encodes long texts without spaces and checks that tokens cover them and that memory does not grow as they do.
func TestLongWords(t *testing.T) {
	for _, style := range charStyles {
		tk := parseStyle(t, style)
		for _, unit := range []string{"a", "ab", "é", "\u0301", "中", "𠀀", "\xff", "#", "\r\n"} {
			text := strings.Repeat(unit, 1<<20/len(unit))
			ids, spans, err := tk.EncodeOffsets(text, false)
			if err != nil {
				t.Fatal(err)
			}
			for i := 1; i < len(ids); i++ {
				if spans[i].Lo < spans[i-1].Lo || spans[i].Hi > len(text) {
					t.Fatalf("%s: %q: spans %v and %v", style, unit, spans[i-1], spans[i])
				}
			}
		}
	}
	m := parseStyle(t, "xlmr-unigram-nonorm").model.(*unigram)
	var before, after runtime.MemStats
	text := strings.Repeat("the model and a word ", 1<<16)
	runtime.ReadMemStats(&before)
	n := 0
	m.segment(strings.ReplaceAll(text, " ", "."), func(int, int, int32) { n++ })
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; n == 0 || used > uint64(8*len(text)) {
		t.Errorf("%d bytes to find %d tokens in a word of %d", used, n, len(text))
	}
}

// TestPrecompiledDamaged looks characters up in tables that are damaged in every byte of their beginning.
func TestPrecompiledDamaged(t *testing.T) {
	var f struct{ Normalizer json.RawMessage }
	if err := json.Unmarshal(styleFile(t, "xlmr-unigram-precompiled"), &f); err != nil {
		t.Fatal(err)
	}
	var c struct {
		Charsmap string `json:"precompiled_charsmap"`
	}
	if err := json.Unmarshal(f.Normalizer, &c); err != nil {
		t.Fatal(err)
	}
	data, err := base64.StdEncoding.DecodeString(c.Charsmap)
	if err != nil {
		t.Fatal(err)
	}
	try := func(data []byte) (normalizer, error) {
		raw, _ := json.Marshal(map[string]string{"precompiled_charsmap": base64.StdEncoding.EncodeToString(data)})
		return parsePrecompiled(raw, "normalizer")
	}
	for _, short := range [][]byte{nil, data[:3], data[:4], data[:1000], binary.LittleEndian.AppendUint32(nil, 0), binary.LittleEndian.AppendUint32(nil, 1<<31)} {
		if _, err := try(short); err == nil || !strings.Contains(err.Error(), "normalizer.precompiled_charsmap") {
			t.Errorf("%d bytes: %v", len(short), err)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		bad := slices.Clone(data)
		for range 50 {
			bad[4+r.IntN(min(4000, len(bad)-4))] = byte(r.Uint32())
		}
		if n, err := try(bad); err == nil {
			for range 50 {
				n.normalize(string([]rune{rune(r.IntN(0x3000)), rune(r.IntN(0x400)), rune(r.IntN(0x10000))}), true)
			}
		}
	}
}

func TestClusters(t *testing.T) {
	for text, want := range map[string][]int{
		"ab":                     {1, 2},
		"e\u0301\u0302x":         {5, 6},
		"\r\n\n\u0301":           {2, 3, 5},
		"\u0600a\u0301":          {5},
		"\U000e00d9\u0341\u036f": {4, 8},
		"a\U000e0020":            {5},
		"\u0600\n":               {2, 3},
		"a\u200d\u200b":          {4, 7},
		"\u0e01\u0e33\u102b":     {6, 9},
	} {
		var got []int
		for i := 0; i < len(text); {
			i = clusterEnd(text, i)
			got = append(got, i)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: clusters end at %v; want %v", text, got, want)
		}
	}
}

func TestPieces(t *testing.T) {
	for style, c := range map[string]struct {
		text, join string
		pieces     []string
		special    string
	}{
		"xlmr-unigram-precompiled": {"The 鼈[NEW1]word", "The 鼈[NEW1] word", []string{"▁The", "▁", "鼈", "[NEW1]", "▁wor", "d"}, "<unk>"},
		"bert-uncased-style":       {"The ࿿[NEW1]wordx", "the [UNK] [NEW1] wordx", []string{"the", "[UNK]", "[NEW1]", "word", "##x"}, "[UNK]"},
	} {
		tk, err := ParsePieces(style, styleFile(t, style), "[NEW0]", "[NEW1]")
		if err != nil {
			t.Fatal(err)
		}
		got, err := tk.Pieces(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, c.pieces) || tk.Join(got) != c.join {
			t.Errorf("%s: pieces %q, joined %q; want %q, %q", style, got, tk.Join(got), c.pieces, c.join)
		}
		ids := encode(t, tk, c.text)
		for i, p := range got {
			if id := tk.PieceID(p); id != ids[i] {
				t.Errorf("%s: piece %q has id %d; want %d", style, p, id, ids[i])
			} else if back := tk.Piece(id); back != p && back != c.special {
				t.Errorf("%s: piece %q of id %d is %q", style, p, id, back)
			}
		}
		if a, b := tk.PieceID("[NEW0]"), tk.PieceID("[NEW1]"); b != a+1 || int(b) != tk.VocabSize()-1 {
			t.Errorf("%s: added tokens have ids %d and %d of %d", style, a, b, tk.VocabSize())
		}
		if !tk.IsSpecial(c.special) || !tk.IsSpecial("[NEW0]") || tk.IsSpecial(c.pieces[0]) || tk.IsSpecial("nothing") {
			t.Errorf("%s: special tokens are not told from others", style)
		}
	}
	if _, err := ParsePieces("x", styleFile(t, "llama3-style")); err == nil || !strings.Contains(err.Error(), "WordPiece, Unigram") {
		t.Errorf("pieces of BPE: %v", err)
	}
}

func TestCharacterModelErrors(t *testing.T) {
	for name, c := range map[string]struct {
		style  string
		change func(file, model map[string]any)
		want   []string
	}{
		"no unk_id":        {"xlmr-unigram-nonorm", func(_, m map[string]any) { m["unk_id"] = nil }, []string{"model.unk_id"}},
		"unk_id too large": {"xlmr-unigram-nonorm", func(_, m map[string]any) { m["unk_id"] = 1 << 20 }, []string{"model.unk_id"}},
		"score missing":    {"xlmr-unigram-nonorm", func(_, m map[string]any) { m["vocab"].([]any)[7] = []any{"x"} }, []string{"model", "log probability"}},
		"score null":       {"xlmr-unigram-nonorm", func(_, m map[string]any) { m["vocab"].([]any)[7] = []any{"x", nil} }, []string{"model", "log probability"}},
		"long token":       {"xlmr-unigram-nonorm", func(_, m map[string]any) { m["vocab"].([]any)[7] = []any{strings.Repeat("x", 2000), -1} }, []string{"model.vocab[7]", "2000"}},
		"split": {"xlmr-unigram-precompiled", func(f, _ map[string]any) {
			f["pre_tokenizer"].(map[string]any)["pretokenizers"].([]any)[1].(map[string]any)["split"] = false
		}, []string{"pre_tokenizer", "split false"}},
		"prepend":         {"xlmr-unigram-nonorm", func(f, _ map[string]any) { f["pre_tokenizer"].(map[string]any)["prepend_scheme"] = "odd" }, []string{"pre_tokenizer.prepend_scheme", "odd"}},
		"replacement":     {"xlmr-unigram-nonorm", func(f, _ map[string]any) { f["decoder"].(map[string]any)["replacement"] = "__" }, []string{"decoder.replacement", "__"}},
		"ByteLevel":       {"xlmr-unigram-nonorm", func(f, _ map[string]any) { f["pre_tokenizer"] = map[string]any{"type": "ByteLevel"} }, []string{"pre_tokenizer", "ByteLevel"}},
		"charsmap":        {"xlmr-unigram-precompiled", func(f, _ map[string]any) { f["normalizer"].(map[string]any)["precompiled_charsmap"] = "!" }, []string{"normalizer.precompiled_charsmap"}},
		"unk_token":       {"bert-uncased-style", func(_, m map[string]any) { m["unk_token"] = "[NO]" }, []string{"model.unk_token", "[NO]"}},
		"long word piece": {"bert-uncased-style", func(_, m map[string]any) { m["vocab"].(map[string]any)[strings.Repeat("x", 2000)] = 1600 }, []string{"model.vocab", "2000"}},
		"cls":             {"bert-uncased-style", func(f, _ map[string]any) { f["post_processor"] = map[string]any{"type": "BertProcessing", "cls": 1} }, []string{"post_processor"}},
	} {
		_, err := Parse("some/tokenizer.json", edited(t, styleFile(t, c.style), c.change))
		for _, want := range append(c.want, "some/tokenizer.json") {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; want an error that says %q", name, err, want)
			}
		}
	}
}

func TestBertProcessing(t *testing.T) {
	var pair [2][][]int32
	for i, change := range []func(file, model map[string]any){
		func(_, _ map[string]any) {},
		func(f, _ map[string]any) {
			f["post_processor"] = map[string]any{"type": "BertProcessing", "cls": []any{"[CLS]", 5}, "sep": []any{"[SEP]", 6}}
		},
	} {
		tk, err := Parse("x", edited(t, styleFile(t, "bert-uncased-style"), change))
		if err != nil {
			t.Fatal(err)
		}
		ids, types, err := tk.(PairEncoder).EncodePair("one text", "and another")
		if err != nil {
			t.Fatal(err)
		}
		one, err := tk.Encode("one text", true)
		if err != nil {
			t.Fatal(err)
		}
		pair[i] = [][]int32{ids, types, one}
	}
	if !slices.EqualFunc(pair[0], pair[1], slices.Equal) {
		t.Errorf("BertProcessing %v; the template that says the same %v", pair[1], pair[0])
	}
}

func BenchmarkEncodeCharacters(b *testing.B) {
	texts := tortureTexts(b, goldenDir()+"/tokenizers")
	chinese := strings.Repeat(texts["zh_long"]+texts["zh"]+texts["zh_trad"], 2000)
	for _, style := range charStyles {
		tk := parseStyle(b, style)
		for name, text := range map[string]string{"english": benchText(texts, "prose"), "chinese": chinese} {
			b.Run(name+"/"+style, func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					if _, err := tk.Encode(text, false); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
