package models

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/mapped"
)

// Outline is a checkpoint that was looked at, and none of its weights read: what it is, and what memory it would take. Only the headers of
// its files were touched.
type Outline struct {
	Config       Config
	Architecture Architecture
	Shape        engine.Shape
	Precision    kernels.Precision // of products, and of the KV cache
	Params       int64             // numbers of all tensors
	Stored       int64             // their bytes
	DTypes       []string          // their types, the one with most numbers first
	Memory       Memory
	Notes        []string

	scratch func(rows int) int64
}

// Memory is what a model takes for as long as it is loaded, in bytes.
type Memory struct {
	Packed int64 // copies of weights in the order in which products read them
	Mapped int64 // tensors that are read where they lie in their files: embeddings
	Values int64 // vectors, widened to float32
}

// Sum is all of it.
func (m Memory) Sum() int64 { return m.Packed + m.Mapped + m.Values }

// Scratch is an upper bound of the memory that a pass over rows tokens takes beside weights and KV cache, in bytes.
func (o *Outline) Scratch(rows int) int64 { return o.scratch(rows) }

// TokenBytes is what one token takes in the KV cache of the given precision, all layers together; 0 for a model without attention.
func (o *Outline) TokenBytes(p kernels.Precision) int64 { return tokenBytes(o.Shape, p) }

// Survey looks at the checkpoint in the folder dir as Load would, and reads no weights: that takes milliseconds, whatever its size. Its
// error is the one that Load would have; Check has them all.
func Survey(dir string, p Choice) (*Outline, error) {
	c, err := openCheckpoint(dir)
	if err != nil {
		return nil, err
	}
	return c.outline(p)
}

// SurveyReference is Survey of the embedded reference model.
func SurveyReference(p Choice) (*Outline, error) {
	c, err := referenceCheckpoint()
	if err != nil {
		return nil, err
	}
	return c.outline(p)
}

// outline surveys a checkpoint and closes it.
func (s *checkpoint) outline(p Choice) (*Outline, error) {
	o, faults := s.survey(p)
	err := s.weights.Close()
	if n := len(faults); n > 1 {
		return nil, fmt.Errorf("%w (and %d faults more: scbench models check lists them)", faults[0], n-1)
	} else if n == 1 {
		return nil, faults[0]
	}
	return o, err
}

// survey makes the model of a checkpoint without reading its weights, and returns all that is wrong with it.
func (s *checkpoint) survey(p Choice) (*Outline, []error) {
	a, err := find(s.config)
	if err != nil {
		return nil, []error{err}
	}
	t := &tally{viewed: map[string]int64{}}
	p.tally = t
	m, err := a.New(s.config, s.weights, nil, p)
	if err != nil && len(t.faults) == 0 {
		return nil, []error{err} // of the configuration
	}
	for _, name := range s.weights.Unused() {
		t.fault(fmt.Errorf("weights of %s: tensor %q is not part of a %s", s.name, name, a.Name))
	}
	if len(t.faults) > 0 {
		return nil, t.faults
	}
	o := &Outline{Config: s.config, Architecture: a, Shape: m.Shape(), Precision: p.of(s.config), Notes: s.weights.Notes()}
	o.Params, o.Stored = s.weights.Size()
	o.DTypes = s.weights.dtypes()
	o.Memory = Memory{Packed: t.packed, Values: t.values}
	for _, name := range slices.Sorted(maps.Keys(t.viewed)) {
		o.Memory.Mapped += t.viewed[name]
	}
	o.scratch = m.(interface{ scratch(rows int) int64 }).scratch
	if n, ok := m.(interface{ Notes() []string }); ok {
		o.Notes = append(o.Notes, n.Notes()...)
	}
	closeModel(m)
	return o, nil
}

// leftovers is an error that names the tensors which a model of the architecture does not ask for, or nil.
func (s *checkpoint) leftovers(a Architecture) error {
	left := s.weights.Unused()
	if len(left) == 0 {
		return nil
	}
	return fmt.Errorf("model %s: tensor %s (and %d more) is not part of a %s: the checkpoint is of another architecture", s.name, left[0], len(left)-1, a.Name)
}

// dtypes lists the types of the tensors, as their files call them: the one with most numbers first.
func (w *Weights) dtypes() []string {
	numbers := map[string]int{}
	for _, name := range w.names {
		t, _ := w.owner[name].Tensor(name)
		numbers[t.DType] += t.Len()
	}
	list := slices.Sorted(maps.Keys(numbers))
	slices.SortStableFunc(list, func(a, b string) int { return numbers[b] - numbers[a] })
	return list
}

// maxFaults is how many errors of a checkpoint are collected: more do not make it clearer.
const maxFaults = 100

// tally adds up what reading a model would take.
type tally struct {
	packed, values int64
	viewed         map[string]int64 // bytes of the matrices that nobody has packed, by name
	faults         []error
}

// view counts a matrix that is read where it lies, for as long as it is not packed.
func (t *tally) view(name string, bytes int64) { t.viewed[name] = bytes }

// pack counts the packed copy of m, nil where there was an error, and returns a weight of its shape without one.
func (t *tally) pack(name string, m *kernels.Matrix, p kernels.Precision) *kernels.Weight {
	if m == nil {
		return &kernels.Weight{}
	}
	delete(t.viewed, name)
	t.packed += m.PackedSize(p)
	return &kernels.Weight{Precision: p, Rows: m.Rows, Cols: m.Cols}
}

func (t *tally) fault(err error) {
	if len(t.faults) < maxFaults {
		t.faults = append(t.faults, err)
	}
}

// A checkpoint is what a model is made from.
type checkpoint struct {
	name    string
	weights *Weights
	config  Config
}

// referenceCheckpoint opens the embedded checkpoint.
func referenceCheckpoint() (*checkpoint, error) {
	w, err := FSWeights(Reference())
	if err != nil {
		return nil, err
	}
	return newCheckpoint("reference", Reference(), w)
}

// newCheckpoint reads the configuration of the checkpoint in files. On an error it closes w.
func newCheckpoint(name string, files fs.FS, w *Weights) (*checkpoint, error) {
	c, err := readConfigs(name, files)
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return &checkpoint{name, w, c}, nil
}

// readConfigs reads config.json, and of generation_config.json what it overrides.
func readConfigs(name string, files fs.FS) (Config, error) {
	b, err := mapped.Small(files, "config.json", maxConfig)
	if err != nil {
		return Config{}, fmt.Errorf("model %s: %w; a checkpoint folder has a config.json", name, err)
	}
	c, err := ReadConfig(name+"/config.json", b)
	if err != nil {
		return Config{}, err
	}
	if b, err := mapped.Small(files, "generation_config.json", maxConfig); err == nil {
		return c.WithGeneration(name+"/generation_config.json", b)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return Config{}, fmt.Errorf("model %s: %w", name, err)
	}
	return c, nil
}

// maxConfig is the most bytes of a configuration; published ones have a few thousand.
const maxConfig = 1 << 20
