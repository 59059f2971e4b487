package models

import (
	"fmt"
	"slices"
	"strings"

	"scbench/stages/gguf"
)

// OpenGGUF maps the GGUF file at path, of a split one the first part, and returns its configuration and its weights as a checkpoint folder of
// the same model has them: with Hugging Face's names, rows of queries and keys in their order, norms of Gemma less one. Its metadata and
// tensors are checked as a folder's are.
//
// Numbers that are stored in blocks (Q8_0, Q4_K and so on) are computed from as float16: decoded as llama.cpp decodes them and rounded
// to 11 bits, at most 2^-11 of each number, or 2^-25 for those below 2^-14, when a matrix is packed. All others are what the file has.
//
// Differs from the reference: llama.cpp rounds what is multiplied by quantised matrices to 8 bits a number.
func OpenGGUF(path string) (Config, *Weights, error) {
	f, err := gguf.Open(path)
	if err != nil {
		return Config{}, nil, err
	}
	c, w, err := ggufWeights(f)
	if err != nil {
		f.Close()
		return Config{}, nil, err
	}
	return c, w, nil
}

// ggufWeights reads an open file, which the weights then own.
func ggufWeights(f *gguf.File) (Config, *Weights, error) {
	raw, arch, err := configOf(f)
	if err != nil {
		return Config{}, nil, err
	}
	c, err := ReadConfig(f.Name(), raw)
	if err != nil {
		return Config{}, nil, fmt.Errorf("metadata, by their names in config.json: %w", err)
	}
	g := &ggufTensors{File: f, bound: map[string]ggufBound{}, forms: map[string]form{}}
	b := &ggufBinder{ggufTensors: g, arch: arch, c: c}
	b.bind()
	slices.Sort(g.names)
	w := &Weights{name: f.Name(), files: []tensorFile{g}, owner: map[string]tensorFile{}, forms: g.forms, names: g.names, used: map[string]bool{}, decoding: g.err}
	for _, name := range g.names {
		w.owner[name] = g
	}
	w.count()
	for _, name := range []string{ropeDivisors, ropeShort, ropeLong} {
		w.used[name] = true // they are in the configuration
	}
	if note := ggufQuantNote(f); note != "" {
		w.notes = append(w.notes, note)
	}
	return c, w, nil
}

// ggufQuantNote says how quantised weights are computed from.
func ggufQuantNote(f *gguf.File) string {
	var kinds []string
	for _, name := range f.Names() {
		if t, _ := f.Tensor(name); t.Type.Quantised() && !slices.Contains(kinds, t.Type.String()) {
			kinds = append(kinds, t.Type.String())
		}
	}
	if kinds == nil {
		return ""
	}
	slices.Sort(kinds)
	return fmt.Sprintf("%s: weights stored as %v are decoded and rounded to float16 when they are packed", f.Name(), kinds)
}

// GGUFDoc says which GGUF files are read: their architectures and the types of their tensors.
func GGUFDoc() string {
	var names []string
	for _, a := range ggufArchs {
		names = append(names, a.name)
	}
	return fmt.Sprintf("of the architectures %s; tensors of types %s", strings.Join(names, ", "), gguf.Readable)
}
