package models

import (
	"strings"
	"testing"
)

// more is further configurations as published, written from what their folders say, and of other programs' making.
var more = []struct{ name, json string }{
	{"Llama-2-7b-hf", `{"_name_or_path":"meta-llama/Llama-2-7b-hf","architectures":["LlamaForCausalLM"],"bos_token_id":1,"eos_token_id":2,"hidden_act":"silu","hidden_size":4096,
		"initializer_range":0.02,"intermediate_size":11008,"max_position_embeddings":4096,"model_type":"llama","num_attention_heads":32,"num_hidden_layers":32,
		"num_key_value_heads":32,"pretraining_tp":1,"rms_norm_eps":1e-05,"rope_scaling":null,"tie_word_embeddings":false,"torch_dtype":"float16","transformers_version":"4.31.0.dev0",
		"use_cache":true,"vocab_size":32000}`},
	{"Llama-3.2-1B-Instruct", `{"architectures":["LlamaForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"bos_token_id":128000,"eos_token_id":[128001,128008,128009],"head_dim":64,
		"hidden_act":"silu","hidden_size":2048,"initializer_range":0.02,"intermediate_size":8192,"max_position_embeddings":131072,"mlp_bias":false,"model_type":"llama",
		"num_attention_heads":32,"num_hidden_layers":16,"num_key_value_heads":8,"pretraining_tp":1,"rms_norm_eps":1e-05,
		"rope_scaling":{"factor":32.0,"high_freq_factor":4.0,"low_freq_factor":1.0,"original_max_position_embeddings":8192,"rope_type":"llama3"},"rope_theta":500000.0,
		"tie_word_embeddings":true,"torch_dtype":"bfloat16","transformers_version":"4.45.0.dev0","use_cache":true,"vocab_size":128256}`},
	{"the same as transformers 5 writes it", `{"architectures":["LlamaForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"bos_token_id":128000,"dtype":"bfloat16","eos_token_id":[128001,128008,128009],
		"head_dim":64,"hidden_act":"silu","hidden_size":2048,"initializer_range":0.02,"intermediate_size":8192,"max_position_embeddings":131072,"mlp_bias":false,"model_type":"llama",
		"num_attention_heads":32,"num_hidden_layers":16,"num_key_value_heads":8,"pad_token_id":null,"pretraining_tp":1,"rms_norm_eps":1e-05,
		"rope_parameters":{"factor":32.0,"high_freq_factor":4.0,"low_freq_factor":1.0,"original_max_position_embeddings":8192,"rope_theta":500000.0,"rope_type":"llama3"},
		"tie_word_embeddings":true,"transformers_version":"5.0.0","use_cache":true,"vocab_size":128256}`},
	{"Llama-3-8B-Instruct-262k of Gradient, a Llama whose training program wrote down all it knows", `{"architectures":["LlamaForCausalLM"],"add_cross_attention":false,"attention_bias":false,"attention_dropout":0.0,
		"bad_words_ids":null,"bos_token_id":128000,"chunk_size_feed_forward":0,"cross_attention_hidden_size":null,"decoder_start_token_id":null,"diversity_penalty":0.0,"do_sample":false,
		"early_stopping":false,"encoder_no_repeat_ngram_size":0,"eos_token_id":128001,"exponential_decay_length_penalty":null,"finetuning_task":null,"forced_bos_token_id":null,
		"forced_eos_token_id":null,"hidden_act":"silu","hidden_size":4096,"id2label":{"0":"LABEL_0"},"initializer_range":0.02,"intermediate_size":14336,"is_decoder":false,
		"is_encoder_decoder":false,"label2id":{"LABEL_0":0},"length_penalty":1.0,"max_length":20,"max_position_embeddings":262144,"min_length":0,"model_type":"llama",
		"no_repeat_ngram_size":0,"num_attention_heads":32,"num_beam_groups":1,"num_beams":1,"num_hidden_layers":32,"num_key_value_heads":8,"num_return_sequences":1,
		"output_attentions":false,"output_hidden_states":false,"output_scores":false,"pad_token_id":null,"prefix":null,"pretraining_tp":1,"problem_type":null,"pruned_heads":{},
		"remove_invalid_values":false,"repetition_penalty":1.0,"return_dict":true,"return_dict_in_generate":false,"rms_norm_eps":1e-05,"rope_scaling":null,"rope_theta":207112184.0,
		"sep_token_id":null,"suppress_tokens":null,"task_specific_params":null,"temperature":1.0,"tf_legacy_loss":false,"tie_encoder_decoder":false,"tie_word_embeddings":false,
		"tokenizer_class":null,"top_k":50,"top_p":1.0,"torch_dtype":"bfloat16","torchscript":false,"transformers_version":"4.41.0.dev0","typical_p":1.0,"use_bfloat16":false,
		"use_cache":true,"vocab_size":128256}`},
	{"Mistral-Nemo-Instruct-2407", `{"architectures":["MistralForCausalLM"],"attention_dropout":0.0,"bos_token_id":1,"eos_token_id":2,"head_dim":128,"hidden_act":"silu","hidden_size":5120,
		"initializer_range":0.02,"intermediate_size":14336,"max_position_embeddings":131072,"model_type":"mistral","num_attention_heads":32,"num_hidden_layers":40,"num_key_value_heads":8,
		"rms_norm_eps":1e-05,"rope_theta":1000000.0,"sliding_window":null,"tie_word_embeddings":false,"torch_dtype":"bfloat16","transformers_version":"4.43.0.dev0","use_cache":true,"vocab_size":131072}`},
	{"Qwen2.5-7B-Instruct with the YaRN that its README tells of", `{"architectures":["Qwen2ForCausalLM"],"attention_dropout":0.0,"bos_token_id":151643,"eos_token_id":151645,"hidden_act":"silu","hidden_size":3584,
		"initializer_range":0.02,"intermediate_size":18944,"max_position_embeddings":32768,"max_window_layers":28,"model_type":"qwen2","num_attention_heads":28,"num_hidden_layers":28,
		"num_key_value_heads":4,"rms_norm_eps":1e-06,"rope_theta":1000000.0,"rope_scaling":{"factor":4.0,"original_max_position_embeddings":32768,"type":"yarn"},"sliding_window":131072,
		"tie_word_embeddings":false,"torch_dtype":"bfloat16","transformers_version":"4.43.1","use_cache":true,"use_sliding_window":false,"vocab_size":152064}`},
	{"Phi-3-mini-128k-instruct of the first days, whose RoPE was called su", `{"_name_or_path":"Phi-3-mini-128k-instruct","architectures":["Phi3ForCausalLM"],"attention_dropout":0.0,
		"auto_map":{"AutoConfig":"configuration_phi3.Phi3Config","AutoModelForCausalLM":"modeling_phi3.Phi3ForCausalLM"},"bos_token_id":1,"embd_pdrop":0.0,"eos_token_id":32000,"hidden_act":"silu",
		"hidden_size":3072,"initializer_range":0.02,"intermediate_size":8192,"max_position_embeddings":131072,"model_type":"phi3","num_attention_heads":32,"num_hidden_layers":32,
		"num_key_value_heads":32,"original_max_position_embeddings":4096,"pad_token_id":32000,"resid_pdrop":0.0,"rms_norm_eps":1e-05,
		"rope_scaling":{"long_factor":[` + ones(48) + `],"short_factor":[` + ones(48) + `],"type":"su"},"rope_theta":10000.0,"sliding_window":262144,"tie_word_embeddings":false,
		"torch_dtype":"bfloat16","transformers_version":"4.39.3","use_cache":true,"vocab_size":32064,"attention_bias":false}`},
	{"glm-4-9b-chat-hf", `{"architectures":["GlmForCausalLM"],"attention_bias":true,"attention_dropout":0.0,"eos_token_id":[151329,151336,151338],"head_dim":128,"hidden_act":"silu","hidden_size":4096,
		"initializer_range":0.02,"intermediate_size":13696,"max_position_embeddings":131072,"model_type":"glm","num_attention_heads":32,"num_hidden_layers":40,"num_key_value_heads":2,
		"pad_token_id":151329,"partial_rotary_factor":0.5,"rms_norm_eps":1.5625e-07,"rope_theta":10000.0,"tie_word_embeddings":false,"torch_dtype":"bfloat16","transformers_version":"4.46.0.dev0",
		"use_cache":true,"vocab_size":151552}`},
	{"gemma-2-2b in transformers 5's form", `{"architectures":["Gemma2ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"attn_logit_softcapping":50.0,"bos_token_id":2,"cache_implementation":"hybrid",
		"dtype":"float32","eos_token_id":[1,107],"final_logit_softcapping":30.0,"head_dim":256,"hidden_activation":"gelu_pytorch_tanh","hidden_size":2304,"initializer_range":0.02,
		"intermediate_size":9216,"layer_types":["sliding_attention","full_attention"],"max_position_embeddings":8192,"model_type":"gemma2","num_attention_heads":8,"num_hidden_layers":2,
		"num_key_value_heads":4,"pad_token_id":0,"query_pre_attn_scalar":256,"rms_norm_eps":1e-06,"rope_parameters":{"rope_theta":10000.0,"rope_type":"default"},"sliding_window":4096,
		"transformers_version":"5.1.0","use_bidirectional_attention":null,"use_cache":true,"vocab_size":256000}`},
	{"Mamba-Codestral-7B-v0.1", `{"architectures":["Mamba2ForCausalLM"],"bos_token_id":0,"chunk_size":256,"conv_kernel":4,"eos_token_id":0,"expand":2,"head_dim":64,"hidden_act":"silu","hidden_size":4096,
		"initializer_range":0.1,"intermediate_size":8192,"layer_norm_epsilon":1e-05,"model_type":"mamba2","n_groups":8,"norm_before_gate":true,"num_heads":128,"num_hidden_layers":64,
		"pad_token_id":0,"rescale_prenorm_residual":false,"residual_in_fp32":true,"rms_norm":true,"state_size":128,"tie_word_embeddings":false,"time_step_floor":0.0001,
		"time_step_init_scheme":"random","time_step_limit":[0.0,Infinity],"time_step_max":0.1,"time_step_min":0.001,"time_step_rank":256,"time_step_scale":1.0,"torch_dtype":"bfloat16",
		"transformers_version":"4.44.0.dev0","use_bias":false,"use_cache":true,"use_conv_bias":true,"vocab_size":32768}`},
	{"mamba-130m-hf", `{"architectures":["MambaForCausalLM"],"bos_token_id":0,"conv_kernel":4,"d_inner":1536,"d_model":768,"eos_token_id":0,"expand":2,"fused_add_norm":true,"hidden_act":"silu",
		"hidden_size":768,"initializer_range":0.1,"intermediate_size":1536,"layer_norm_epsilon":1e-05,"model_type":"mamba","n_layer":24,"num_hidden_layers":24,"pad_token_id":0,
		"pad_vocab_size_multiple":8,"rescale_prenorm_residual":false,"residual_in_fp32":true,"rms_norm":true,"ssm_cfg":{},"state_size":16,"time_step_floor":0.0001,
		"time_step_init_scheme":"random","time_step_max":0.1,"time_step_min":0.001,"time_step_rank":48,"time_step_scale":1.0,"torch_dtype":"float32","transformers_version":"4.39.0.dev0",
		"use_bias":false,"use_cache":true,"use_conv_bias":true,"vocab_size":50280}`},
	{"AI21-Jamba-1.5-Mini", `{"architectures":["JambaForCausalLM"],"attention_dropout":0.0,"attn_layer_offset":4,"attn_layer_period":8,"bos_token_id":1,"eos_token_id":[2,518],"expert_layer_offset":1,
		"expert_layer_period":2,"hidden_act":"silu","hidden_size":4096,"initializer_range":0.02,"intermediate_size":14336,"mamba_conv_bias":true,"mamba_d_conv":4,"mamba_d_state":16,
		"mamba_dt_rank":256,"mamba_expand":2,"mamba_proj_bias":false,"max_position_embeddings":262144,"model_type":"jamba","num_attention_heads":32,"num_experts":16,"num_experts_per_tok":2,
		"num_hidden_layers":32,"num_key_value_heads":8,"num_logits_to_keep":1,"output_router_logits":false,"pad_token_id":0,"rms_norm_eps":1e-06,"router_aux_loss_coef":0.001,
		"sliding_window":null,"tie_word_embeddings":false,"torch_dtype":"bfloat16","transformers_version":"4.40.1","use_cache":true,"use_mamba_kernels":true,"vocab_size":65536}`},
}

// ones is n ones, divided by commas.
func ones(n int) string { return strings.TrimSuffix(strings.Repeat("1.0,", n), ",") }

// TestMorePublishedConfigs reads all but the tensors.
func TestMorePublishedConfigs(t *testing.T) {
	for _, p := range more {
		if got := refusal(t, p.json, nil); !strings.Contains(got, "embed") || !strings.Contains(got, "is missing") {
			t.Errorf("%s: %s", p.name, got)
		}
	}
}

// TestSpelledAnew: transformers 5 nests what older versions have side by side; both are one configuration.
func TestSpelledAnew(t *testing.T) {
	var tables [][]float32
	for _, p := range more[1:3] {
		c, err := ReadConfig(p.name, []byte(p.json))
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewRope(c)
		if err != nil {
			t.Fatal(err)
		}
		tables = append(tables, r.InvFreq(100000))
		if c.RopeTheta != 500000 || c.DType != "bfloat16" || c.RopeScaling.Kind != "llama3" || len(r.Notes()) > 0 {
			t.Errorf("%s: theta %v, type %s, kind %s, notes %q", p.name, c.RopeTheta, c.DType, c.RopeScaling.Kind, r.Notes())
		}
	}
	for i := range tables[0] {
		if tables[0][i] != tables[1][i] {
			t.Fatalf("frequency %d is %v and %v", i, tables[0][i], tables[1][i])
		}
	}
}

// TestRealRefusals: published checkpoints that are not what is computed here, refused by what makes them so.
func TestRealRefusals(t *testing.T) {
	llama, qwen := more[1].json, more[5].json
	for _, c := range []struct {
		name, json string
		set        map[string]any
		want       string
	}{
		{"AWQ", qwen, map[string]any{"quantization_config": map[string]any{"bits": 4, "quant_method": "awq"}}, `fields ["quantization_config"]`},
		{"Qwen2.5-7B-Instruct-1M", qwen, map[string]any{"dual_chunk_attention_config": map[string]any{"chunk_size": 262144}}, `fields ["dual_chunk_attention_config"]`},
		{"Granite in Llama's clothes", llama, map[string]any{"embedding_multiplier": 12, "logits_scaling": 8}, `fields ["embedding_multiplier" "logits_scaling"]`},
		{"an encoder-decoder", llama, map[string]any{"is_encoder_decoder": true}, `fields ["is_encoder_decoder"]`},
		{"pruned heads", llama, map[string]any{"pruned_heads": map[string]any{"0": []int{1}}}, `fields ["pruned_heads"]`},
		{"RoPE of its own for each kind of layer", llama, map[string]any{"rope_scaling": nil, "rope_parameters": map[string]any{"full_attention": map[string]any{"rope_type": "default"}}}, `"full_attention"`},
		{"sections of positions", qwen, map[string]any{"rope_scaling": map[string]any{"type": "mrope", "mrope_section": []int{16, 24, 24}}}, `"mrope"`},
		{"YaRN that does not round", qwen, map[string]any{"rope_scaling": map[string]any{"type": "yarn", "factor": 4, "truncate": false}}, `"truncate"`},
	} {
		if got := refusal(t, c.json, c.set); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %q", c.name, got, c.want)
		}
	}
	for _, architecture := range []string{"MixtralForCausalLM", "DeepseekV3ForCausalLM", "Gemma3ForConditionalGeneration", "Qwen3MoeForCausalLM", "T5ForConditionalGeneration"} {
		c, err := ReadConfig("config.json", []byte(strings.Replace(llama, "LlamaForCausalLM", architecture, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := find(c); err == nil || !strings.Contains(err.Error(), `architecture "`+architecture+`" is not supported; supported are LlamaForCausalLM`) {
			t.Errorf("%s: %v", architecture, err)
		}
	}
}
