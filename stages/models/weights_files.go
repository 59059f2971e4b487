package models

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"scbench/stages/mapped"
)

const (
	singleFile = "model.safetensors"
	indexFile  = "model.safetensors.index.json"
	maxIndex   = 64 << 20 // bytes of an index; the largest published ones have a few million
)

// shardIndex is a model.safetensors.index.json.
type shardIndex struct {
	TotalSize int64             // bytes of all tensors, 0 where not said
	Shard     map[string]string // tensor → file
	names     []string          // the tensors, sorted
}

// shardsOf returns the files of a folder that hold its weights, in ascending order, and the index that lists them; a
// single file has none.
func shardsOf(fsys fs.FS) ([]string, *shardIndex, error) {
	if _, err := fs.Stat(fsys, singleFile); err == nil {
		return []string{singleFile}, nil, nil
	}
	b, err := mapped.Small(fsys, indexFile, maxIndex)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, noWeights(fsys)
	}
	if err != nil {
		return nil, nil, err
	}
	index, err := readIndex(b)
	if err != nil {
		return nil, nil, err
	}
	var shards []string
	for _, tensor := range index.names {
		shards = append(shards, index.Shard[tensor])
	}
	slices.Sort(shards)
	return slices.Compact(shards), index, nil
}

// readIndex parses an index and checks that its shards are files of the folder itself.
func readIndex(b []byte) (*shardIndex, error) {
	f, err := parseFields(indexFile, "", b)
	if err != nil {
		return nil, err
	}
	index := &shardIndex{Shard: map[string]string{}}
	if meta := f.take("metadata"); meta != nil {
		index.TotalSize = totalSize(meta)
	}
	weightMap := f.take("weight_map")
	if weightMap == nil {
		return nil, fmt.Errorf("%s: weight_map is missing", indexFile)
	}
	g, err := parseFields(indexFile, "weight_map ", weightMap)
	if err != nil {
		return nil, err
	}
	for tensor := range g.raw {
		index.names = append(index.names, tensor)
	}
	slices.Sort(index.names)
	for _, tensor := range index.names {
		var shard string
		g.text(tensor, &shard)
		if !plainName(shard) {
			return nil, fmt.Errorf("%s: tensor %q is in %s, which is not the name of a .safetensors file in this folder", indexFile, tensor, g.raw[tensor])
		}
		index.Shard[tensor] = shard
	}
	if len(index.names) == 0 {
		return nil, fmt.Errorf("%s: weight_map lists no tensors", indexFile)
	}
	return index, nil
}

// totalSize reads metadata.total_size, 0 if it is not there: it serves a note only, and some writers made it a float.
func totalSize(meta []byte) int64 {
	m, err := members(meta)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseFloat(string(bytes.TrimSpace(m["total_size"])), 64)
	if err != nil || n < 0 || n >= 1<<53 {
		return 0
	}
	return int64(n)
}

// plainName reports whether name is a file of the folder itself: no path, on whatever system, and no device.
func plainName(name string) bool {
	return strings.HasSuffix(name, ".safetensors") && name != ".safetensors" &&
		!strings.ContainsAny(name, "/\\:\x00") && fs.ValidPath(name) && path.Base(name) == name
}

// noWeights explains why a folder has no weights that can be read.
func noWeights(fsys fs.FS) error {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); name == singleFile || name == indexFile {
			return fmt.Errorf("%s is a link to a file that is not there; download the checkpoint again, or copy it with the files behind its links (cp -rL)", name)
		}
	}
	for _, e := range entries {
		switch e.Name() {
		case "adapter_config.json", "adapter_model.safetensors":
			return fmt.Errorf("has %s: it is an adapter (LoRA), not a model; merge it into its base model (peft: merge_and_unload, save_pretrained) and give that folder", e.Name())
		case "snapshots":
			return errors.New("is the hub's cache of a model, and the model is a folder in snapshots; give that")
		}
	}
	for _, e := range entries {
		switch path.Ext(e.Name()) {
		case ".safetensors":
			return fmt.Errorf("has %s but neither %s nor %s; rename a single file to %s, or download the index of the shards", e.Name(), singleFile, indexFile, singleFile)
		case ".bin", ".pt", ".pth", ".ckpt":
			return fmt.Errorf("has %s but no %s. Pickled checkpoints can run code and are never read: convert it where it is trusted (model.save_pretrained(dir, safe_serialization=True)), or download the .safetensors files", e.Name(), singleFile)
		case ".gguf":
			return fmt.Errorf("has %s but no %s; give the path of the .gguf file itself", e.Name(), singleFile)
		}
	}
	return fmt.Errorf("no %s in the folder; download the checkpoint's .safetensors files", singleFile)
}
