package tokenizers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"scbench/stages/mapped"
)

// maxFileBytes bounds what Load reads; the largest published tokenizer.json has about 35 MB.
const maxFileBytes = 256 << 20

// Load reads dir/tokenizer.json, or, where there is none, dir/tokenizer.model with dir/tokenizer_config.json: SentencePiece's file of a
// LlamaTokenizer or GemmaTokenizer, or tiktoken's of GLM-4. The latter become what Hugging Face's converters make of them.
// dir may also be a GGUF file: see FromGGUF.
func Load(dir string) (Tokenizer, error) {
	if isFile(dir) {
		return withGGUF(dir, FromGGUF)
	}
	path, data, err := readTokenizer(dir)
	if errors.Is(err, os.ErrNotExist) {
		model := filepath.Join(dir, "tokenizer.model")
		if other, e := readBounded(model); e == nil {
			return parseModelFile(model, dir, other)
		}
	}
	if err != nil {
		return nil, err
	}
	return Parse(path, data)
}

// readTokenizer reads the tokenizer.json of a model directory.
func readTokenizer(dir string) (path string, data []byte, err error) {
	path = filepath.Join(dir, "tokenizer.json")
	data, err = readBounded(path)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%w; a model directory needs a tokenizer.json: save it with AutoTokenizer.from_pretrained(…, use_fast=True).save_pretrained(…)", err)
	}
	return path, data, err
}

// readBounded reads a file of at most maxFileBytes.
func readBounded(path string) ([]byte, error) {
	f, size, err := mapped.Regular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > maxFileBytes {
		return nil, fmt.Errorf("%s: more than %d MiB; this is not a tokenizer file", path, maxFileBytes>>20)
	}
	data := make([]byte, size) // read whole, without growing
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return data, nil
}

// tokenizerConfig is what a tokenizer.model needs of tokenizer_config.json.
type tokenizerConfig struct {
	Class  string                `json:"tokenizer_class"`
	AddBOS *bool                 `json:"add_bos_token"`
	AddEOS *bool                 `json:"add_eos_token"`
	Legacy *bool                 `json:"legacy"`
	Added  map[string]addedToken `json:"added_tokens_decoder"`
}

// parseModelFile reads a tokenizer.model of either kind.
func parseModelFile(path, dir string, data []byte) (Tokenizer, error) {
	var c tokenizerConfig
	config := filepath.Join(dir, "tokenizer_config.json")
	raw, err := readBounded(config)
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil {
		return nil, fmt.Errorf("%s needs %s: %w", path, config, err)
	}
	parse := sentencePieceTokenizer
	if tiktokenLine.Match(data) {
		parse = glmTokenizer
	}
	t, err := parse(data, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// sentencePieceTokenizer makes a tokenizer of a SentencePiece file, as Hugging Face's LlamaConverter and GemmaConverter do.
func sentencePieceTokenizer(data []byte, c tokenizerConfig) (*tokenizer, error) {
	m, err := parseSentencePiece(data)
	switch {
	case err != nil && foreign(data) != "":
		return nil, errors.New(foreign(data))
	case err != nil:
		return nil, err
	case !slices.Contains([]string{"LlamaTokenizer", "LlamaTokenizerFast", "GemmaTokenizer", "GemmaTokenizerFast"}, c.Class):
		return nil, fmt.Errorf("is a SentencePiece file of a %q, which is not supported; supported: LlamaTokenizer, GemmaTokenizer; %s", c.Class, makeJSON)
	case !m.bpe:
		return nil, fmt.Errorf("holds a model that is not BPE, whose ids often are not the checkpoint's; %s", makeJSON)
	case m.collapses || m.charsmap:
		return nil, fmt.Errorf("normalizes text, which is not supported here; %s", makeJSON)
	}
	m.parts.SpacePrefix, m.parts.SpaceOnce = m.dummyPrefix, c.Legacy != nil && !*c.Legacy
	if c.AddBOS == nil || *c.AddBOS {
		m.parts.Before = []int32{m.bos}
	}
	if c.AddEOS != nil && *c.AddEOS {
		m.parts.After = []int32{m.eos}
	}
	extra, err := c.added()
	if err != nil {
		return nil, err
	}
	return m.parts.build(extra...)
}

// glmTokenizer makes the tokenizer of GLM-4's own layout (glm-4-9b-chat-1m), which begins every text with [gMASK]<sop>.
func glmTokenizer(data []byte, c tokenizerConfig) (*tokenizer, error) {
	if c.Class != "ChatGLM4Tokenizer" {
		return nil, fmt.Errorf("is a tiktoken file of a %q, whose split pattern is not known; supported: ChatGLM4Tokenizer; %s", c.Class, makeJSON)
	}
	p, err := parseTiktoken(data)
	if err != nil {
		return nil, err
	}
	extra, err := c.added()
	if err != nil {
		return nil, err
	}
	for _, token := range []string{"[gMASK]", "<sop>"} {
		i := slices.IndexFunc(extra, func(a addedToken) bool { return a.Content == token })
		if i < 0 {
			return nil, fmt.Errorf("%q is not in added_tokens_decoder of tokenizer_config.json", token)
		}
		p.Before = append(p.Before, extra[i].ID)
	}
	p.Split = llama3Pattern
	return p.build(extra...)
}

const makeJSON = "make a tokenizer.json: AutoTokenizer.from_pretrained(…, use_fast=True).save_pretrained(…)"

// added are the tokens of added_tokens_decoder, by id.
func (c tokenizerConfig) added() ([]addedToken, error) {
	var list []addedToken
	for key, t := range c.Added {
		id, err := strconv.ParseInt(key, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("tokenizer_config.json: added_tokens_decoder: %q is no id", key)
		}
		t.ID = int32(id)
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b addedToken) int { return int(a.ID) - int(b.ID) })
	return list, nil
}
