package tokenizers

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
)

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
		"merge of three":       {func(_, m map[string]any) { m["merges"].([]any)[1] = "a b c" }, []string{"model: merges[1]", "two parts"}},
		"merge of one":         {func(_, m map[string]any) { m["merges"].([]any)[1] = []string{"a"} }, []string{"model: merges[1]", "two parts"}},
		"merge of numbers":     {func(_, m map[string]any) { m["merges"].([]any)[1] = 7 }, []string{"model: merges[1]"}},
		"id twice":             {func(_, m map[string]any) { vocab(m)["~~~"] = 5 }, []string{"vocab: id 5", "more than one"}},
		"id too large":         {func(_, m map[string]any) { vocab(m)["~~~"] = 2000000000 }, []string{"vocab: id 2000000000", "out of range"}},
		"id beyond 32 bits":    {func(_, m map[string]any) { vocab(m)["~~~"] = 1 << 40 }, []string{`vocab["~~~"]`, "2^31"}},
		"id negative":          {func(_, m map[string]any) { vocab(m)["~~~"] = -1 }, []string{`vocab["~~~"]`, "negative"}},
		"byte missing":         {func(_, m map[string]any) { delete(vocab(m), "!"); m["merges"] = nil }, []string{"model.vocab", "byte 0x21"}},
		"kind":                 {func(_, m map[string]any) { m["type"] = "WordLevel" }, []string{"model", `"WordLevel"`, "supported: BPE"}},
		"byte fallback":        {func(f, m map[string]any) { m["byte_fallback"], f["pre_tokenizer"] = true, nil }, []string{"model", "byte_fallback", "text would be lost"}},
		"unk_token":            {func(f, m map[string]any) { m["unk_token"], f["pre_tokenizer"] = "<odd>", nil }, []string{"model.unk_token", "<odd>"}},
		"dropout":              {func(_, m map[string]any) { m["dropout"] = 0.1 }, []string{"model.dropout"}},
		"suffix":               {func(_, m map[string]any) { m["end_of_word_suffix"] = "</w>" }, []string{"model.end_of_word_suffix", "</w>"}},
		"no model":             {func(f, _ map[string]any) { delete(f, "model") }, []string{"model: is missing"}},
		"normalizer":           {func(f, _ map[string]any) { f["normalizer"] = map[string]any{"type": "Odd"} }, []string{"normalizer", `"Odd"`, "supported: NFC", "BertNormalizer"}},
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
		"decoder":        {func(f, _ map[string]any) { f["decoder"] = map[string]any{"type": "CTC"} }, []string{"decoder", "CTC", "supported: ByteLevel"}},
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

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"model":{"type":"BPE","vocab":{"a":0},"merges":["a a"]}}`))
	f.Add([]byte(`{"model":{"type":"BPE","vocab":{},"merges":[]},"pre_tokenizer":{"type":"ByteLevel"},"decoder":{"type":"ByteLevel"}}`))
	f.Add([]byte(`{"added_tokens":[{"id":1,"content":"x"}],"normalizer":{"type":"Sequence","normalizers":[null]}}`))
	f.Add(smallTokenizer(f))
	f.Add([]byte(`{"model":{"type":"WordPiece","vocab":{"[UNK]":0,"a":1,"##b":2}},"normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"},"decoder":{"type":"WordPiece"},"post_processor":{"type":"BertProcessing","cls":["a",1],"sep":["a",1]}}`))
	f.Add([]byte(`{"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["▁a",-1.5],["b",-2]]},"normalizer":{"type":"Precompiled","precompiled_charsmap":"CAAAAAAAAAAAAAAAYQA="},"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Metaspace","replacement":"▁"}]},"decoder":{"type":"Metaspace","replacement":"▁"}}`))
	f.Add([]byte(`{"model":{"type":"BPE","byte_fallback":false,"fuse_unk":true,"unk_token":"<unk>","vocab":{"<unk>":0,"▁":1,"a":2,"▁a":3,"b":4},"merges":[["▁","a"]]},"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "},{"type":"Replace","pattern":{"String":" "},"content":"▁"},{"type":"Strip"},{"type":"Lowercase"},{"type":"NFKD"},{"type":"StripAccents"},{"type":"Nmt"}]},"added_tokens":[{"id":9,"content":"<x>","lstrip":true,"rstrip":true,"single_word":true,"normalized":true}],"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":false},{"type":"Whitespace"},{"type":"Punctuation","behavior":"Contiguous"},{"type":"CharDelimiterSplit","delimiter":"-"},{"type":"Split","pattern":{"Regex":"\\p{L}+"},"behavior":"MergedWithNext","invert":true}]},"decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"Strip","content":" ","start":0,"stop":1},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}}`))
	f.Add(withBytes(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		frugal(t, len(data), func() {
			tk, err := Parse("fuzz", data)
			if err != nil {
				return
			}
			const text = "a b 12 <x> é\n\xff 日 ab▁a -ß"
			ids, spans, err := tk.EncodeOffsets(text, true)
			if err != nil {
				return
			}
			for i, s := range spans {
				if s.Lo < 0 || s.Lo > s.Hi || s.Hi > len(text) {
					t.Errorf("token %d has the span %v of %d bytes", i, s, len(text))
				}
			}
			if got, want := streamed(tk, ids, true), tk.Decode(ids, true); got != want {
				t.Errorf("streams %q; decodes %q", got, want)
			}
		})
	})
}

// frugal fails a test if what it does makes the heap grow by more than four times its input and 64 MiB.
func frugal(t *testing.T, input int, do func()) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	if grown := after.HeapSys - min(before.HeapSys, after.HeapSys); grown > uint64(4*input)+64<<20 {
		t.Errorf("%d bytes of input made the heap grow by %d MiB", input, grown>>20)
	}
}

// withBytes is the tokenizer.json of a SentencePiece model with the tokens of all bytes.
func withBytes(t testing.TB) []byte {
	vocab := map[string]int{"<unk>": 256, "▁": 257, "a": 258, "▁a": 259}
	for b := range 256 {
		vocab[fmt.Sprintf("<0x%02X>", b)] = b
	}
	data, err := json.Marshal(map[string]any{
		"model":   map[string]any{"type": "BPE", "byte_fallback": true, "fuse_unk": true, "unk_token": "<unk>", "vocab": vocab, "merges": []any{[]string{"▁", "a"}}},
		"decoder": map[string]any{"type": "Sequence", "decoders": []any{map[string]any{"type": "ByteFallback"}, map[string]any{"type": "Fuse"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
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
