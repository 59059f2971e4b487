package tokenizers

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const referenceDir = "../models/reference"

// TestGoldenReference encodes the prompts of the embedded reference model: the chat template's whole prompt at once,
// and in the segments that the model was trained on (context, question and answer apart).
func TestGoldenReference(t *testing.T) {
	path := filepath.Join(goldenDir(), "refmodel", "goldens.json")
	if _, err := os.Stat(path); os.IsNotExist(err) {
		t.Skipf("not run: there is no %s", path)
	}
	var cases []struct {
		Task      string
		Messages  []Message
		Prompt    string
		PromptIDs []int32 `json:"prompt_ids"`
		OutputIDs []int32 `json:"output_ids"`
		Output    string
	}
	readJSON(t, path, &cases)
	tk, err := Load(referenceDir)
	if err != nil {
		t.Fatal(err)
	}
	chat, err := LoadChat(referenceDir)
	if err != nil {
		t.Fatal(err)
	}
	whole := 0
	for _, c := range cases {
		t.Run(c.Task, func(t *testing.T) {
			prompt, err := chat.Render(c.Messages, true)
			if err != nil || prompt != c.Prompt {
				t.Fatalf("prompt %q, %v; want %q", prompt, err, c.Prompt)
			}
			var ids []int32
			for _, s := range trainingSegments(c.Messages) {
				ids = append(ids, encode(t, tk, s)...)
			}
			if !slices.Equal(ids, c.PromptIDs) {
				t.Errorf("in segments: ids differ at %d", firstDifference(ids, c.PromptIDs))
			}
			if slices.Equal(encode(t, tk, prompt), c.PromptIDs) {
				whole++
			}
			if got := tk.Decode(c.PromptIDs, false); got != c.Prompt {
				t.Errorf("decoded %q", got)
			}
			if got := tk.Decode(c.OutputIDs, false); got != c.Output {
				t.Errorf("decoded output %q; want %q", got, c.Output)
			}
		})
	}
	t.Logf("whole prompt encoded at once: %d of %d have the same ids", whole, len(cases))
}

// trainingSegments are the texts that the model's training data was encoded from, one by one.
func trainingSegments(messages []Message) []string {
	segments := []string{"<|begin|>"}
	for _, m := range messages {
		segments = append(segments, "<|"+m.Role+"|>")
		context, question, ok := cutLast(m.Content, "\n\n")
		if ok && m.Role == "user" {
			segments = append(segments, context+"\n\n", question)
		} else {
			segments = append(segments, m.Content)
		}
		segments = append(segments, "<|end|>")
	}
	return append(segments, "<|assistant|>")
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func firstDifference(a, b []int32) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func encode(t testing.TB, tk Tokenizer, s string) []int32 {
	t.Helper()
	ids, err := tk.Encode(s, false)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}
