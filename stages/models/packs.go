package models

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/zeebo/blake3"

	"scbench/kernels"
	"scbench/stages/models/safetensors"
)

// packLayout is the version of the bytes of packed weights. It changes when the kernels pack otherwise.
const packLayout = "bf16 panels 1"

// packs is a file of packed weights, so that a second start reads them instead of packing again. It is a safetensors file: a tensor of
// bytes for every weight, with the hash of each, of the checkpoint, and the layout in its metadata.
type packs struct {
	path  string
	file  *safetensors.File // nil: there is none yet
	names []string          // of the weights that were packed, in order
}

// openPacks looks for the packed weights of a checkpoint in dir. A file that is damaged or of another layout is passed over, and
// replaced later.
func openPacks(dir, weights string, pool *kernels.Pool) *packs {
	p := &packs{path: filepath.Join(dir, weights[:32]+".packed")}
	f, err := safetensors.Open(p.path)
	if err != nil {
		return p
	}
	if m := f.Metadata(); m["weights"] != weights || m["layout"] != packLayout || !intact(f, pool) {
		f.Close()
		return p
	}
	p.file = f
	return p
}

// intact hashes every tensor and compares with the metadata.
func intact(f *safetensors.File, pool *kernels.Pool) bool {
	names := f.Names()
	ok := make([]bool, len(names))
	pool.Run(len(names), func(i int) {
		t, _ := f.Tensor(names[i])
		ok[i] = f.Metadata()["blake3 "+names[i]] == hashBytes(t.Data)
	})
	for _, good := range ok {
		if !good {
			return false
		}
	}
	return true
}

func hashBytes(b []byte) string {
	sum := blake3.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// weight returns the packed weight of that name, a copy of what the file has; nil if it is not there.
func (p *packs) weight(pool *kernels.Pool, name string, rows, cols int) *kernels.Weight {
	if p == nil || p.file == nil {
		return nil
	}
	t, ok := p.file.Tensor(name)
	if !ok {
		return nil
	}
	w, err := kernels.WeightFromPacked(t.Data, rows, cols)
	if err != nil {
		return nil
	}
	w.Settle(pool)
	p.file.Forget(name)
	return w
}

// save writes the weights that were packed, unless they came from the file. It says nothing of failures: the file saves time only.
func (p *packs) save(weights string, all []*kernels.Weight) {
	if p == nil || p.file != nil {
		return
	}
	if err := os.MkdirAll(filepath.Dir(p.path), 0o755); err != nil {
		return
	}
	f, err := os.CreateTemp(filepath.Dir(p.path), ".packed-*")
	if err != nil {
		return
	}
	err = p.write(f, weights, all)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), p.path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
}

func (p *packs) write(f *os.File, weights string, all []*kernels.Weight) error {
	if len(p.names) != len(all) {
		return fmt.Errorf("%d names of %d weights", len(p.names), len(all))
	}
	meta := map[string]string{"weights": weights, "layout": packLayout}
	header, at := map[string]any{"__metadata__": meta}, 0
	for i, name := range p.names {
		b := all[i].PackedBytes()
		if b == nil {
			return errors.New("not packed")
		}
		meta["blake3 "+name] = hashBytes(b)
		header[name] = map[string]any{"dtype": "U8", "shape": []int{len(b)}, "data_offsets": []int{at, at + len(b)}}
		at += len(b)
	}
	head, err := json.Marshal(header)
	if err != nil {
		return err
	}
	for (8+len(head))%64 != 0 { // tiles are loaded from whole cache lines
		head = append(head, ' ')
	}
	if err := binary.Write(f, binary.LittleEndian, uint64(len(head))); err != nil {
		return err
	}
	if _, err := f.Write(head); err != nil {
		return err
	}
	for i := range p.names {
		if _, err := f.Write(all[i].PackedBytes()); err != nil {
			return err
		}
	}
	return nil
}

// close unmaps the file.
func (p *packs) close() {
	if p != nil && p.file != nil {
		p.file.Close()
	}
}

// packFrom is the size of a checkpoint from which packed weights are worth a file.
const packFrom = 256 << 20

// packsFor opens the packed weights of a large checkpoint in the choice's folder; nil where there is nothing to pack or to gain.
func (p Choice) packsFor(w *Weights, precision kernels.Precision, pool *kernels.Pool) (*packs, string, error) {
	_, size := w.Size()
	if p.tally != nil || p.PackCache == "" || precision != kernels.PrecisionBF16 || size < packFrom && !p.packAll {
		return nil, "", nil
	}
	hash, err := w.Hash()
	if err != nil {
		return nil, "", err
	}
	return openPacks(p.PackCache, hash, pool), hash, nil
}
