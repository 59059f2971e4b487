package methods

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"scbench/kernels"
	"scbench/stages/engine"
)

// toyPattern cuts texts for the toy tokenizer, as the golden file describes it.
var toyPattern = regexp.MustCompile(`\[NEW\d+\]|[\pL\pN_]+|[^\pL\pN_\s]`)

func toyTokens(text string) (tokens []string, err error) {
	for _, at := range toyPattern.FindAllStringIndex(text, -1) {
		piece := text[at[0]:at[1]]
		parts := []string{piece}
		if r := []rune(piece); len(r) > 5 && !strings.HasPrefix(piece, "[NEW") {
			parts = []string{string(r[:4]), string(r[4:])}
		}
		if at[0] == 0 || strings.ContainsAny(text[at[0]-1:at[0]], " \n\t") {
			parts[0] = spaceMark + parts[0]
		}
		if strings.HasPrefix(piece, "[NEW") {
			parts[0] = piece
		}
		tokens = append(tokens, parts...)
	}
	return tokens, nil
}

func toyText(tokens []string) string {
	return strings.TrimSpace(strings.ReplaceAll(strings.Join(tokens, ""), spaceMark, " "))
}

func toyCount(text string) (int, error) {
	n := len([]rune(strings.ReplaceAll(text, spaceMark, " ")))
	return max(1, (n+3)/4), nil
}

func toyProbability(token string, at int) float64 {
	sum := md5.Sum(fmt.Appendf(nil, "%s|%d", token, at))
	n, err := strconv.ParseUint(hex.EncodeToString(sum[:])[:8], 16, 64)
	if err != nil {
		panic(err)
	}
	return float64(n%10000) / 10000
}

// toyEncoder is the golden file's encoder. It notes what it was asked.
func toyEncoder(maxTokens int, asked func(tokens []string, keep []float64)) *Encoder {
	return &Encoder{
		Hash: "toy", MaxTokens: maxTokens, Tokens: toyTokens, Text: toyText,
		Special: func(token string) bool { return token == "<unk>" },
		Keep: func(ctx context.Context, tokens []string) (seen []string, keep []float64, err error) {
			for i, token := range tokens {
				if token == "[CLS]" || token == "[SEP]" {
					token = "<unk>"
				}
				seen, keep = append(seen, token), append(keep, toyProbability(token, i))
			}
			asked(seen, keep)
			return seen, keep, ctx.Err()
		},
	}
}

// TestGoldenLLMLingua2 reproduces every case of the golden file: the text, the words with what became of them, and what the encoder saw.
func TestGoldenLLMLingua2(t *testing.T) {
	root := os.Getenv("SCBENCH_GOLDEN")
	if root == "" {
		root = filepath.Join("..", "..", "testdata", "golden")
	}
	path := filepath.Join(root, "methods", "llmlingua2", "toy_tokenizer_cases.json")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("not run: %v", err)
	}
	var golden struct {
		Text  string
		Cases []struct {
			MaxSeqLen int `json:"max_seq_len"`
			Args      struct {
				Rate        float64
				ForceTokens []string `json:"force_tokens"`
				Digits      bool     `json:"force_reserve_digit"`
				Drop        bool     `json:"drop_consecutive"`
				Word        string   `json:"token_to_word"`
			}
			Compressed, Labels string
			OriginTokens       int `json:"origin_tokens"`
			Chunks             []struct {
				Tokens []string
				Probs  []float64
			}
		}
	}
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cases) == 0 {
		t.Fatalf("%s has no cases", path)
	}
	for i, c := range golden.Cases {
		chunk := 0
		encoder := toyEncoder(c.MaxSeqLen, func(tokens []string, keep []float64) {
			if len(c.Chunks) > 0 && (!slices.Equal(tokens, c.Chunks[chunk].Tokens) || !slices.Equal(keep, c.Chunks[chunk].Probs)) {
				t.Errorf("case %d, chunk %d: the encoder sees %q", i, chunk, tokens)
			}
			chunk++
		})
		var force []string
		for _, f := range c.Args.ForceTokens {
			force = append(force, strings.Trim(strconv.Quote(f), `"`))
		}
		word := map[string]string{"": "mean"}[c.Args.Word] + c.Args.Word
		spec := fmt.Sprintf("llmlingua2:model=toy,rate=%s%%,force=%s,digits=%s,repeats=%s,word=%s,counts=%s", strconv.FormatFloat(100*c.Args.Rate, 'g', 12, 64),
			strings.Join(force, ";"), yes(c.Args.Digits, "yes", "no"), yes(c.Args.Drop, "drop", "keep"), word, path)
		p, err := ParseWith(spec, engine.Shape{}, Encoders{
			Open:    func(string, kernels.Precision) (*Encoder, error) { return encoder, nil },
			Counter: func(string, []byte) (func(string) (int, error), error) { return toyCount, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Rewrite(context.Background(), golden.Text)
		if err != nil || got != c.Compressed {
			t.Errorf("case %d, %s:\n%q, %v; want\n%q", i, spec, got, err, c.Compressed)
		}
		if c.Args.Rate < 1 && (chunk == 0 || len(c.Chunks) > 0 && chunk != len(c.Chunks)) {
			t.Errorf("case %d: %d chunks; want %d", i, chunk, len(c.Chunks))
		}
		if n, _ := toyCount(golden.Text); n != c.OriginTokens {
			t.Errorf("the text has %d tokens; want %d", n, c.OriginTokens)
		}
		if c.Args.Rate < 1 {
			m := &lingua{Encoder: toyEncoder(c.MaxSeqLen, func([]string, []float64) {}), force: c.Args.ForceTokens, digits: c.Args.Digits, drop: c.Args.Drop, first: c.Args.Word == "first", count: toyCount}
			if got := labels(t, m, golden.Text, 1-c.Args.Rate); got != c.Labels {
				t.Errorf("case %d: words\n%q; want\n%q", i, got, c.Labels)
			}
		}
	}
}

// labels are the words of a text and what became of them, as the golden file writes them.
func labels(t *testing.T, m *lingua, text string, reduce float64) string {
	t.Helper()
	if err := m.findAdded(); err != nil {
		t.Fatal(err)
	}
	tokens, err := m.Tokens(m.mark(text))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, chunk := range m.chunks(tokens) {
		words, err := m.words(context.Background(), chunk)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.shorten(words, reduce); err != nil {
			t.Fatal(err)
		}
		for _, w := range words {
			out = append(out, strings.TrimLeft(w.text, spaceMark)+" "+yes(w.kept, "1", "0"))
		}
	}
	return strings.Join(out, "\t\t|\t\t")
}

func yes(b bool, t, f string) string {
	if b {
		return t
	}
	return f
}

// toyEncoders are those of the conformance suite.
var toyEncoders = Encoders{
	Open: func(dir string, _ kernels.Precision) (*Encoder, error) {
		if dir != "toy" {
			return nil, fmt.Errorf("%s is not the toy", dir)
		}
		return toyEncoder(64, func([]string, []float64) {}), nil
	},
	Counter: func(string, []byte) (func(string) (int, error), error) { return toyCount, nil },
}

const toyStory = "The committee reviewed the budget of 2024. Why did spending rise? Nobody knew, although some asked again...\nThe next meeting " +
	"is in March. Everyone should prepare a short summary of travel, equipment and hiring, and of what members wanted in more detail.\n"

// rewrites reports whether a method works on the text alone, and if so checks that it shortens a text, or does not, alike each time.
func (c *chat) rewrites(spec string, shorter bool) bool {
	c.t.Helper()
	p := c.policy(spec)
	if p.Rewrite == nil {
		return false
	}
	text := strings.Repeat(toyStory, 5)
	var first string
	for i := range 3 {
		got, err := p.Rewrite(context.Background(), text)
		if err != nil {
			c.t.Fatal(err)
		}
		if i > 0 && got != first {
			c.t.Errorf("%s: another time the text becomes another", spec)
		}
		first = got
	}
	words := func(s string) string { return strings.Join(strings.Fields(s), "") }
	if shorter && len(words(first)) >= len(words(text)) || !shorter && words(first) != words(text) {
		c.t.Errorf("%s: of %d bytes %d stay: %q", spec, len(text), len(first), first)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Rewrite(cancelled, text); shorter && !errors.Is(err, context.Canceled) {
		c.t.Errorf("%s: cancelled, it says %v", spec, err)
	}
	return p.Generate == nil && p.Compress == nil && p.Load == nil
}

// wordEncoder cuts a text at spaces, and words at hyphens as BERT does. A token is worth what follows its "=", or a half.
func wordEncoder() *Encoder {
	return &Encoder{
		Hash: "words", MaxTokens: 12, Continuation: "##",
		Tokens: func(text string) (tokens []string, err error) {
			for _, w := range strings.Fields(text) {
				for i, part := range strings.Split(w, "-") {
					if i > 0 {
						part = "##" + part
					}
					tokens = append(tokens, part)
				}
			}
			return tokens, nil
		},
		Text: func(tokens []string) string {
			return strings.ReplaceAll(strings.Join(tokens, " "), " ##", "-")
		},
		Special: func(token string) bool {
			return strings.HasPrefix(token, "[CLS") || strings.HasPrefix(token, "[SEP") || token == "[UNK]"
		},
		Keep: func(ctx context.Context, tokens []string) (seen []string, keep []float64, err error) {
			for _, token := range tokens {
				p := 0.5
				if _, v, ok := strings.Cut(token, "="); ok {
					if p, err = strconv.ParseFloat(v, 64); err != nil {
						return nil, nil, err
					}
				}
				keep = append(keep, p)
			}
			return tokens, keep, ctx.Err()
		},
	}
}

func TestLLMLingua2Words(t *testing.T) {
	open := Encoders{Open: func(string, kernels.Precision) (*Encoder, error) { return wordEncoder(), nil }}
	for _, c := range []struct{ settings, text, want string }{
		{"rate=50%,force=", "a=0.1 b=0.9 c=0.2 d=0.8", "b=0.9 d=0.8"}, // above the 51st percentile, 0.518
		{"rate=30%,force=", "a=0.1 b=0.9 c=0.2 d=0.8", "b=0.9"},       // the 71st, 0.813
		{"rate=50%,force=", "a=0.1-b=0.9 c=0.6 d=0.2", "c=0.6"},       // a word is worth its mean, and weighs two tokens
		{"rate=50%,force=,word=first", "a=0.9-b=0.1 c=0.6 d=0.2", "a=0.9b=0.1"},
		{"rate=50%,force=x;y", "a=0.6 x=0 x b=0.9 y", "x y"}, // forced texts that are tokens
		{"rate=50%,force=", "a q7 b", ""},                    // digits count for nothing …
		{"rate=50%,force=,digits=yes", "a q7 b", "q7"},       // … unless they are asked for
		{"rate=85%,force=x,repeats=keep", "x x a=0.1 x b=0.9 x", "x x x b=0.9 x"},
		{"rate=85%,force=x,repeats=drop", "x x a=0.1 x b=0.9 x", "x a=0.1 b=0.9 x"},
		{"rate=1,force=", "a=0.1 b=0.9 c=0.2 d=0.8", "b=0.9"}, // one token of four
		{"rate=50%,force=", "[UNK]", ""},                      // no words
		{"rate=50%,force=", "", ""},
		{"rate=50%,force=", "a=0.2 <|endoftext|>b=0.9 c=0.3", "b=0.9"},
		// Two chunks, cut at the full stop. The reference computes the 66th percentile: 100·(1-0.34) is a little less than 66.
		{"rate=34%,force=", "1=0.1 2=0.2 3=0.3 4=0.4 5=0.5 6=0.6 . 8=0.1 9=0.9 10=0.2 11=0.3", "5=0.5 6=0.6 .9=0.9 11=0.3"},
	} {
		p, err := ParseWith("llmlingua2:model=x,"+c.settings, engine.Shape{}, open)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p.Rewrite(context.Background(), c.text); err != nil || got != c.want {
			t.Errorf("%s: %q becomes %q, %v; want %q", c.settings, c.text, got, err, c.want)
		}
	}
}

func TestLLMLingua2DoingNothing(t *testing.T) {
	p, err := ParseWith("llmlingua2:model=x,digits=yes", engine.Shape{}, Encoders{Open: func(string, kernels.Precision) (*Encoder, error) { return wordEncoder(), nil }})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.Rewrite(context.Background(), "1 2 3 4"); err == nil || !strings.Contains(err.Error(), "all of the 4 words") {
		t.Errorf("%q, %v; want an error that says that nothing is done", got, err)
	}
}

func TestLLMLingua2Settings(t *testing.T) {
	for spec, want := range map[string]string{
		"llmlingua2":                                "method llmlingua2: model=: want the folder of a token classifier",
		"llmlingua2:model=elsewhere":                "elsewhere is not the toy",
		"llmlingua2:model=toy@beef":                 "now has the hash toy",
		"llmlingua2:model=toy,rate=0":               "rate=0",
		"llmlingua2:model=toy,force=a;;b":           "force=a;;b",
		"llmlingua2:model=toy,force=a;a":            "force=a;a",
		`llmlingua2:model=toy,force=\q`:             `\q`,
		"llmlingua2:model=toy,counts=/none":         "counts=/none",
		"llmlingua2:model=toy+llmlingua2:model=toy": "both decide what to rewrite",
	} {
		if _, err := ParseWith(spec, engine.Shape{}, toyEncoders); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want an error that says %q", spec, err, want)
		}
	}
	p, err := ParseWith(`llmlingua2:model=toy@toy,force=\u003b;\u002c+snapkv:budget=64`, engine.Shape{}, toyEncoders)
	if err != nil {
		t.Fatal(err)
	}
	alone := `llmlingua2:model=toy@toy,rate=1/3,force=\u003b;\u002c,digits=no,repeats=keep,word=mean,precision=f32,counts=`
	if p.Rewriting() != alone || !strings.HasPrefix(p.Name, alone+"+snapkv") {
		t.Errorf("named %q; rewriting named %q", p.Name, p.Rewriting())
	}
}

func TestPercentile(t *testing.T) {
	for _, c := range []struct {
		q    int
		want float64
	}{{0, 1}, {25, 1.75}, {50, 2.5}, {67, 3.01}, {100, 4}, {120, 4}} {
		if got := percentile([]float64{4, 1, 3, 2}, c.q); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("percentile %d is %g; want %g", c.q, got, c.want)
		}
	}
}
