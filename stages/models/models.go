// Package models has the architectures, one file each, and what they share: weights, configuration, RoPE.
//
// An architecture reads a checkpoint folder of Hugging Face. A GGUF file is read as the folder it was made from: the gguf_*.go translate its
// metadata to a config.json and its tensors to their names and forms there, so that no architecture knows of GGUF, and the results of both
// are the same bits wherever the file stores the same numbers.
package models

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/mapped"
	"scbench/stages/models/safetensors"
)

// Architecture makes a model from a checkpoint.
type Architecture struct {
	Name string // as in config.json's "architectures"
	Type string // as in its "model_type", which decides what a field means that is not there
	Doc  string
	// New reads the weights and prepares them for products. They must stay open as long as the model is used; its Close, if it has one,
	// gives back what was prepared.
	New func(c Config, w *Weights, pool *kernels.Pool, p Choice) (engine.Model, error)
}

// All is every architecture.
var All = []Architecture{
	{"LlamaForCausalLM", "llama", "Llama 1 to 3.2 and models of that form", NewLlama},
	{"Qwen2ForCausalLM", "qwen2", "Qwen2 and Qwen2.5", NewQwen2},
	{"Qwen3ForCausalLM", "qwen3", "Qwen3", NewQwen3},
	{"MistralForCausalLM", "mistral", "Mistral, with and without sliding windows", NewMistral},
	{"Phi3ForCausalLM", "phi3", "Phi-3, Phi-3.5 and Phi-4-mini, with longrope", NewPhi3},
	{"GlmForCausalLM", "glm", "GLM-4 in Hugging Face's layout", NewGLM},
	{"Glm4ForCausalLM", "glm4", "GLM-4-0414", NewGLM4},
	{"ChatGLMModel", "chatglm", "GLM-4 as its authors publish it, glm-4-9b-chat-1m among them", NewChatGLM},
	{"ChatGLMForConditionalGeneration", "chatglm", "the same by another name", NewChatGLM},
	{"Gemma2ForCausalLM", "gemma2", "Gemma 2", NewGemma2},
	{"Mamba2ForCausalLM", "mamba2", "Mamba-2, as in Codestral-Mamba: recurrent, no attention", NewMamba2},
	{"MambaForCausalLM", "mamba", "Mamba: recurrent, no attention", NewMamba},
	{"JambaForCausalLM", "jamba", "Jamba: seven layers of Mamba to one of attention, mixtures of experts", NewJamba},
}

// Loaded is a model with what belongs to it.
type Loaded struct {
	engine.Model
	Config    Config
	Weights   *Weights
	Precision kernels.Precision
}

// Choice is how a model is to be computed.
type Choice struct {
	Precision kernels.Precision
	Auto      bool // bf16 if the checkpoint is bf16 and the kernels are made for it, else f32
	// PackCache is a folder where the packed weights of large checkpoints are kept for the next start; "": nowhere.
	PackCache string

	packAll bool   // small checkpoints too, for tests
	tally   *tally // look only: see Survey
}

// of resolves the choice for a checkpoint.
func (p Choice) of(c Config) kernels.Precision {
	if !p.Auto {
		return p.Precision
	}
	if kernels.Tier() == "amx" && c.DType == "bfloat16" {
		return kernels.PrecisionBF16
	}
	return kernels.PrecisionF32
}

// Load opens the checkpoint in the folder dir, config.json and safetensors, or that in the GGUF file of that name. Close it after use.
func Load(dir string, pool *kernels.Pool, p Choice) (*Loaded, error) {
	s, err := openCheckpoint(dir)
	if err != nil {
		return nil, err
	}
	return s.load(pool, p)
}

// openCheckpoint opens the checkpoint in a folder or a GGUF file.
func openCheckpoint(dir string) (*checkpoint, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w; give the folder of a Hugging Face checkpoint or a .gguf file", dir, err)
	}
	if !info.IsDir() {
		return openFile(dir)
	}
	w, err := OpenWeights(dir)
	if err != nil {
		return nil, err
	}
	return newCheckpoint(dir, os.DirFS(dir), w)
}

// openFile opens a checkpoint that is one file, and says of others what they are.
func openFile(path string) (*checkpoint, error) {
	if what := kindOfFile(path); !strings.HasPrefix(what, aGGUF) && !strings.HasSuffix(path, ".gguf") {
		return nil, fmt.Errorf("model %s is %s: give the folder that holds config.json and model.safetensors, or a .gguf file (pickles such as .bin and .pt are never read)", path, what)
	}
	c, w, err := OpenGGUF(path)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", path, err)
	}
	return &checkpoint{path, w, c}, nil
}

// aGGUF is how kindOfFile begins on a GGUF file.
const aGGUF = "a file, a GGUF file"

// kindOfFile says what a file is by its beginning.
func kindOfFile(name string) string {
	f, _, err := mapped.Regular(name)
	if err != nil {
		return "a file"
	}
	defer f.Close()
	var begin [256]byte
	n, _ := io.ReadFull(f, begin[:])
	if what := safetensors.Foreign(begin[:n]); what != "" {
		return "a file, " + strings.TrimSuffix(what, ".")
	}
	return "a file"
}

// LoadReference opens the embedded reference model.
func LoadReference(pool *kernels.Pool, p Choice) (*Loaded, error) {
	s, err := referenceCheckpoint()
	if err != nil {
		return nil, err
	}
	return s.load(pool, p)
}

// load makes the model, which owns the weights from then on. On an error it closes them.
func (s *checkpoint) load(pool *kernels.Pool, p Choice) (_ *Loaded, err error) {
	defer func() {
		if err != nil {
			s.weights.Close()
		}
	}()
	a, err := find(s.config)
	if err != nil {
		return nil, err
	}
	m, err := a.New(s.config, s.weights, pool, p)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(s.leftovers(a), s.weights.fault()); err != nil {
		closeModel(m)
		return nil, err
	}
	return &Loaded{Model: m, Config: s.config, Weights: s.weights, Precision: p.of(s.config)}, nil
}

// find returns the architecture that the configuration names.
func find(c Config) (Architecture, error) {
	if isEncoder(c) {
		return Architecture{}, fmt.Errorf("%s: a %s labels tokens and predicts none: llmlingua2 takes it, as llmlingua2:model=DIR; other commands do not", c.Name, c.Architectures[0])
	}
	var names []string
	for _, a := range All {
		for _, want := range c.Architectures {
			if a.Name == want && a.Type != c.ModelType {
				return a, fmt.Errorf("%s: model_type is %q, but the architecture %s has model_type %q: they are two models, of which some programs load one and some the other; correct the wrong one", c.Name, c.ModelType, a.Name, a.Type)
			}
			if a.Name == want {
				return a, nil
			}
		}
		names = append(names, a.Name)
	}
	if len(c.Architectures) == 0 {
		return Architecture{}, fmt.Errorf("%s: architectures is missing; it names the model's class, one of %s", c.Name, strings.Join(names, ", "))
	}
	return Architecture{}, fmt.Errorf("%s: architecture %q is not supported; supported are %s", c.Name, strings.Join(c.Architectures, ", "), strings.Join(names, ", "))
}

// Notes says in what the checkpoint is read otherwise than its files may suggest; usually nothing.
func (l *Loaded) Notes() []string {
	notes := l.Weights.Notes()
	if m, ok := l.Model.(interface{ Notes() []string }); ok {
		notes = append(notes, m.Notes()...)
	}
	return notes
}

// Idle is how many of the weights take no part in a token: those of the experts that it does not go to.
func (l *Loaded) Idle() int64 {
	if m, ok := l.Model.(interface{ idle() int64 }); ok {
		return m.idle()
	}
	return 0
}

// Products says what the products of one token take: multiply-adds with the weights that it meets, the output layer among them and the
// embedding it looks up not, and the bytes that hold those weights, as the kernels read them. Of experts it meets those it goes to.
func (l *Loaded) Products() (macs, bytes int64) {
	m, ok := l.Model.(interface{ products() []*kernels.Weight })
	if !ok {
		return 0, 0
	}
	for _, w := range m.products() {
		macs += int64(w.Rows) * int64(w.Cols)
		bytes += w.Bytes()
	}
	idle := l.Idle()
	return macs - idle, bytes - int64(float64(bytes)*float64(idle)/float64(max(macs, 1)))
}

// PageFormat is how the model's KV cache holds its numbers: in the precision of its products.
func (l *Loaded) PageFormat() kernels.PageFormat { return pageFormat(l.Precision) }

func pageFormat(p kernels.Precision) kernels.PageFormat {
	if p == kernels.PrecisionBF16 {
		return kernels.PageBF16
	}
	return kernels.PageF32
}

// tokenBytes is what one token takes in the cache of a model of that shape.
func tokenBytes(s engine.Shape, p kernels.Precision) int64 {
	return int64(s.Layers*s.KVHeads) * int64(kernels.PageBytes(pageFormat(p), s.Dim)/kernels.PageTokens)
}

// Close gives the weights back.
func (l *Loaded) Close() error {
	closeModel(l.Model)
	return l.Weights.Close()
}

func closeModel(m engine.Model) {
	if c, ok := m.(interface{ Close() }); ok {
		c.Close()
	}
}
