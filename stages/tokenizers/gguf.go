package tokenizers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"scbench/stages/gguf"
)

// ggufIDs is the special tokens that templates may print, in the order of templateTokens, by the keys of their ids.
var ggufIDs = []string{"bos", "eos", "unknown", "seperator", "padding", "cls", "mask"}

// isFile reports whether path is a regular file, and so not the folder of a model.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// withGGUF calls read with the open GGUF file at path.
func withGGUF[T any](path string, read func(f *gguf.File) (T, error)) (T, error) {
	f, err := gguf.Open(path)
	if err != nil {
		var none T
		return none, fmt.Errorf("tokenizer of %s: %w", path, err)
	}
	defer f.Close() // all that is kept of it are copies
	return read(f)
}

// FromGGUF reads the tokenizer in a GGUF file's metadata: a whole tokenizer.json, if there is one, or else the lists of tokens, types, merges
// and scores of llama.cpp. Models "gpt2" (byte-level BPE) and "llama" (SentencePiece) are read; the split pattern of the former follows
// from the name of its pre-tokenizer. What is not known is refused by name. Nothing of f is kept.
//
// Same as the reference (llama.cpp's vocabularies) for texts in form NFC; where they differ, as Hugging Face's tokenizer of the model.
func FromGGUF(f *gguf.File) (Tokenizer, error) {
	var whole string
	if ok, err := f.Lookup("tokenizer.huggingface.json", &whole); err != nil {
		return nil, err
	} else if ok {
		return Parse(f.Name()+": tokenizer.huggingface.json", []byte(whole))
	}
	r := &ggufReader{f: f}
	var model string
	if !r.get("model", &model) && r.err == nil {
		return nil, fmt.Errorf("%s: metadata have no tokenizer.ggml.model: the file has no tokenizer", f.Name())
	}
	var p Parts
	switch model {
	case "gpt2":
		p = r.byteBPE()
	case "llama":
		p = r.sentencePiece()
	default:
		if r.err == nil {
			r.err = fmt.Errorf("%s: tokenizer.ggml.model: %q is not supported; supported: gpt2 (byte-level BPE), llama (SentencePiece)", f.Name(), model)
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	return p.Build(f.Name())
}

// ggufReader reads keys below tokenizer.ggml. and keeps the first error.
type ggufReader struct {
	f   *gguf.File
	err error
}

// get reads one key and says whether it is there.
func (r *ggufReader) get(key string, dst any) bool {
	ok, err := r.f.Lookup("tokenizer.ggml."+key, dst)
	if r.err == nil {
		r.err = err
	}
	return ok && err == nil
}

// tokens reads what both kinds have.
func (r *ggufReader) tokens(kind PartsKind, begin bool) Parts {
	p := Parts{Kind: kind}
	if !r.get("tokens", &p.Tokens) && r.err == nil {
		r.err = fmt.Errorf("%s: metadata have no tokenizer.ggml.tokens", r.f.Name())
	}
	var types []int64
	if r.get("token_type", &types) {
		p.Types = make([]TokenType, len(types))
		for i, t := range types {
			if t < int64(Normal) || t > int64(Byte) {
				r.err = errors.Join(r.err, fmt.Errorf("%s: tokenizer.ggml.token_type[%d] is %d, which is no type of tokens", r.f.Name(), i, t))
				break
			}
			p.Types[i] = TokenType(t)
		}
	}
	end := false
	r.get("add_bos_token", &begin)
	r.get("add_eos_token", &end)
	p.Before, p.After = r.around(begin, "bos"), r.around(end, "eos")
	return p
}

// around is the token that stands before or behind every text, if one does.
func (r *ggufReader) around(stands bool, name string) []int32 {
	id, ok := r.id(name)
	if !stands || r.err != nil {
		return nil
	}
	if !ok {
		r.err = fmt.Errorf("%s: tokenizer.ggml.add_%s_token is true, but there is no tokenizer.ggml.%s_token_id", r.f.Name(), name, name)
		return nil
	}
	return []int32{id}
}

// id reads the id of a special token.
func (r *ggufReader) id(name string) (int32, bool) {
	var id int64
	if !r.get(name+"_token_id", &id) || id < 0 || id > maxID {
		return 0, false
	}
	return int32(id), true
}

// maxID is the largest id there can be.
const maxID = 1<<31 - 1

func (r *ggufReader) byteBPE() Parts {
	var pre string
	r.get("pre", &pre)
	p := r.tokens(ByteBPE, beginsWithBOS(pre))
	if !r.get("merges", &p.Merges) && r.err == nil {
		r.err = fmt.Errorf("%s: metadata have no tokenizer.ggml.merges", r.f.Name())
	}
	if p.Merges == nil {
		p.Merges = []string{} // none, not those that follow from ids
	}
	if err := p.SetPre(pre); err != nil && r.err == nil {
		r.err = fmt.Errorf("%s: %w", r.f.Name(), err)
	}
	return p
}

func (r *ggufReader) sentencePiece() Parts {
	p := r.tokens(SentencePiece, true)
	r.get("scores", &p.Scores)
	p.SpacePrefix = true
	r.get("add_space_prefix", &p.SpacePrefix)
	var arch string
	if _, err := r.f.Lookup("general.architecture", &arch); err == nil && arch == "phi3" {
		p.TakesSpace = phi3Tokens(p)
	}
	whitespaces := true
	if r.get("remove_extra_whitespaces", &whitespaces) && whitespaces && r.err == nil {
		r.err = fmt.Errorf("%s: tokenizer.ggml.remove_extra_whitespaces is true, which is not supported", r.f.Name())
	}
	return p
}

// phi3Tokens is the tokens of Phi-3 that take the white space behind them, which GGUF has no word for: all of its own, and "</s>". The same
// in llama.cpp.
func phi3Tokens(p Parts) (ids []int32) {
	for id, typ := range p.Types[:min(len(p.Types), len(p.Tokens))] {
		if typ == Control || typ == UserDefined {
			if text := p.Tokens[id]; text != "<s>" && text != "<unk>" && text != "<|endoftext|>" {
				ids = append(ids, int32(id))
			}
		}
	}
	return ids
}

// chatFromGGUF reads the chat template in a GGUF file's metadata and the special tokens that it may print.
func chatFromGGUF(f *gguf.File) (*ChatTemplate, error) {
	var text string
	const key = "tokenizer.chat_template"
	if ok, err := f.Lookup(key, &text); err != nil {
		return nil, err
	} else if !ok {
		return nil, fmt.Errorf("%s: %w", f.Name(), ErrNoTemplate)
	}
	r := &ggufReader{f: f}
	var tokens []string
	r.get("tokens", &tokens)
	vars := map[string]string{}
	for i, name := range ggufIDs {
		if id, ok := r.id(name); ok && int(id) < len(tokens) {
			vars[templateTokens[i]] = tokens[id]
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	return ParseChat(filepath.Base(f.Name())+": "+key, text, vars)
}
