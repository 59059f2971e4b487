package models

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// published is configurations as published, with all of their fields that are not sizes of lists: a name, the fields they share with
// others, and their own.
var published = []struct{ name, json string }{
	{"Qwen2-7B-Instruct", `{"architectures":["Qwen2ForCausalLM"],"attention_dropout":0.0,"bos_token_id":151643,"eos_token_id":151645,"hidden_act":"silu",
		"hidden_size":3584,"initializer_range":0.02,"intermediate_size":18944,"max_position_embeddings":32768,"max_window_layers":28,"model_type":"qwen2",
		"num_attention_heads":28,"num_hidden_layers":28,"num_key_value_heads":4,"rms_norm_eps":1e-06,"rope_theta":1000000.0,"sliding_window":131072,
		"tie_word_embeddings":false,"torch_dtype":"bfloat16","transformers_version":"4.41.2","use_cache":true,"use_sliding_window":false,"vocab_size":152064}`},
	{"Qwen2.5-7B as transformers 4.56 writes it", `{"architectures":["Qwen2ForCausalLM"],"attention_dropout":0.0,"bos_token_id":151643,"dtype":"bfloat16",
		"eos_token_id":151645,"hidden_act":"silu","hidden_size":3584,"initializer_range":0.02,"intermediate_size":18944,"layer_types":["full_attention","full_attention"],
		"max_position_embeddings":32768,"max_window_layers":28,"model_type":"qwen2","num_attention_heads":28,"num_hidden_layers":2,"num_key_value_heads":4,
		"pad_token_id":151643,"rms_norm_eps":1e-06,"rope_scaling":null,"rope_theta":1000000.0,"sliding_window":null,"tie_word_embeddings":false,
		"transformers_version":"4.56.1","use_cache":true,"use_mrope":false,"use_sliding_window":false,"vocab_size":152064}`},
	{"Qwen3-0.6B", `{"architectures":["Qwen3ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"bos_token_id":151643,"eos_token_id":151645,"head_dim":128,
		"hidden_act":"silu","hidden_size":1024,"initializer_range":0.02,"intermediate_size":3072,"max_position_embeddings":40960,"max_window_layers":28,
		"model_type":"qwen3","num_attention_heads":16,"num_hidden_layers":28,"num_key_value_heads":8,"rms_norm_eps":1e-06,"rope_scaling":null,"rope_theta":1000000,
		"sliding_window":null,"tie_word_embeddings":true,"torch_dtype":"bfloat16","transformers_version":"4.51.0","use_cache":true,"use_sliding_window":false,"vocab_size":151936}`},
	{"Mistral-7B-v0.1", `{"architectures":["MistralForCausalLM"],"bos_token_id":1,"eos_token_id":2,"hidden_act":"silu","hidden_size":4096,"initializer_range":0.02,
		"intermediate_size":14336,"max_position_embeddings":32768,"model_type":"mistral","num_attention_heads":32,"num_hidden_layers":32,"num_key_value_heads":8,
		"rms_norm_eps":1e-05,"rope_theta":10000.0,"sliding_window":4096,"tie_word_embeddings":false,"torch_dtype":"bfloat16","transformers_version":"4.34.0.dev0",
		"use_cache":true,"vocab_size":32000}`},
	{"Phi-4-mini-instruct, its rope_scaling left out", `{"_name_or_path":"Phi-4-mini-instruct","architectures":["Phi3ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,
		"auto_map":{"AutoConfig":"configuration_phi3.Phi3Config"},"bos_token_id":199999,"embd_pdrop":0.0,"eos_token_id":199999,"full_attn_mod":1,"hidden_act":"silu",
		"hidden_size":3072,"initializer_range":0.02,"intermediate_size":8192,"interpolate_factor":1,"lm_head_bias":false,"max_position_embeddings":131072,"mlp_bias":false,
		"model_type":"phi3","num_attention_heads":24,"num_hidden_layers":32,"num_key_value_heads":8,"original_max_position_embeddings":4096,"pad_token_id":199999,
		"partial_rotary_factor":0.75,"resid_pdrop":0.0,"rms_norm_eps":1e-05,"rope_theta":10000.0,"sliding_window":262144,"tie_word_embeddings":true,
		"torch_dtype":"bfloat16","transformers_version":"4.45.0","use_cache":true,"vocab_size":200064}`},
	{"glm-4-9b-chat", `{"_name_or_path":"THUDM/glm-4-9b-chat","model_type":"chatglm","architectures":["ChatGLMModel"],"auto_map":{"AutoConfig":"configuration_chatglm.ChatGLMConfig"},
		"add_bias_linear":false,"add_qkv_bias":true,"apply_query_key_layer_scaling":true,"apply_residual_connection_post_layernorm":false,"attention_dropout":0.0,
		"attention_softmax_in_fp32":true,"attn_implementation":"sdpa","bias_dropout_fusion":true,"ffn_hidden_size":13696,"fp32_residual_connection":false,"hidden_dropout":0.0,
		"hidden_size":4096,"kv_channels":128,"layernorm_epsilon":1.5625e-07,"multi_query_attention":true,"multi_query_group_num":2,"num_attention_heads":32,
		"num_hidden_layers":40,"num_layers":40,"rope_ratio":500,"original_rope":true,"padded_vocab_size":151552,"post_layer_norm":true,"rmsnorm":true,"seq_length":131072,
		"use_cache":true,"torch_dtype":"bfloat16","transformers_version":"4.30.2","tie_word_embeddings":false,"eos_token_id":[151329,151336,151338],"pad_token_id":151329}`},
	{"gemma-2-9b-it", `{"architectures":["Gemma2ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"attn_logit_softcapping":50.0,"bos_token_id":2,
		"cache_implementation":"hybrid","eos_token_id":1,"final_logit_softcapping":30.0,"head_dim":256,"hidden_act":"gelu_pytorch_tanh","hidden_activation":"gelu_pytorch_tanh",
		"hidden_size":3584,"initializer_range":0.02,"intermediate_size":14336,"max_position_embeddings":8192,"model_type":"gemma2","num_attention_heads":16,
		"num_hidden_layers":42,"num_key_value_heads":8,"pad_token_id":0,"query_pre_attn_scalar":256,"rms_norm_eps":1e-06,"rope_theta":10000.0,"sliding_window":4096,
		"sliding_window_size":4096,"torch_dtype":"bfloat16","transformers_version":"4.42.0.dev0","use_cache":true,"vocab_size":256000}`},
}

// refusal is what the architecture says of a configuration with some fields set otherwise, and a checkpoint without its tensors.
func refusal(t *testing.T, config string, set map[string]any) string {
	t.Helper()
	b := []byte(config)
	if set != nil {
		var fields map[string]any
		if err := json.Unmarshal(b, &fields); err != nil {
			t.Fatal(err)
		}
		maps.Copy(fields, set)
		var err error
		if b, err = json.Marshal(fields); err != nil {
			t.Fatal(err)
		}
	}
	w, err := FSWeights(fstest.MapFS{singleFile: {Data: encode(t, map[string]tensor{"x": twoByTwo})}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := ReadConfig("config.json", b)
	if err != nil {
		return err.Error()
	}
	a, err := find(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = a.New(c, w, nil, Choice{}); err == nil {
		t.Fatal("a checkpoint without its tensors is read")
	}
	return err.Error()
}

// TestPublishedConfigs reads all but the tensors.
func TestPublishedConfigs(t *testing.T) {
	for _, p := range published {
		if got := refusal(t, p.json, nil); !strings.Contains(got, "embed") || !strings.Contains(got, "is missing") {
			t.Errorf("%s: %s", p.name, got)
		}
	}
}

// TestArchitecturesRefuse sets fields to what is not computed.
func TestArchitecturesRefuse(t *testing.T) {
	for _, c := range []struct {
		model, key string
		value      any
		want       string
	}{
		{"Qwen2", "dual_chunk_attention_config", map[string]any{"chunk_size": 1}, `fields ["dual_chunk_attention_config"]`},
		{"Qwen2", "use_mrope", true, "use_mrope is true"},
		{"Qwen2", "attention_bias", true, "attention_bias is true"},
		{"Qwen2", "use_sliding_window", "yes", "use_sliding_window"},
		{"Qwen2", "layer_types", []string{"sliding_attention"}, "no sliding window is in use"},
		{"Qwen2", "num_hidden_layers", nil, "num_hidden_layers"},
		{"Qwen3", "mlp_bias", true, "mlp_bias is true"},
		{"Mistral", "sliding_window", 0, "sliding_window is 0"},
		{"Mistral", "sliding_window", 1.5, "sliding_window is 1.5"},
		{"Mistral", "layer_types", []string{"full_attention"}, "layer_types has 1 entries for 32 layers"},
		{"Mistral", "layer_types", slices.Repeat([]string{"linear"}, 32), `layer_types[0] is "linear"`},
		{"Mistral", "hidden_act", "gelu", "hidden_act is"},
		{"Phi", "lm_head_bias", true, "lm_head_bias is true"},
		{"Phi", "full_attn_mod", 2, "full_attn_mod is 2"},
		{"glm", "rmsnorm", false, "rmsnorm is false"},
		{"glm", "add_bias_linear", true, "add_bias_linear is true"},
		{"glm", "num_layers", 39, "num_layers is 39"},
		{"glm", "rope_ratio", 0, "rope_ratio is 0"},
		{"glm", "pre_seq_len", 128, "pre_seq_len"},
		{"gemma", "hidden_activation", "gelu", "gelu_pytorch_tanh"},
		{"gemma", "sliding_window_size", 12, "sliding_window_size"},
		{"gemma", "attn_logit_softcapping", -1, "attn_logit_softcapping is -1"},
		{"gemma", "use_bidirectional_attention", true, "use_bidirectional_attention"},
	} {
		for _, p := range published {
			if strings.HasPrefix(p.name, c.model) {
				if got := refusal(t, p.json, map[string]any{c.key: c.value}); !strings.Contains(got, c.want) {
					t.Errorf("%s with %s = %v: %s, want %q", p.name, c.key, c.value, got, c.want)
				}
				break
			}
		}
	}
}

func TestSlidingLayers(t *testing.T) {
	for _, c := range []struct {
		json string
		want []int
	}{
		{`{"model_type":"mistral","num_hidden_layers":3}`, nil},
		{`{"model_type":"mistral","num_hidden_layers":3,"sliding_window":null}`, nil},
		{`{"model_type":"mistral","num_hidden_layers":3,"sliding_window":8}`, []int{8, 8, 8}},
		{`{"model_type":"mistral","num_hidden_layers":3,"sliding_window":8,"layer_types":["full_attention","sliding_attention","full_attention"]}`, []int{0, 8, 0}},
		{`{"model_type":"mistral","num_hidden_layers":1,"sliding_window":8,"layer_types":["full_attention"]}`, nil},
	} {
		cfg, err := ReadConfig("x", []byte(c.json))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := slidingLayers(cfg, everyLayer); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.json, got, err, c.want)
		}
	}
	for json, want := range map[string][]int{
		`{"model_type":"qwen2","num_hidden_layers":3,"sliding_window":8,"max_window_layers":2}`:                           nil,
		`{"model_type":"qwen2","num_hidden_layers":3,"sliding_window":8,"use_sliding_window":true,"max_window_layers":2}`: {0, 0, 8},
		`{"model_type":"qwen2","num_hidden_layers":3,"sliding_window":8,"use_sliding_window":true,"max_window_layers":3}`: nil,
	} {
		cfg, err := ReadConfig("x", []byte(json))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := qwenSliding(cfg); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", json, got, err, want)
		}
	}
}
