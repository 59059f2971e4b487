package tokenizers

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/zeebo/blake3"

	"scbench/stages/mapped"
	"scbench/stages/tokenizers/jinja"
)

// Message is one turn of a conversation.
type Message struct {
	Role    string // "system", "user" or "assistant"
	Content string
}

// ChatTemplate writes a conversation as the prompt that a model was trained on. It may be used by many goroutines.
type ChatTemplate struct {
	hash     string
	template *jinja.Template
	vars     []jinja.Var
	now      time.Time
}

// TemplateDate is the day that templates are told it is, so that prompts do not change from day to day.
var TemplateDate = time.Date(2024, time.July, 26, 12, 34, 56, 0, time.UTC)

// templateTokens are the special tokens that templates may print, as Hugging Face passes them.
var templateTokens = []string{"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}

// ParseChat reads a chat template in Jinja; name is what errors call it. vars are the special tokens it may print
// (bos_token, eos_token, pad_token, …). Printing one that is not given is an error when the template is rendered, where
// Hugging Face prints nothing: a prompt without it would not be what the model was trained on.
func ParseChat(name, template string, vars map[string]string) (*ChatTemplate, error) {
	t, err := jinja.Parse(name, template)
	if err != nil {
		return nil, err
	}
	c := &ChatTemplate{template: t, now: TemplateDate, hash: hashTemplate(template, vars)}
	known := 0
	for _, token := range templateTokens {
		one := jinja.Var{Name: token, Value: jinja.Missing{}}
		if v, ok := vars[token]; ok {
			one.Value = v
			known++
		}
		c.vars = append(c.vars, one)
	}
	if known < len(vars) {
		return nil, fmt.Errorf("%s: unknown variable; known: %s", name, strings.Join(templateTokens, ", "))
	}
	return c, nil
}

// hashTemplate hashes all that a rendering depends on besides the messages.
func hashTemplate(template string, vars map[string]string) string {
	h := blake3.New()
	for _, token := range templateTokens {
		fmt.Fprintf(h, "%s=%q\n", token, vars[token])
	}
	fmt.Fprintf(h, "now=%s\n%s", TemplateDate.Format(time.RFC3339), template)
	return hex.EncodeToString(h.Sum(nil))
}

// Hash is the BLAKE3 hash, in hex, of the template, its special tokens and the day it is told.
func (c *ChatTemplate) Hash() string { return c.hash }

// Render returns the prompt for msgs, with the header of the assistant's answer if addGenerationPrompt is set. As in
// Hugging Face, tools and documents are None. A template that refuses the messages gives an error that wraps
// *jinja.Raised, one that uses too much one that wraps jinja.ErrLimit.
func (c *ChatTemplate) Render(msgs []Message, addGenerationPrompt bool) (string, error) {
	list := make([]any, len(msgs))
	size := 0
	for i, m := range msgs {
		list[i] = jinja.NewDict().Set("role", m.Role).Set("content", m.Content)
		size += len(m.Role) + len(m.Content)
	}
	return c.render(size, append([]jinja.Var{
		{Name: "messages", Value: jinja.NewList(list...)},
		{Name: "tools"}, {Name: "documents"},
		{Name: "add_generation_prompt", Value: addGenerationPrompt},
	}, c.vars...))
}

// render runs the template under limits that grow with the size of its variables, in bytes: of 43 published templates 41 make at most
// seven times their messages, and need less than 20 000 steps for a conversation.
func (c *ChatTemplate) render(size int, vars []jinja.Var) (string, error) {
	out, err := c.template.Render(vars, c.now, jinja.Limits{
		Steps: 5_000_000 + 4*int64(size),
		Bytes: 16<<20 + 8*int64(size),
		Depth: 1000,
		Time:  20 * time.Second,
	})
	if errors.Is(err, jinja.ErrMissing) {
		err = fmt.Errorf("%w; the model's tokenizer_config.json or special_tokens_map.json must give it", err)
	}
	return out, err
}

// ErrNoTemplate is wrapped by the error of a model directory that has no chat template.
var ErrNoTemplate = errors.New("there is no chat template; put the model's into chat_template.jinja, or do without one")

// LoadChat reads the chat template of a model directory: chat_template.jinja, or else chat_template in
// tokenizer_config.json (of several named templates the one called "default"). The special tokens are those of
// tokenizer_config.json, or else of special_tokens_map.json. dir may also be a GGUF file, which has all of them.
func LoadChat(dir string) (*ChatTemplate, error) {
	if isFile(dir) {
		return withGGUF(dir, chatFromGGUF)
	}
	return FSChat(dir, os.DirFS(dir))
}

// FSChat is LoadChat for a directory in a file system; name is what errors call it.
func FSChat(name string, dir fs.FS) (*ChatTemplate, error) {
	config, err := readConfig(name, dir, "tokenizer_config.json")
	if err != nil {
		return nil, err
	}
	tokens, err := readConfig(name, dir, "special_tokens_map.json")
	if err != nil {
		return nil, err
	}
	vars := map[string]string{}
	for _, token := range templateTokens {
		path, raw := name+"/tokenizer_config.json", config[token]
		if isNull(raw) {
			path, raw = name+"/special_tokens_map.json", tokens[token]
		}
		text, err := specialToken(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, token, err)
		}
		if text != "" {
			vars[token] = text
		}
	}
	source, err := mapped.Small(dir, "chat_template.jinja", maxTemplateBytes)
	if err == nil {
		return ParseChat(name+"/chat_template.jinja", string(source), vars)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s/chat_template.jinja: %w", name, err)
	}
	if isNull(config["chat_template"]) {
		return nil, fmt.Errorf("%s: %w", name, ErrNoTemplate)
	}
	path := name + "/tokenizer_config.json: chat_template"
	text, err := namedTemplate(config["chat_template"])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ParseChat(path, text, vars)
}

// readConfig reads a JSON object; a file that is not there is an empty one.
func readConfig(name string, dir fs.FS, file string) (map[string]json.RawMessage, error) {
	config := map[string]json.RawMessage{}
	data, err := mapped.Small(dir, file, maxTemplateBytes)
	if err == nil {
		err = json.Unmarshal(data, &config)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s/%s: %w", name, file, err)
	}
	return config, nil
}

// specialToken reads a token that is a string, an object with a content, or null.
func specialToken(raw json.RawMessage) (string, error) {
	if isNull(raw) {
		return "", nil
	}
	if raw[0] == '{' {
		var token struct{ Content *string }
		if err := json.Unmarshal(raw, &token); err != nil {
			return "", err
		}
		if token.Content == nil {
			return "", errors.New("an object without content")
		}
		return *token.Content, nil
	}
	var token string
	err := json.Unmarshal(raw, &token)
	return token, err
}

// maxTemplateBytes bounds a template and the file it stands in; the largest published one has 200 KB.
const maxTemplateBytes = 16 << 20

// namedTemplate reads a template that is a string or a list of named ones.
func namedTemplate(raw json.RawMessage) (string, error) {
	if raw[0] != '[' {
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err
	}
	var list []struct{ Name, Template string }
	if err := json.Unmarshal(raw, &list); err != nil {
		return "", err
	}
	var names []string
	for _, t := range list {
		if t.Name == "default" {
			return t.Template, nil
		}
		names = append(names, t.Name)
	}
	return "", fmt.Errorf("has no template named default, only %s", strings.Join(names, ", "))
}
