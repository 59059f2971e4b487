package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// modelsLogitsCommand computes logits.
type modelsLogitsCommand struct {
	dirFlags
	IDs       string `name:"ids" help:"File with a JSON array of token ids; - is standard input. Nothing is put before them." required:"" placeholder:"FILE"`
	Positions string `help:"Logits after every token, or after the last." enum:"all,last" default:"last"`
	Format    string `help:"json: an object with ids, positions and logits; safetensors: tensors input_ids and logits." enum:"json,safetensors" default:"json"`
	Out       string `short:"o" help:"File to write; standard output by default." placeholder:"FILE"`
}

// maxIDs bounds the text of token ids that is read.
const maxIDs = 64 << 20

// Run computes.
func (m modelsLogitsCommand) Run(c console) error {
	if err := m.resolve(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o, err := m.look()
	if err != nil {
		return err
	}
	defer o.Close()
	ids, err := m.read(o.Shape().Vocab)
	if err != nil {
		return err
	}
	if limit := o.Shape().MaxTokens; len(ids) > limit {
		fmt.Fprintf(c.err, "note: %d tokens are more than the %d that the model was made for\n", len(ids), limit)
	}
	if err := o.load(o.dense(len(ids)), min(len(ids), engine.BlockRows)); err != nil {
		return err
	}
	err = m.write(c.out, func(w io.Writer) error { return o.logits(ctx, w, m, ids) })
	if errors.Is(err, context.Canceled) {
		return errInterrupted
	}
	return err
}

// read reads the ids.
func (m modelsLogitsCommand) read(vocab int) ([]int32, error) {
	from := io.Reader(os.Stdin)
	if m.IDs != "-" {
		f, err := os.Open(m.IDs)
		if err != nil {
			return nil, fmt.Errorf("--ids: %w", err)
		}
		defer f.Close()
		from = f
	}
	b, err := io.ReadAll(io.LimitReader(from, maxIDs+1))
	if err != nil {
		return nil, fmt.Errorf("--ids %s: %w", m.IDs, err)
	}
	var list []*int32 // null would leave a number as it is
	switch err := json.Unmarshal(b, &list); {
	case len(b) > maxIDs:
		return nil, fmt.Errorf("--ids %s: more than %d MiB", m.IDs, maxIDs>>20)
	case err != nil:
		return nil, fmt.Errorf("--ids %s: %w; want a JSON array of token ids, such as [1,15,7]", m.IDs, err)
	case len(list) == 0:
		return nil, fmt.Errorf("--ids %s: there are no ids; want a JSON array of token ids, such as [1,15,7]", m.IDs)
	}
	ids := make([]int32, len(list))
	for i, id := range list {
		if id == nil {
			return nil, fmt.Errorf("--ids %s: id %d is null; want a JSON array of token ids, such as [1,15,7]", m.IDs, i)
		}
		if *id < 0 || int(*id) >= vocab {
			return nil, fmt.Errorf("--ids %s: id %d is %d; the vocabulary goes from 0 to %d", m.IDs, i, *id, vocab-1)
		}
		ids[i] = *id
	}
	return ids, nil
}

// write hands on where to write to: a file that takes its name when it is whole, or out.
func (m modelsLogitsCommand) write(out io.Writer, write func(w io.Writer) error) error {
	if m.Out == "" {
		w := bufio.NewWriter(out)
		return errors.Join(write(w), w.Flush())
	}
	f, err := os.CreateTemp(filepath.Dir(m.Out), filepath.Base(m.Out)+".*")
	if err != nil {
		return fmt.Errorf("--out %s: %w; choose a folder that exists and that you can write to", m.Out, err)
	}
	defer os.Remove(f.Name()) // it has another name if all went well
	w := bufio.NewWriter(f)
	if err := write(w); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(w.Flush(), f.Chmod(0o644), f.Close()); err != nil {
		return fmt.Errorf("--out %s: %w", m.Out, err)
	}
	if err := os.Rename(f.Name(), m.Out); err != nil {
		return fmt.Errorf("--out %s: %w; name a file that does not exist or can be replaced", m.Out, err)
	}
	return nil
}

// logits feeds the ids to a new conversation and writes the logits that are asked for, a block of positions at a time.
func (o *opened) logits(ctx context.Context, w io.Writer, m modelsLogitsCommand, ids []int32) error {
	first := len(ids) - 1 // of the positions
	if m.Positions == "all" {
		first = 0
	}
	out := &logitsWriter{w: w, vocab: o.Shape().Vocab}
	begin, end := out.jsonBegin, out.jsonEnd
	if m.Format == "safetensors" {
		begin, end = out.tensorsBegin, out.tensorsEnd
	}
	if err := begin(o, ids, first); err != nil {
		return err
	}
	store := kv.NewStore(&kv.OffHeap{}, o.PageFormat(), o.Shape().Dim, 0)
	s := engine.NewSession(o.Shape(), store, engine.Policy{})
	s.RopeLength = len(ids)
	defer s.Release()
	for lo := 0; lo < len(ids); lo += engine.BlockRows {
		hi := min(lo+engine.BlockRows, len(ids))
		rows := max(hi-max(lo, first), 0)
		logits := make([]float32, rows*out.vocab)
		if err := o.Forward(ctx, []engine.Chunk{{Session: s, Tokens: ids[lo:hi], Logits: logits}}); err != nil {
			return err
		}
		for r := range rows {
			if err := out.row(hi-rows+r, logits[r*out.vocab:(r+1)*out.vocab]); err != nil {
				return err
			}
		}
	}
	return end()
}

// logitsWriter writes logits row by row.
type logitsWriter struct {
	w     io.Writer
	vocab int
	text  bool // JSON
	rows  int  // written
	buf   []byte
}

// row writes the logits after the token at a position.
func (l *logitsWriter) row(position int, logits []float32) error {
	l.buf = l.buf[:0]
	if !l.text {
		for _, v := range logits {
			l.buf = binary.LittleEndian.AppendUint32(l.buf, math.Float32bits(v))
		}
		_, err := l.w.Write(l.buf)
		return err
	}
	if l.rows > 0 {
		l.buf = append(l.buf, ",\n"...)
	}
	l.rows++
	mark := byte('[')
	for i, v := range logits {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("logit %d after position %d is %v, which JSON cannot say: use --format safetensors, and scbench models check on the folder", i, position, v)
		}
		l.buf = strconv.AppendFloat(append(l.buf, mark), float64(v), 'g', -1, 32)
		mark = ','
	}
	l.buf = append(l.buf, ']')
	_, err := l.w.Write(l.buf)
	return err
}

func (l *logitsWriter) jsonBegin(o *opened, ids []int32, first int) error {
	l.text = true
	positions := make([]int, 0, len(ids)-first)
	for p := first; p < len(ids); p++ {
		positions = append(positions, p)
	}
	head, err := json.Marshal(struct {
		Model     string  `json:"model"`
		Weights   string  `json:"weights"`
		Precision string  `json:"precision"`
		Kernels   string  `json:"kernels"`
		Build     string  `json:"build"`
		IDs       []int32 `json:"ids"`
		Positions []int   `json:"positions"`
	}{o.outline.Architecture.Name, o.weights, o.Precision.String(), kernels.Tier(), build, ids, positions})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(l.w, "%s,\"logits\":[\n", head[:len(head)-1])
	return err
}

func (l *logitsWriter) jsonEnd() error {
	_, err := io.WriteString(l.w, "]}\n")
	return err
}

func (l *logitsWriter) tensorsBegin(o *opened, ids []int32, first int) error {
	n, rows := 4*len(ids), len(ids)-first
	head, err := json.Marshal(map[string]any{
		"__metadata__": map[string]string{
			"model": o.outline.Architecture.Name, "weights": o.weights, "precision": o.Precision.String(), "kernels": kernels.Tier(), "build": build, "first_position": strconv.Itoa(first),
		},
		"input_ids": map[string]any{"dtype": "I32", "shape": []int{len(ids)}, "data_offsets": []int{0, n}},
		"logits":    map[string]any{"dtype": "F32", "shape": []int{rows, l.vocab}, "data_offsets": []int{n, n + 4*rows*l.vocab}},
	})
	if err != nil {
		return err
	}
	for len(head)%8 != 0 {
		head = append(head, ' ')
	}
	return errors.Join(binary.Write(l.w, binary.LittleEndian, uint64(len(head))), binary.Write(l.w, binary.LittleEndian, head), binary.Write(l.w, binary.LittleEndian, ids))
}

func (l *logitsWriter) tensorsEnd() error { return nil }
