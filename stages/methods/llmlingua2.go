package methods

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"scbench/kernels"
	"scbench/stages/engine"
)

// LLMLingua2 shortens the context before it is tokenized: an encoder says of each token whether it is to be kept, and in each
// chunk of some 510 tokens the words above a percentile stay. Questions are left alone. It needs Encoders: see ParseWith.
var LLMLingua2 = engine.Method{
	Name:    "llmlingua2",
	Paper:   "Pan et al. 2024, arXiv:2403.12968",
	Doc:     "Shortens the context's text: an encoder labels its tokens, and the words most worth keeping stay.",
	Stage:   engine.Compression,
	Differs: "Differs from the reference: the threshold weighs a word by the number of the encoder's own tokens unless counts names the tokenizer that the reference takes (cl100k_base); tokens added for forced text have an embedding of zero, where the reference draws random ones; means and percentiles are float64 throughout; a chunk without a word is empty, and one that begins within a word begins one, where the reference fails.",
	Cost:    engine.CostClass{Prefill: "(rate·n)² / 2 + an encoder over n", Decode: "rate·n", Memory: "rate·n", Decided: "before the model", Aware: "no"},
	Params: []engine.Param{
		{Name: "model", Default: "", Doc: "folder of the encoder: a BERT or XLM-R token classifier of two labels, with its tokenizer.json"},
		{Name: "rate", Default: "1/3", Doc: "share of the context that stays, or a number of tokens"},
		{Name: "force", Default: `\n;?`, Doc: `texts that count as worth keeping, divided by ;, with escapes such as \n and \u003b`},
		{Name: "digits", Default: "no", Doc: "whether tokens with digits count as worth keeping: yes or no"},
		{Name: "repeats", Default: "keep", Doc: "forced texts that follow each other with nothing between: keep or drop"},
		{Name: "word", Default: "mean", Doc: "what a word is worth: the mean of its tokens, or its first"},
		{Name: "precision", Default: "f32", Doc: "what the encoder's products are rounded to: f32 or bf16, which is faster where the processor has AMX"},
		{Name: "counts", Default: "", Doc: "tokenizer.json whose tokens weigh the words; the encoder's own by default"},
	},
	New: func(_ engine.Shape, a engine.Args) (engine.Policy, error) { return newLLMLingua2(a, Encoders{}) },
}

// Encoders opens what LLMLingua2 names: models and tokenizers, which this package does not know.
type Encoders struct {
	// Open opens the encoder in a folder, with products of the given precision. The same may be asked for many times.
	Open func(dir string, p kernels.Precision) (*Encoder, error)
	// Counter reads a tokenizer.json, called name in errors, and returns the function that counts the tokens of a text.
	Counter func(name string, tokenizerJSON []byte) (func(text string) (int, error), error)
}

// Encoder is a token classifier with its tokenizer. Tokens are strings, as the vocabulary spells them.
type Encoder struct {
	Hash      string // of weights and tokenizer
	MaxTokens int    // of a chunk with the tokens around it; 512 in published encoders
	// Continuation begins the tokens that continue a word, "##". "": tokens that begin one are marked by U+2581 instead.
	Continuation string
	// Tokens cuts a text. "[NEW0]" to "[NEW99]" are tokens, and what is unknown may be shown as it is.
	Tokens func(text string) ([]string, error)
	// Text joins tokens, or words put together from them.
	Text func(tokens []string) string
	// Special reports whether a token is no text, as "<unk>" or "[CLS]".
	Special func(token string) bool
	// Keep returns how probable it is that each token is to be kept, and the tokens as the encoder sees them: unknown ones as its
	// unknown token.
	Keep func(ctx context.Context, tokens []string) (seen []string, keep []float64, err error)
}

// MaxForced is the number of texts that may be forced: an encoder's tokenizer has as many added tokens.
const MaxForced = 100

// AddedToken is the token that stands for forced text i, in [0, MaxForced), where the encoder has no single token for it.
func AddedToken(i int) string { return fmt.Sprintf("[NEW%d]", i) }

// lingua is the method with its settings.
type lingua struct {
	*Encoder
	rate         engine.Amount
	force        []string
	digits, drop bool
	first        bool // a word is worth its first token
	count        func(text string) (int, error)
	added        map[string]string // forced text → the token added for it
}

func newLLMLingua2(a engine.Args, open Encoders) (engine.Policy, error) {
	m := &lingua{
		rate: a.Amount("rate"), digits: a.Choice("digits", "no", "yes") == "yes", drop: a.Choice("repeats", "keep", "drop") == "drop",
		first: a.Choice("word", "mean", "first") == "first",
	}
	var err error
	if m.force, err = forced(a.Text("force")); err != nil {
		a.Fail("force", err.Error())
	}
	precision, err := kernels.ParsePrecision(a.Choice("precision", "f32", "bf16"))
	if err != nil || !slices.Contains(kernels.Precisions(), precision) {
		a.Fail("precision", "f32: the "+kernels.Tier()+" kernels have no others")
	}
	counts, data := a.File("counts")
	if a.Err() != nil {
		return engine.Policy{}, nil // Parse reports it
	}
	if data != nil && open.Counter != nil {
		if m.count, err = open.Counter(counts, data); err != nil {
			return engine.Policy{}, fmt.Errorf("method llmlingua2: counts: %w", err)
		}
	}
	a.Folder("model", "the folder of a token classifier, BERT or XLM-R, with its tokenizer.json", func(dir string) (string, error) {
		if open.Open == nil {
			return "", errors.New("this command opens no encoders; the run command does")
		}
		if m.Encoder, err = open.Open(dir, precision); err != nil {
			return "", err
		}
		return m.Hash, nil
	})
	if a.Err() != nil {
		return engine.Policy{}, nil
	}
	if err := m.findAdded(); err != nil {
		return engine.Policy{}, err
	}
	return engine.Policy{Rewrite: m.rewrite}, nil
}

// forced reads a list of texts.
func forced(list string) (texts []string, err error) {
	if list == "" {
		return nil, nil
	}
	for _, s := range strings.Split(list, ";") {
		text, err := strconv.Unquote(`"` + s + `"`)
		if err != nil || text == "" || slices.Contains(texts, text) || len(texts) == MaxForced {
			return nil, fmt.Errorf(`at most %d different texts, none of them empty, divided by ;, with escapes such as \n and \u003b; %q is not one`, MaxForced, s)
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// findAdded finds the forced texts that are not one token.
func (m *lingua) findAdded() error {
	m.added = map[string]string{}
	for i, text := range m.force {
		tokens, err := m.Tokens(text)
		if err != nil {
			return err
		}
		if len(tokens) != 1 {
			m.added[text] = AddedToken(i)
		}
	}
	return nil
}

// mark puts added tokens in the place of forced texts; unmark puts the texts back.
func (m *lingua) mark(text string) string {
	for _, f := range m.force {
		if token, ok := m.added[f]; ok {
			text = strings.ReplaceAll(text, f, token)
		}
	}
	return text
}

func (m *lingua) unmark(text string) string {
	for _, f := range m.force {
		if token, ok := m.added[f]; ok {
			text = strings.ReplaceAll(text, token, f)
		}
	}
	return text
}

// rewrite is the method.
func (m *lingua) rewrite(ctx context.Context, text string) (string, error) {
	text = strings.ReplaceAll(text, "<|endoftext|>", "")
	tokens, err := m.Tokens(m.mark(text))
	if err != nil {
		return "", err
	}
	reduce, err := m.reduction(text, len(tokens))
	if err != nil {
		return "", err
	}
	var out strings.Builder
	asked, kept := 0, 0 // words
	for _, chunk := range m.chunks(tokens) {
		short := m.unmark(chunk)
		if reduce > 0 {
			words, err := m.words(ctx, chunk)
			if err != nil {
				return "", err
			}
			if short, err = m.shorten(words, reduce); err != nil {
				return "", err
			}
			asked, kept = asked+len(words), kept+staying(words)
		}
		out.WriteString(short)
	}
	if asked > 1 && asked == kept { // its numbers would be those of the whole text under another name
		return "", fmt.Errorf("it did nothing: all of the %d words stay, each forced or surely worth keeping", asked)
	}
	return out.String(), nil
}

// reduction is the share that is to go of a text, which has so many tokens of the encoder.
func (m *lingua) reduction(text string, tokens int) (share float64, err error) {
	if m.rate.Tokens == 0 {
		return max(0, 1-m.rate.Share), nil
	}
	if m.count != nil {
		tokens, err = m.count(text)
	}
	return max(0, 1-float64(m.rate.Tokens)/float64(max(tokens, 1))), err
}

// chunks cuts a text at ends of sentences or lines, so that chunks leave room for the two tokens around them, and returns the texts.
// Cut in the middle of what is longer, and so one token too long, is a chunk that has no such end after its first token.
func (m *lingua) chunks(tokens []string) (texts []string) {
	ends := []string{".", "\n"}
	for _, end := range ends[:2] {
		if token, ok := m.added[end]; ok {
			ends = append(ends, token)
		}
	}
	room := m.MaxTokens - 2
	for len(tokens) > 0 {
		hi := len(tokens)
		if room < len(tokens) {
			hi = room + 1
			for i := room; i > 0; i-- {
				if slices.Contains(ends, tokens[i]) {
					hi = i + 1
					break
				}
			}
		}
		texts = append(texts, m.Text(tokens[:hi]))
		tokens = tokens[hi:]
	}
	return texts
}

// word is a word of a chunk, its tokens put together.
type word struct {
	text   string
	tokens []float64 // how probable each is to be kept
	worth  float64
	kept   bool
}

// words asks the encoder about a chunk, and merges its tokens to words.
func (m *lingua) words(ctx context.Context, chunk string) ([]word, error) {
	tokens, err := m.Tokens(chunk)
	if err != nil {
		return nil, err
	}
	// The reference frames all texts as BERT's are; for XLM-R these are unknown tokens.
	tokens = append(append([]string{"[CLS]"}, tokens...), "[SEP]")
	seen, keep, err := m.Keep(ctx, tokens[:min(len(tokens), m.MaxTokens)])
	if err != nil {
		return nil, err
	}
	var words []word
	for i, token := range seen {
		if m.Special(token) {
			continue
		}
		p := keep[i]
		pure := m.pure(token)
		begins := m.begins(token) || len(words) == 0
		if begins && (slices.Contains(m.force, pure) || m.isAdded(pure)) {
			p = 1
		}
		if begins {
			token = m.unmark(token)
			words = append(words, word{text: token})
		} else {
			words[len(words)-1].text += pure
		}
		if m.digits && strings.ContainsFunc(token, unicode.IsDigit) {
			p = 1
		}
		w := &words[len(words)-1]
		w.tokens = append(w.tokens, p)
	}
	return words, nil
}

func (m *lingua) isAdded(token string) bool {
	for _, f := range m.force {
		if added, ok := m.added[f]; ok && added == token {
			return true
		}
	}
	return false
}

// spaceMark is what marks tokens that begin a word, where those that continue one have no mark.
const spaceMark = "\u2581"

// pure is a token without its mark.
func (m *lingua) pure(token string) string {
	if m.Continuation != "" {
		return strings.TrimLeft(token, m.Continuation)
	}
	return strings.TrimLeft(token, spaceMark)
}

// punctuation are the characters that begin a word although they have no mark; of several, their sequence here, as in the reference.
const punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

// begins says whether a token begins a word.
func (m *lingua) begins(token string) bool {
	if m.Continuation != "" {
		pure := m.pure(token)
		return slices.Contains(m.force, pure) || m.isAdded(pure) || !strings.HasPrefix(token, m.Continuation)
	}
	return strings.Contains(punctuation, token) || slices.Contains(m.force, token) || m.isAdded(token) || strings.HasPrefix(token, spaceMark)
}
