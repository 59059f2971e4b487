package prefix

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/zeebo/blake3"

	"scbench/stages/mapped"
)

// disk is the tier on disk: a folder of pairs of files, one for each computed stretch of a prompt. NAME.blocks has the bytes of its
// entries, NAME.arrow is their index, and NAME is the index's BLAKE3 sum, so that an index is what was written or is not read at all. Both are
// written beside their place and renamed into it, the index last. Blocks are mapped, and an entry's bytes are read when it is asked
// for, against its sum in the index.
type disk struct {
	dir   string
	limit int64
	bytes int64
	files []*file // the least recently used first
	gone  []*file // removed, and mapped until nobody reads their bytes any more
	at    map[Hash]place
}

// file is one pair of files.
type file struct {
	path  string // without suffix
	size  int64
	used  time.Time
	names []Hash
	unmap func() error
}

// place is where an entry lies.
type place struct {
	file *file
	data []byte // mapped
	sum  [32]byte
}

// schema of an index: a row an entry.
var schema = arrow.NewSchema([]arrow.Field{
	{Name: "name", Type: &arrow.FixedSizeBinaryType{ByteWidth: 32}}, // of the block or the end
	{Name: "sum", Type: &arrow.FixedSizeBinaryType{ByteWidth: 32}},  // BLAKE3 of its bytes
	{Name: "offset", Type: arrow.PrimitiveTypes.Int64},              // of its bytes in the file of blocks
	{Name: "length", Type: arrow.PrimitiveTypes.Int64},
}, nil)

// Suffixes of the files; what has another is left alone.
const (
	indexSuffix = ".arrow"
	blockSuffix = ".blocks"
	maxIndex    = 64 << 20 // bytes of an index: some half a million entries
)

func openDisk(dir string, limit int64) (*disk, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	d := &disk{dir: dir, limit: limit, at: map[Hash]place{}}
	for _, e := range list {
		d.tidy(e)
		name, ok := strings.CutSuffix(e.Name(), indexSuffix)
		if _, err := hex.DecodeString(name); !ok || len(name) != 64 || err != nil {
			continue
		}
		if err := d.open(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(d.files, func(a, b *file) int { return a.used.Compare(b.used) })
	_, err = d.evict(0)
	return d, err
}

// tidy removes what a run left that was stopped while it wrote.
func (d *disk) tidy(e fs.DirEntry) {
	path := filepath.Join(d.dir, e.Name())
	info, err := e.Info()
	if err != nil || time.Since(info.ModTime()) < time.Hour { // somebody may be writing it
		return
	}
	blocks, ok := strings.CutSuffix(path, blockSuffix)
	if ok {
		_, err = os.Stat(blocks + indexSuffix)
	}
	if strings.HasPrefix(e.Name(), "writing-") || errors.Is(err, fs.ErrNotExist) {
		_ = os.Remove(path)
	}
}

// open maps a pair of files and lists its entries. One that is not as it was written is removed: what was in it is computed again.
func (d *disk) open(path string) error {
	one, places, err := openPair(path)
	if errors.Is(err, errDamaged) {
		remove(path)
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another run has evicted it meanwhile, or was stopped before it wrote the blocks
	}
	if err != nil {
		return err
	}
	for i, p := range places {
		p.file = one
		if _, twice := d.at[one.names[i]]; !twice {
			d.at[one.names[i]] = p
		}
	}
	d.files = append(d.files, one)
	d.bytes += one.size
	return nil
}

// errDamaged says that files are not as they were written.
var errDamaged = errors.New("damaged")

func openPair(path string) (*file, []place, error) {
	info, err := os.Stat(path + indexSuffix)
	if err != nil {
		return nil, nil, err
	}
	if info.Size() > maxIndex {
		return nil, nil, errDamaged
	}
	index, err := os.ReadFile(path + indexSuffix)
	if err != nil {
		return nil, nil, err
	}
	if sum := blake3.Sum256(index); hex.EncodeToString(sum[:]) != filepath.Base(path) {
		return nil, nil, errDamaged
	}
	f, err := os.Open(path + blockSuffix)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	blocks, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	data, unmap, err := mapped.File(f, int(blocks.Size()))
	if err != nil {
		return nil, nil, err
	}
	one := &file{path: path, size: info.Size() + blocks.Size(), used: info.ModTime(), unmap: unmap}
	places, err := one.entries(index, data)
	if err != nil {
		return nil, nil, errors.Join(errDamaged, err, unmap())
	}
	return one, places, nil
}

// entries reads an index, which is as it was written, though perhaps by another version or of other blocks.
func (f *file) entries(index, data []byte) (places []place, err error) {
	r, err := ipc.NewFileReader(bytes.NewReader(index))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if !r.Schema().Equal(schema) {
		return nil, errors.New("other columns")
	}
	for i := range r.NumRecords() {
		batch, err := r.RecordBatchAt(i)
		if err != nil {
			return nil, err
		}
		name, sum := batch.Column(0).(*array.FixedSizeBinary), batch.Column(1).(*array.FixedSizeBinary)
		offset, length := batch.Column(2).(*array.Int64), batch.Column(3).(*array.Int64)
		for row := range int(batch.NumRows()) {
			lo, n := offset.Value(row), length.Value(row)
			if lo < 0 || n < 0 || lo > int64(len(data)) || n > int64(len(data))-lo {
				return nil, errors.New("blocks are missing")
			}
			places = append(places, place{data: data[lo : lo+n : lo+n], sum: [32]byte(sum.Value(row))})
			f.names = append(f.names, Hash(name.Value(row)))
		}
		batch.Release()
	}
	return places, nil
}

// remove removes a pair of files, the index first. If that fails, the next run finds them again.
func remove(path string) {
	_ = os.Remove(path + indexSuffix)
	_ = os.Remove(path + blockSuffix)
}

func (d *disk) has(h Hash) bool { _, ok := d.at[h]; return ok }

// get returns the bytes of an entry, and how many entries turned out to be damaged: then their whole file is discarded.
func (d *disk) get(h Hash) (data []byte, damaged int) {
	p, ok := d.at[h]
	if !ok {
		return nil, 0
	}
	if blake3.Sum256(p.data) != p.sum {
		return nil, d.drop(p.file)
	}
	d.touch(p.file)
	return p.data, 0
}

// touch marks a file as used now, once.
func (d *disk) touch(f *file) {
	now := time.Now()
	if now.Sub(f.used) < time.Minute {
		return
	}
	f.used = now
	_ = os.Chtimes(f.path+indexSuffix, now, now) // if that fails, it is only evicted sooner
	i := slices.Index(d.files, f)
	d.files = append(slices.Delete(d.files, i, i+1), f)
}

// drop removes a file, and returns how many entries it had. It stays mapped until the next put, since somebody may read bytes of it.
func (d *disk) drop(f *file) (n int) {
	for _, h := range f.names {
		if d.at[h].file == f {
			delete(d.at, h)
			n++
		}
	}
	remove(f.path)
	d.bytes -= f.size
	i := slices.Index(d.files, f)
	d.files, d.gone = slices.Delete(d.files, i, i+1), append(d.gone, f)
	return n
}

// sweep lets go of the files that were removed.
func (d *disk) sweep() error {
	var err error
	for _, f := range d.gone {
		err = errors.Join(err, f.unmap())
	}
	d.gone = nil
	return err
}

// put writes a pair of files, and makes room for it first. Entries larger than the limit are not kept.
func (d *disk) put(list []entry) (stored, evicted int64, err error) {
	var blocks []byte
	for _, e := range list {
		blocks = append(blocks, e.data...)
	}
	index := encode(list)
	size := int64(len(blocks) + len(index))
	if size > d.limit || len(index) > maxIndex {
		return 0, 0, nil
	}
	if evicted, err = d.evict(size); err != nil {
		return 0, evicted, err
	}
	sum := blake3.Sum256(index)
	path := filepath.Join(d.dir, hex.EncodeToString(sum[:]))
	if err := d.write(path+blockSuffix, blocks); err != nil {
		return 0, evicted, err
	}
	if err := d.write(path+indexSuffix, index); err != nil {
		return 0, evicted, err
	}
	return size, evicted, d.open(path)
}

// write makes a whole file or none.
func (d *disk) write(path string, data []byte) error {
	tmp, err := os.CreateTemp(d.dir, "writing-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
	return err
}

// evict removes the least recently used files until there is room for n bytes more, and returns how many bytes went.
func (d *disk) evict(n int64) (bytes int64, err error) {
	for len(d.files) > 0 && d.bytes+n > d.limit {
		bytes += d.files[0].size
		d.drop(d.files[0])
	}
	return bytes, d.sweep()
}

func (d *disk) close() error {
	d.gone = append(d.gone, d.files...)
	d.files, d.at = nil, nil
	return d.sweep()
}

// encode makes the index of entries whose bytes follow each other.
func encode(list []entry) []byte {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	at := int64(0)
	for _, e := range list {
		sum := blake3.Sum256(e.data)
		b.Field(0).(*array.FixedSizeBinaryBuilder).Append(e.name[:])
		b.Field(1).(*array.FixedSizeBinaryBuilder).Append(sum[:])
		b.Field(2).(*array.Int64Builder).Append(at)
		b.Field(3).(*array.Int64Builder).Append(int64(len(e.data)))
		at += int64(len(e.data))
	}
	batch := b.NewRecordBatch()
	defer batch.Release()
	var out bytes.Buffer
	w, err := ipc.NewFileWriter(&out, ipc.WithSchema(schema))
	if err == nil {
		err = errors.Join(w.Write(batch), w.Close())
	}
	if err != nil {
		panic(fmt.Sprintf("prefix: writing to memory: %v", err)) // it cannot fail
	}
	return out.Bytes()
}
