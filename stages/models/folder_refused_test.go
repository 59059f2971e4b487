package models

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFolderRefused: what users take for a checkpoint's folder, and folders in which something is not what it seems, are refused by what
// they are.
func TestFolderRefused(t *testing.T) {
	const shard = "model-00002-of-00003.safetensors"
	link := func(t *testing.T, dir, name, to string) {
		t.Helper()
		os.Remove(filepath.Join(dir, name))
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	config := func(from, to string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			rewrite(t, filepath.Join(dir, "config.json"), func(b []byte) []byte {
				if !strings.Contains(string(b), from) {
					t.Fatalf("no %s in %s", from, b)
				}
				return []byte(strings.Replace(string(b), from, to, 1))
			})
		}
	}
	for _, c := range []struct {
		name, model string
		change      func(t *testing.T, dir string)
		want        string
	}{
		{"a dangling link", "mistral", func(t *testing.T, dir string) { link(t, dir, singleFile, "../blobs/0") }, "model.safetensors is a link to a file that is not there"},
		{"a circular link", "mistral", func(t *testing.T, dir string) { link(t, dir, singleFile, singleFile) }, "model.safetensors is a link to a file that is not there"},
		{"a dangling index", "llama-gqa", func(t *testing.T, dir string) { link(t, dir, indexFile, "../blobs/0") }, indexFile + " is a link to a file that is not there"},
		{"a configuration without end", "mistral", func(t *testing.T, dir string) { link(t, dir, "config.json", "/dev/zero") }, "config.json is a device"},
		{"an index without end", "llama-gqa", func(t *testing.T, dir string) { link(t, dir, indexFile, "/dev/zero") }, indexFile + " is a device"},
		{"an adapter", "mistral", func(t *testing.T, dir string) {
			rename(t, dir, singleFile, "adapter_model.safetensors")
		}, "it is an adapter (LoRA), not a model; merge it"},
		{"the hub's cache", "mistral", func(t *testing.T, dir string) {
			os.Remove(filepath.Join(dir, singleFile))
			if err := os.MkdirAll(filepath.Join(dir, "snapshots", "0123"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, "the model is a folder in snapshots"},
		{"a tensor in two shards", "llama-gqa", func(t *testing.T, dir string) {
			rewrite(t, filepath.Join(dir, shard), func(b []byte) []byte { return withTensor(t, b, "model.embed_tokens.weight") })
		}, `tensor "model.embed_tokens.weight" is in model-00001-of-00003.safetensors and in ` + shard},
		{"the type of another architecture", "mistral", config(`"mistral"`, `"qwen3"`), `model_type is "qwen3", but the architecture MistralForCausalLM has model_type "mistral"`},
		{"a type that nobody knows", "llama-gqa", config(`"llama"`, `"lama"`), `model_type is "lama", but the architecture LlamaForCausalLM has`},
		{"no architecture", "llama-gqa", config(`"architectures"`, `"task_specific_params"`), "architectures is missing"},
		{"an end that is no token", "mistral", config(`"eos_token_id": 2`, `"eos_token_id": [5000]`), "eos_token_id is [5000], want token ids of the vocabulary, 0 to 127"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := copied(t, c.model)
			c.change(t, dir)
			_, err := Survey(dir, Choice{})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("%v; want an error that names the folder and says %q", err, c.want)
			}
		})
	}
}

func rename(t *testing.T, dir, from, to string) {
	t.Helper()
	if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
		t.Fatal(err)
	}
}

// withTensor adds a tensor of one number to the bytes of a safetensors file.
func withTensor(t *testing.T, b []byte, name string) []byte {
	t.Helper()
	n := 8 + int(binary.LittleEndian.Uint64(b))
	var header map[string]any
	if err := json.Unmarshal(b[8:n], &header); err != nil {
		t.Fatal(err)
	}
	data := append(b[n:len(b):len(b)], 0, 0, 0, 0)
	header[name] = map[string]any{"dtype": "F32", "shape": []int{1}, "data_offsets": []int{len(data) - 4, len(data)}}
	h, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(h))), h...), data...)
}
