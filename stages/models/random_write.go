package models

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"scbench/kernels"
)

// WriteRandom writes the model of the given size that Random makes as a checkpoint to the folder dir, which must be empty or not exist:
// config.json, model.safetensors, and the tokenizer of the embedded reference model, so that everything runs on it. Its answers mean
// nothing. Memory stays small whatever the size. After an error the folder is as before.
func WriteRandom(dir string, s RandomShape, pool *kernels.Pool) (err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty: give a new folder", dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var made []string
	defer func() {
		if err == nil {
			return
		}
		for _, name := range made {
			err = errors.Join(err, os.Remove(name))
		}
	}()
	create := func(name string, write func(f *os.File) error) error {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		made = append(made, f.Name())
		return errors.Join(write(f), f.Close())
	}
	if err := create(singleFile, func(f *os.File) error { return s.write(f, pool) }); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Join(dir, singleFile), err)
	}
	text, err := json.MarshalIndent(s.config, "", "  ")
	if err != nil {
		return err
	}
	files := map[string][]byte{"config.json": text}
	names := []string{"config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"}
	for _, name := range names[1:] {
		if files[name], err = fs.ReadFile(Reference(), name); err != nil {
			return err
		}
	}
	for _, name := range names {
		if err := create(name, func(f *os.File) error { _, err := f.Write(files[name]); return err }); err != nil {
			return err
		}
	}
	return nil
}

// write writes the tensors as a safetensors file, each as it is drawn. They start on cache lines.
func (s RandomShape) write(to io.Writer, pool *kernels.Pool) error {
	var names []string
	head, at := map[string]any{"__metadata__": map[string]string{"format": "pt"}}, int64(0)
	s.tensors(func(name string, shape ...int) {
		names = append(names, name)
		end := at + 2*elements(shape)
		head[name] = map[string]any{"dtype": "BF16", "shape": shape, "data_offsets": []int64{at, end}}
		at = end
	})
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	for (8+len(text))%64 != 0 {
		text = append(text, ' ')
	}
	if _, err := to.Write(append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)); err != nil {
		return err
	}
	w := s.weights(pool)
	for _, name := range names {
		t, err := w.Tensor(name)
		if err != nil {
			return err
		}
		if _, err := to.Write(t.Data); err != nil {
			return err
		}
		w.Forget(name)
	}
	return nil
}

// FindShape returns the random shape of that name; the error lists those there are.
func FindShape(name string) (RandomShape, error) {
	var names []string
	for _, s := range RandomShapes {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return RandomShape{}, fmt.Errorf("no shape %q; there are %q", name, names)
}
