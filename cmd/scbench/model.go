package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/models"
	"scbench/stages/tokenizers"
)

// modelFlags choose the model.
type modelFlags struct {
	Model       string `help:"Folder of a Hugging Face checkpoint (config.json, model.safetensors, tokenizer.json or tokenizer.model), or a .gguf file; the embedded reference model by default." placeholder:"DIR|FILE"`
	NoChat      bool   `help:"Plain text instead of the model's chat template."`
	Precision   string `help:"What products and cache are rounded to: f32 or bf16; bf16 by default for bf16 checkpoints where the processor has AMX." enum:"auto,f32,bf16" default:"auto"`
	PackCache   string `help:"Folder where the weights of large models, packed for AMX, are kept for the next start; in the user's cache folder by default." placeholder:"DIR"`
	NoPackCache bool   `help:"Keep no packed weights."`
	Memory      string `help:"Memory that weights, caches and scratch together may take, such as 16GiB; what is available by default. More is refused before a weight is read." placeholder:"SIZE"`
	Threads     int    `help:"Threads that compute; all processors by default. Results do not depend on it." placeholder:"N"`
}

// opened is a model ready to run or, before its weights are loaded, all that is known without them.
type opened struct {
	*models.Loaded // before load it has a shape, and cannot compute
	outline        *models.Outline
	flags          modelFlags
	pool           *kernels.Pool
	tokenizer      tokenizers.Tokenizer
	chat           *tokenizers.ChatTemplate // nil: plain text
	weights        string                   // hash, once they are loaded
	planned        string                   // what memory a run needs, and for what
}

// prepare reads all of a checkpoint but its weights. What it returns must be closed.
func (f modelFlags) prepare() (*opened, error) {
	o, err := f.look()
	if err != nil {
		return nil, err
	}
	if err := o.text(); err != nil {
		o.Close()
		return nil, err
	}
	return o, nil
}

// look reads of a checkpoint what its weights are, and not the weights. What it returns must be closed.
func (f modelFlags) look() (*opened, error) {
	if f.Threads < 0 || f.Threads > 4096 {
		return nil, fmt.Errorf("--threads=%d: want a number from 1 to 4096", f.Threads)
	}
	outline, err := f.survey()
	if err != nil {
		return nil, err
	}
	return &opened{
		Loaded:  &models.Loaded{Model: unloaded{outline.Shape}, Config: outline.Config, Precision: outline.Precision},
		outline: outline, flags: f, pool: kernels.NewPool(f.Threads),
	}, nil
}

// text reads the tokenizer and the chat template.
func (o *opened) text() (err error) {
	if o.tokenizer, err = o.flags.tokenizer(); err != nil {
		return err
	}
	if n := o.tokenizer.VocabSize(); n > o.Shape().Vocab {
		return fmt.Errorf("the tokenizer has ids up to %d, the model a vocabulary of %d: they do not belong together", n-1, o.Shape().Vocab)
	}
	if !o.flags.NoChat {
		o.chat, err = o.flags.template()
	}
	return err
}

// open is prepare and load, for commands that do not know beforehand what caches they need: that the weights fit is all that is sure.
func (f modelFlags) open() (*opened, error) {
	o, err := f.prepare()
	if err != nil {
		return nil, err
	}
	if err := o.load(0, engine.BlockRows); err != nil {
		o.Close()
		return nil, err
	}
	return o, nil
}

// survey looks at the checkpoint.
func (f modelFlags) survey() (*models.Outline, error) {
	choice, err := f.choice()
	if err != nil {
		return nil, err
	}
	if f.Model == "" {
		return models.SurveyReference(choice)
	}
	return models.Survey(f.Model, choice)
}

// load reads the weights of a model that is to pass over rows tokens at once, with a KV cache of some bytes, if all that fits.
func (o *opened) load(cache int64, rows int) error {
	if err := o.fits(cache, rows); err != nil {
		return err
	}
	choice, err := o.flags.choice()
	if err != nil {
		return err
	}
	loaded := (*models.Loaded)(nil)
	if o.flags.Model == "" {
		loaded, err = models.LoadReference(o.pool, choice)
	} else {
		loaded, err = models.Load(o.flags.Model, o.pool, choice)
	}
	if err != nil {
		return err
	}
	o.Loaded = loaded
	o.weights, err = o.Weights.Hash()
	return err
}

// Notes says in what the model is read or computed otherwise than its files may suggest.
func (o *opened) Notes() []string { return o.outline.Notes }

// unloaded is a model before its weights are there.
type unloaded struct{ shape engine.Shape }

// Shape is the model's.
func (u unloaded) Shape() engine.Shape { return u.shape }

// Forward is a mistake.
func (unloaded) Forward(context.Context, []engine.Chunk) error {
	return errors.New("the weights are not loaded yet")
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
		t, err := tokenizers.Load(f.Model)
		return t, f.named(err, "tokenizer.json")
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
	if o.Loaded != nil && o.Weights != nil {
		o.Loaded.Close()
	}
	o.pool.Close()
}
