package tokenizers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"scbench/stages/tokenizers/jinja"
)

// chatDirs are the folders of chat goldens that are at hand. The repository has those of templates written for it; the licences of
// published templates keep the others out.
func chatDirs() (dirs []string) {
	for _, golden := range []string{goldenDir(), filepath.Join("..", "..", "..", "shared", "golden")} {
		dir := filepath.Join(golden, "chat_templates")
		if _, err := os.Stat(filepath.Join(dir, "goldens.json")); err == nil {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// TestGoldenChat wants Python's rendering, byte by byte, of all but one in a hundred conversations, and an error for those, never another
// text.
func TestGoldenChat(t *testing.T) {
	dirs := chatDirs()
	if len(dirs) == 0 {
		t.Fatalf("no chat goldens in %s", goldenDir())
	}
	for _, dir := range dirs {
		var g struct {
			Cases []struct {
				Template, Messages string
				Vars               json.RawMessage
				Expected, Raises   *string
			}
		}
		readJSON(t, filepath.Join(dir, "goldens.json"), &g)
		var messages map[string]json.RawMessage
		readJSON(t, filepath.Join(dir, "messages.json"), &messages)
		refused := 0
		for i, c := range g.Cases {
			name := fmt.Sprintf("%s with %s (case %d)", c.Template, c.Messages, i)
			vars := append(variables(t, c.Vars), jinja.Var{Name: "messages", Value: value(t, messages[c.Messages])})
			out, err := renderFile(t, filepath.Join(dir, "templates", c.Template+".jinja"), vars)
			var raised *jinja.Raised
			switch problem := differs(out, err, c.Expected, c.Raises); {
			case problem == "":
			case err == nil || errors.As(err, &raised):
				t.Errorf("%s: %s", name, problem)
			default:
				refused++
				t.Logf("%s: refused: %v", name, err)
			}
		}
		if len(g.Cases) == 0 || 100*refused > len(g.Cases) {
			t.Errorf("%s: %d of %d conversations refused", dir, refused, len(g.Cases))
		}
		t.Logf("%s: %d conversations, %d refused, the others byte-identical", dir, len(g.Cases), refused)
	}
}

// TestGoldenChatOwn renders the cases that Hugging Face ships, each with its own messages.
func TestGoldenChatOwn(t *testing.T) {
	dirs := chatDirs()
	dir := dirs[len(dirs)-1]
	path := filepath.Join(dir, "hf_e2e_cases.json")
	if _, err := os.Stat(path); os.IsNotExist(err) {
		t.Skipf("not run: there is no %s; set SCBENCH_GOLDEN to a folder that has chat_templates of published models", path)
	}
	var g struct {
		Cases []struct {
			Template, Source string
			Messages, Vars   json.RawMessage
			Expected         *string
		}
	}
	readJSON(t, path, &g)
	for _, c := range g.Cases {
		t.Run(c.Source, func(t *testing.T) {
			vars := variables(t, c.Vars)
			if len(c.Messages) > 0 {
				vars = append(vars, jinja.Var{Name: "messages", Value: value(t, c.Messages)})
			}
			out, err := renderFile(t, filepath.Join(dir, "templates", c.Template+".jinja"), vars)
			if problem := differs(out, err, c.Expected, nil); problem != "" {
				t.Error(problem)
			}
		})
	}
}

func differs(out string, err error, expected, raises *string) string {
	var raised *jinja.Raised
	switch {
	case raises != nil && errors.As(err, &raised) && raised.Message == *raises:
		return ""
	case raises != nil:
		return fmt.Sprintf("%q, %v; want exception %q", out, err, *raises)
	case err != nil:
		return fmt.Sprintf("%v; want %q", err, *expected)
	case out != *expected:
		return fmt.Sprintf("%q; want %q", out, *expected)
	}
	return ""
}

func renderFile(t *testing.T, path string, vars []jinja.Var) (string, error) {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseChat(filepath.Base(path), string(source), nil)
	if err != nil {
		return "", err
	}
	return c.render(0, vars)
}

// variables makes template variables of a JSON object.
func variables(t *testing.T, raw json.RawMessage) []jinja.Var {
	d := json.NewDecoder(bytes.NewReader(raw))
	var vars []jinja.Var
	object(t, d, func(key string, v any) { vars = append(vars, jinja.Var{Name: key, Value: v}) })
	return vars
}

func object(t *testing.T, d *json.Decoder, set func(key string, v any)) {
	if open := token(t, d); open != json.Delim('{') {
		t.Fatalf("%v: not an object", open)
	}
	for d.More() {
		key := token(t, d).(string)
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			t.Fatal(err)
		}
		set(key, value(t, raw))
	}
	token(t, d)
}

func token(t *testing.T, d *json.Decoder) json.Token {
	tok, err := d.Token()
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// value makes a template value of JSON, keeping the order of keys.
func value(t *testing.T, raw json.RawMessage) any {
	switch raw[0] {
	case '{':
		dict := jinja.NewDict()
		object(t, json.NewDecoder(bytes.NewReader(raw)), func(key string, v any) { dict.Set(key, v) })
		return dict
	case '[':
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			t.Fatal(err)
		}
		var values []any
		for _, item := range items {
			values = append(values, value(t, item))
		}
		return jinja.NewList(values...)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	tok := token(t, d)
	n, ok := tok.(json.Number)
	if !ok {
		return tok
	}
	if i, err := n.Int64(); err == nil {
		return i
	}
	f, err := n.Float64()
	if err != nil {
		t.Fatal(err)
	}
	return f
}
