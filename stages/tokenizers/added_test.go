package tokenizers

import (
	"strings"
	"testing"
)

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
		"a <R> \n b":      "a |[<R> \n ]|b",
		"a <B> <B> b":     "a|[ <B> ]|[<B> ]|b",
		"a<R> <L>b":       "a|[<R> ]|[<L>]|b",
		"tok atok toké":   "[tok]| atok toké",
		"tok.tok_ tok":    "[tok]|.tok_ |[tok]",
		"<x><y><x>z<x":    "[<x><y>]|[<x>]|z<x",
		"bA\u030a\u0301c": "b|[A\u030a\u0301]|c", // found once normalized
	} {
		ids, spans, err := tk.EncodeOffsets(text, false)
		if err != nil {
			t.Fatal(err)
		}
		var parts []string
		joins := false // the part before is ordinary text
		for i, s := range spans {
			part := text[s.Lo:s.Hi]
			_, isAdded := tk.(*tokenizer).added.byID[ids[i]]
			switch {
			case isAdded:
				parts = append(parts, "["+part+"]")
			case joins:
				parts[len(parts)-1] += part
			default:
				parts = append(parts, part)
			}
			joins = !isAdded
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
