package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"scbench/kernels"
	"scbench/stages/models"
	"scbench/stages/tokenizers"
)

// modelFlags choose the model.
type modelFlags struct {
	Model       string `help:"Folder of a Hugging Face checkpoint (config.json, model.safetensors, tokenizer.json); the embedded reference model by default." placeholder:"DIR"`
	NoChat      bool   `help:"Plain text instead of the model's chat template."`
	Precision   string `help:"What products and cache are rounded to: f32 or bf16; bf16 by default for bf16 checkpoints where the processor has AMX." enum:"auto,f32,bf16" default:"auto"`
	PackCache   string `help:"Folder where the weights of large models, packed for AMX, are kept for the next start; in the user's cache folder by default." placeholder:"DIR"`
	NoPackCache bool   `help:"Keep no packed weights."`
	Threads     int    `help:"Threads that compute; all processors by default. Results do not depend on it." placeholder:"N"`
}

// opened is a model ready to run.
type opened struct {
	*models.Loaded
	pool      *kernels.Pool
	tokenizer tokenizers.Tokenizer
	chat      *tokenizers.ChatTemplate // nil: plain text
	weights   string                   // hash
}

// openModel reads everything of a checkpoint.
func (f modelFlags) open() (_ *opened, err error) {
	if f.Threads < 0 || f.Threads > 4096 {
		return nil, fmt.Errorf("--threads=%d: want a number from 1 to 4096", f.Threads)
	}
	choice, err := f.choice()
	if err != nil {
		return nil, err
	}
	o := &opened{pool: kernels.NewPool(f.Threads)}
	defer func() {
		if err != nil {
			o.Close()
		}
	}()
	if f.Model == "" {
		o.Loaded, err = models.LoadReference(o.pool, choice)
	} else {
		o.Loaded, err = models.Load(f.Model, o.pool, choice)
	}
	if err != nil {
		return nil, err
	}
	if o.tokenizer, err = f.tokenizer(); err != nil {
		return nil, err
	}
	if n := o.tokenizer.VocabSize(); n > o.Shape().Vocab {
		return nil, fmt.Errorf("the tokenizer has ids up to %d, the model a vocabulary of %d: they do not belong together", n-1, o.Shape().Vocab)
	}
	if !f.NoChat {
		if o.chat, err = f.template(); err != nil {
			return nil, err
		}
	}
	o.weights, err = o.Weights.Hash()
	return o, err
}

// choice is the precision asked for.
func (f modelFlags) choice() (models.Choice, error) {
	if f.Precision == "auto" || f.Precision == "" {
		return models.Choice{Auto: true, PackCache: f.packs()}, nil
	}
	p, err := kernels.ParsePrecision(f.Precision)
	if err == nil && !slices.Contains(kernels.Precisions(), p) {
		err = fmt.Errorf("--precision %s: the %s kernels of this machine have no %s products; use --precision f32, or --kernels go to have them slowly", p, kernels.Tier(), p)
	}
	return models.Choice{Precision: p, PackCache: f.packs()}, err
}

// packs is the folder for packed weights.
func (f modelFlags) packs() string {
	if f.PackCache != "" {
		return f.PackCache
	}
	dir, err := os.UserCacheDir()
	if err != nil || f.NoPackCache {
		return ""
	}
	return filepath.Join(dir, "scbench", "packed")
}

// tokenizer reads the model's tokenizer.
func (f modelFlags) tokenizer() (tokenizers.Tokenizer, error) {
	if f.Model != "" {
		return tokenizers.Load(f.Model)
	}
	b, err := fs.ReadFile(models.Reference(), "tokenizer.json")
	if err != nil {
		return nil, err
	}
	return tokenizers.Parse("reference/tokenizer.json", b)
}

// template reads the model's chat template; nil if it has none.
func (f modelFlags) template() (*tokenizers.ChatTemplate, error) {
	if f.Model == "" {
		return tokenizers.FSChat("reference", models.Reference())
	}
	c, err := tokenizers.LoadChat(f.Model)
	if errors.Is(err, tokenizers.ErrNoTemplate) {
		return nil, nil
	}
	return c, err
}

// Close gives back what the model holds.
func (o *opened) Close() {
	if o.Loaded != nil {
		o.Loaded.Close()
	}
	o.pool.Close()
}
