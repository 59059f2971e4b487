package models

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Config is a Hugging Face config.json. Every value is in its range and they fit each other; what the file does not
// say has the value that transformers 4.52.4 would give it (see families), or zero where only some architectures have
// it: an architecture asks for what it cannot do without by Require, and for fields of its own by Field.
type Config struct {
	Name          string // the file's name, for messages
	Architectures []string
	ModelType     string
	DType         string // of the weights as published; informative, the tensors say what they are

	Vocab, Hidden, Intermediate int
	Layers, Heads, KVHeads      int // KVHeads divides Heads; absent it is Heads, as Llama has it
	HeadDim                     int // even; absent it is Hidden/Heads, as Llama has it
	HiddenAct                   string
	RMSNormEps                  float64
	AttentionBias, MLPBias      bool
	TieEmbeddings               bool // the output layer is the embedding matrix
	MaxPositions                int
	OriginalMaxPositions        int // before the context was extended; 0 where not said
	RopeTheta                   float64
	PartialRotary               float64 // share of HeadDim that RoPE rotates
	RopeScaling                 RopeScaling
	BosID                       int32   // -1 where there is none
	EosIDs                      []int32 // any of them ends an answer

	fields *fields
}

// A family is what a class of transformers' configurations assumes when config.json does not say. transformers itself
// drops from the file what equals the defaults common to all classes; of the fields here that is tie_word_embeddings,
// which is true there, but false in most decoders' own classes, which then write it.
type family struct {
	modelType string
	tie       bool
	eps       float64
	act       string
	rotary    float64
}

var families = []family{
	{"llama", false, 1e-6, "silu", 1},
	{"mistral", false, 1e-6, "silu", 1},
	{"qwen2", false, 1e-6, "silu", 1},
	{"qwen3", false, 1e-6, "silu", 1},
	{"phi3", false, 1e-5, "silu", 1},
	{"glm", false, 1.5625e-7, "silu", 0.5},
	{"glm4", false, 1.5625e-7, "silu", 0.5},
	{"chatglm", false, 1e-5, "silu", 0.5},
	{"gemma2", true, 1e-6, "", 1},
	{"jamba", false, 1e-6, "silu", 1},
	{"mamba2", false, 0, "silu", 1},
}

// Limits on what a configuration may ask for: a product of two sizes must fit int64, layers are looped over before a
// missing tensor can end the loop, and RoPE makes tables as wide as a head before any tensor is seen.
const (
	maxSize    = math.MaxInt32
	maxLayers  = 1 << 16
	maxHeadDim = 1 << 14
)

// ReadConfig reads a config.json; name is what errors call it. It is an error if a field has the wrong type or is out
// of range, if two fields contradict each other, or if a name occurs twice; the error names file, field and value.
func ReadConfig(name string, b []byte) (Config, error) {
	f, err := parseFields(name, "", b)
	if err != nil {
		return Config{}, err
	}
	c := Config{Name: name, BosID: -1, RopeTheta: 10000, fields: f}
	f.text("model_type", &c.ModelType)
	if c.ModelType == "" {
		f.errs = append(f.errs, fmt.Errorf("%s: model_type is missing; this is not the config.json of a Hugging Face checkpoint", name))
	}
	c.assume(familyOf(c.ModelType))
	c.readSizes(f)
	f.texts("architectures", &c.Architectures)
	f.text("torch_dtype", &c.DType)
	f.text("dtype", &c.DType)
	f.text("hidden_act", &c.HiddenAct)
	f.number("rms_norm_eps", &c.RMSNormEps, "a number of at least 0", func(v float64) bool { return v >= 0 })
	f.flag("attention_bias", &c.AttentionBias)
	f.flag("mlp_bias", &c.MLPBias)
	f.flag("tie_word_embeddings", &c.TieEmbeddings)
	c.readRope(f)
	if c.ModelType == "chatglm" {
		c.readChatGLM(f)
	}
	c.readIDs(f)
	if err := errors.Join(f.errs...); err != nil {
		return Config{}, err
	}
	return c, c.derive()
}

func familyOf(modelType string) family {
	for _, f := range families {
		if f.modelType == modelType {
			return f
		}
	}
	return family{tie: true, rotary: 1} // the defaults common to all classes
}

func (c *Config) assume(f family) {
	c.TieEmbeddings, c.RMSNormEps, c.HiddenAct, c.PartialRotary = f.tie, f.eps, f.act, f.rotary
}

func (c *Config) readSizes(f *fields) {
	f.size("vocab_size", &c.Vocab, maxSize)
	f.size("hidden_size", &c.Hidden, maxSize)
	f.size("intermediate_size", &c.Intermediate, maxSize)
	f.size("num_hidden_layers", &c.Layers, maxLayers)
	f.size("num_attention_heads", &c.Heads, maxSize)
	f.size("num_key_value_heads", &c.KVHeads, maxSize)
	f.size("head_dim", &c.HeadDim, maxHeadDim)
	f.size("max_position_embeddings", &c.MaxPositions, maxSize)
	f.size("original_max_position_embeddings", &c.OriginalMaxPositions, maxSize)
}

func (c *Config) readIDs(f *fields) {
	var bos []int32
	f.ids("bos_token_id", &bos, c.Vocab)
	if len(bos) > 0 {
		c.BosID = bos[0]
	}
	f.ids("eos_token_id", &c.EosIDs, c.Vocab)
}

// derive fills in what follows from other fields and checks that they fit each other.
func (c *Config) derive() error {
	if c.Heads == 0 {
		return nil // no attention
	}
	c.KVHeads = cmp.Or(c.KVHeads, c.Heads)
	switch {
	case c.Heads%c.KVHeads != 0:
		return fmt.Errorf("%s: num_attention_heads is %d, not a multiple of num_key_value_heads, %d", c.Name, c.Heads, c.KVHeads)
	case c.HeadDim == 0 && c.Hidden%c.Heads != 0:
		return fmt.Errorf("%s: hidden_size is %d, not a multiple of num_attention_heads, %d, and there is no head_dim", c.Name, c.Hidden, c.Heads)
	case c.HeadDim == 0:
		c.HeadDim = c.Hidden / c.Heads
	}
	switch {
	case c.HeadDim%2 != 0 || c.HeadDim > maxHeadDim:
		return fmt.Errorf("%s: head_dim is %d, want an even number (RoPE rotates pairs) of at most %d", c.Name, c.HeadDim, maxHeadDim)
	case int64(c.Heads)*int64(c.HeadDim) > maxSize:
		return fmt.Errorf("%s: num_attention_heads · head_dim is %d · %d, more than %d", c.Name, c.Heads, c.HeadDim, maxSize)
	}
	return nil
}

// WithGeneration returns c with what the checkpoint's generation_config.json (b, called name in errors) overrides: the
// ids that end an answer. A file that names none leaves c's.
//
// Differs from the reference: transformers would then generate without end.
func (c Config) WithGeneration(name string, b []byte) (Config, error) {
	f, err := parseFields(name, "", b)
	if err != nil {
		return Config{}, err
	}
	f.ids("eos_token_id", &c.EosIDs, c.Vocab)
	return c, errors.Join(f.errs...)
}

// Require returns an error that names the given config.json fields that are absent or null, nil if there are none.
func (c Config) Require(keys ...string) error {
	var missing []string
	for _, key := range keys {
		if !c.Has(key) {
			missing = append(missing, key)
		}
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("%s: %q missing; a %s needs them", c.Name, missing, c.ModelType)
}

// Has reports whether the field is in config.json and not null.
func (c Config) Has(key string) bool {
	if c.fields == nil { // a Config made by hand
		return false
	}
	raw, ok := c.fields.raw[key]
	return ok && string(raw) != "null"
}

// Field unmarshals a field that only some architectures have into dst, a pointer. If the field is absent or null it
// leaves dst alone and returns false. An error names file, field and value. Ranges are the caller's to check;
// infinities come only into *float64 and *[]float64.
func (c Config) Field(key string, dst any) (bool, error) {
	if !c.Has(key) {
		return false, nil
	}
	if err := unmarshal(c.fields.raw[key], dst); err != nil {
		return false, fmt.Errorf("%s: %s is %.60s: %w", c.Name, key, c.fields.raw[key], err)
	}
	return true, nil
}

// Unknown lists, in ascending order, the fields of config.json that may change what a model computes and that nobody
// has read: all but those of Config, those known to be harmless, those that are null, and those that the architecture
// says it understands. An architecture must refuse a checkpoint for which it is not empty.
func (c Config) Unknown(understood ...string) []string {
	if c.fields == nil {
		return nil
	}
	var out []string
	for key := range c.fields.raw {
		if c.Has(key) && !c.fields.read[key] && !slices.Contains(harmless, key) && !slices.Contains(understood, key) && neutral[key] != string(c.fields.raw[key]) {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

// harmless lists fields that do not change what a model computes at inference: provenance, training, initialisation,
// what transformers returns or caches, how it samples, and padding, of which there is none here.
var harmless = []string{
	"_name_or_path", "transformers_version", "auto_map", "tokenizer_class", "unsloth_version", "unsloth_fixed",
	"attention_dropout", "attention_probs_dropout_prob", "hidden_dropout", "hidden_dropout_prob", "resid_pdrop", "embd_pdrop",
	"classifier_dropout", "initializer_range", "gradient_checkpointing", "pretraining_tp", "router_aux_loss_coef",
	"rescale_prenorm_residual", "time_step_init_scheme",
	"use_cache", "cache_implementation", "return_dict", "output_attentions", "output_hidden_states", "output_router_logits",
	"num_logits_to_keep", "keys_to_ignore_at_inference", "torchscript", "_attn_implementation", "attn_implementation", "_attn_implementation_autoset",
	"_flash_attn_2_enabled", "use_mamba_kernels", "use_mambapy", "task_specific_params", "problem_type", "id2label", "label2id",
	"do_sample", "temperature", "top_p", "top_k", "max_length", "max_new_tokens", "max_sequence_length",
	"pad_token_id", "sep_token_id", "prefix",
	// What transformers' oldest base class writes where all is written.
	"bad_words_ids", "begin_suppress_tokens", "chunk_size_feed_forward", "decoder_start_token_id", "diversity_penalty", "early_stopping",
	"encoder_no_repeat_ngram_size", "exponential_decay_length_penalty", "finetuning_task", "forced_bos_token_id", "forced_eos_token_id",
	"length_penalty", "min_length", "no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_return_sequences", "output_scores", "remove_invalid_values",
	"repetition_penalty", "return_dict_in_generate", "suppress_tokens", "tf_legacy_loss", "tie_encoder_decoder", "typical_p", "use_bfloat16", "_commit_hash",
}

// neutral is fields that change nothing as long as they have the value given, as JSON spells it.
var neutral = map[string]string{"add_cross_attention": "false", "is_decoder": "false", "is_encoder_decoder": "false", "pruned_heads": "{}", "ssm_cfg": "{}"}
