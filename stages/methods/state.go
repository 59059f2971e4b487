package methods

import (
	"encoding/binary"
	"errors"
	"math"
)

// Observers keep what they have seen of a prompt in the prefix cache: exactly, as numbers in little-endian order after a byte that is
// stateVersion. Their settings are no part of it: they are in the name of the observation.

// stateVersion is the first byte of a state. It changes whenever what an observer writes changes, or what the numbers mean.
const stateVersion = 1

// errState says that bytes are no state that this program has written.
var errState = errors.New("not what it has seen, or written by another version; empty the cache's folder")

// stateWriter makes the bytes of a state.
type stateWriter struct{ data []byte }

func newState() *stateWriter { return &stateWriter{[]byte{stateVersion}} }

func (w *stateWriter) number(n int) { w.data = binary.LittleEndian.AppendUint64(w.data, uint64(n)) }

func (w *stateWriter) floats(x []float32) {
	w.number(len(x))
	for _, v := range x {
		w.data = binary.LittleEndian.AppendUint32(w.data, math.Float32bits(v))
	}
}

// stateReader takes a state apart. After an error all that it reads is empty.
type stateReader struct {
	data []byte
	bad  bool
}

func readState(data []byte) *stateReader {
	if len(data) == 0 || data[0] != stateVersion {
		return &stateReader{bad: true}
	}
	return &stateReader{data: data[1:]}
}

// check makes the state a bad one unless ok.
func (r *stateReader) check(ok bool) {
	if !ok {
		r.data, r.bad = nil, true
	}
}

// number reads a number that is not negative.
func (r *stateReader) number() int {
	if r.check(len(r.data) >= 8); r.bad {
		return 0
	}
	n := binary.LittleEndian.Uint64(r.data)
	r.data = r.data[8:]
	if r.check(n <= math.MaxInt32); r.bad {
		return 0
	}
	return int(n)
}

// count reads how many of something of at least size bytes follow: no more than there is room for.
func (r *stateReader) count(size int) int {
	n := r.number()
	if r.check(n <= len(r.data)/size); r.bad {
		return 0
	}
	return n
}

// floats reads a list of numbers, nil if it is empty.
func (r *stateReader) floats() []float32 {
	n := r.count(4)
	if n == 0 {
		return nil
	}
	x := make([]float32, n)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(r.data[4*i:]))
	}
	r.data = r.data[4*n:]
	return x
}

// end returns an error unless all was read and good.
func (r *stateReader) end() error {
	if r.bad || len(r.data) > 0 {
		return errState
	}
	return nil
}
