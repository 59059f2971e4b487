package tokenizers

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scbench/stages/tokenizers/jinja"
)

var conversation = []Message{{"user", "Hi <é> \"&\""}, {"assistant", ""}, {"user", " two\n"}}

func TestChatTemplates(t *testing.T) {
	vars := map[string]string{"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<p>"}
	for _, c := range []struct {
		file, want string
		messages   []Message
		generate   bool
	}{
		{"turns.jinja", "<s>[system]You are helpful.[/system]\n[user]Hi <é> \"&\"[/user]\n[assistant][/assistant]\n[user] two\n[/user]\n[assistant]", conversation, true},
		{"turns.jinja", "<s>[system]Short.[/system]\n[user]x[/user]\n", []Message{{"system", " Short.\n"}, {"user", "x"}}, false},
		{"dated.jinja", "26 Jul 2024 tools=True pad=[<p>]\n1: <USER>Hi <é> \"&\"</USER>\n2: <USER> two\n</USER></s>\n[\"user\", \"assistant\", \"user\"]", conversation, true},
	} {
		source, err := os.ReadFile(filepath.Join("testdata", c.file))
		if err != nil {
			t.Fatal(err)
		}
		chat, err := ParseChat(c.file, string(source), vars)
		if err != nil {
			t.Fatal(err)
		}
		got, err := chat.Render(c.messages, c.generate)
		if err != nil || got != c.want {
			t.Errorf("%s:\n got %q, %v\nwant %q", c.file, got, err, c.want)
		}
		var raised *jinja.Raised
		if _, err := chat.Render([]Message{{"robot", "x"}}, false); c.file == "turns.jinja" && (!errors.As(err, &raised) || raised.Message != "Unknown role robot") {
			t.Errorf("%s: %v; want the template's exception", c.file, err)
		}
	}
}

func TestLoadChat(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string // what it prints, or a part of the error after "error: "
	}{
		"file first": {map[string]string{
			"chat_template.jinja":   "{{ bos_token }}J",
			"tokenizer_config.json": `{"bos_token":{"content":"<b>","lstrip":false},"chat_template":"C"}`}, "<b>J"},
		"string": {map[string]string{"tokenizer_config.json": `{"eos_token":"<e>","pad_token":null,"chat_template":"C{{ eos_token }}{{ pad_token if pad_token }}"}`}, "C<e>"},
		"map": {map[string]string{
			"tokenizer_config.json":   `{"eos_token":"<e>","chat_template":"{{ bos_token }}{{ eos_token }}"}`,
			"special_tokens_map.json": `{"eos_token":"<no>","bos_token":{"content":"<b>"}}`}, "<b><e>"},
		"missing token": {map[string]string{"tokenizer_config.json": `{"chat_template":"x\n{{ bos_token }}"}`}, "error: line 2: \"bos_token\" is missing, and would be printed; the model's tokenizer_config.json"},
		"bad map":       {map[string]string{"special_tokens_map.json": `[`, "tokenizer_config.json": `{"chat_template":"x"}`}, "error: special_tokens_map.json"},
		"named":         {map[string]string{"tokenizer_config.json": `{"chat_template":[{"name":"tool_use","template":"T"},{"name":"default","template":"D"}]}`}, "D"},
		"no default":    {map[string]string{"tokenizer_config.json": `{"chat_template":[{"name":"rag","template":"T"}]}`}, "error: only rag"},
		"nothing":       {map[string]string{}, "error: no chat template"},
		"null":          {map[string]string{"tokenizer_config.json": `{"chat_template":null}`}, "error: no chat template"},
		"bad template":  {map[string]string{"chat_template.jinja": "\n{% if %}"}, "error: chat_template.jinja: line 2"},
		"bad JSON":      {map[string]string{"tokenizer_config.json": `{`}, "error: tokenizer_config.json"},
		"bad token":     {map[string]string{"tokenizer_config.json": `{"bos_token":7,"chat_template":""}`}, "error: bos_token"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range c.files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			chat, err := LoadChat(dir)
			if part, isError := strings.CutPrefix(c.want, "error: "); isError {
				if err == nil {
					_, err = chat.Render(nil, false)
				}
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("%v; want an error with %q", err, part)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := chat.Render(nil, false); err != nil || got != c.want {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

// TestChatLargeContext renders a context as long as the benchmark's.
func TestChatLargeContext(t *testing.T) {
	chat, err := LoadChat(referenceDir)
	if err != nil {
		t.Fatal(err)
	}
	context := strings.Repeat("0123456789 abcd\n", 250_000)
	got, err := chat.Render([]Message{{"user", context}}, true)
	if want := "<|begin|><|user|>" + context + "<|end|><|assistant|>"; err != nil || got != want {
		t.Errorf("%d bytes, %v; want %d", len(got), err, len(want))
	}
}

func TestChatHostile(t *testing.T) {
	chat, err := ParseChat("evil", `{% for a in range(99999999) %}{% for b in range(99999999) %}{{ messages }}{% endfor %}{% endfor %}`, nil)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := chat.Render(conversation, true); !errors.Is(err, jinja.ErrLimit) {
		t.Errorf("%d bytes, %v; want a limit", len(out), err)
	}
	if _, err := ParseChat("x", "", map[string]string{"messages": "x"}); err == nil {
		t.Error("a variable that is no token is taken")
	}
}

// FuzzChat renders templates that nobody wrote, of messages that nobody sent.
func FuzzChat(f *testing.F) {
	for _, file := range []string{"turns.jinja", "dated.jinja"} {
		source, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(source), "user", "Hi <é>")
	}
	own, err := filepath.Glob(filepath.Join("..", "..", "testdata", "golden", "chat_templates", "templates", "*.jinja"))
	if err != nil || len(own) == 0 {
		f.Fatalf("no templates: %v", err)
	}
	for _, path := range own {
		source, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(source), "assistant", " <think>x</think> \n")
	}
	f.Fuzz(func(t *testing.T, source, role, content string) {
		frugal(t, len(source)+len(role)+len(content), func() {
			chat, err := ParseChat("fuzz", source, map[string]string{"bos_token": "<s>"})
			if err == nil {
				_, err = chat.Render([]Message{{"user", "first"}, {role, content}}, true)
			}
			if err != nil && strings.Contains(err.Error(), "internal error") {
				t.Error(err)
			}
		})
	})
}
