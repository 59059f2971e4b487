package datasets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	zstdMagic     = 0xFD2FB528
	zstdBlock     = 128 << 10 // most bytes that a block makes
	zstdWindow    = 128 << 20 // most bytes of history that a decoder is asked to hold
	zstdWindowMin = 8 << 20   // what RFC 8878 wants every decoder to hold
)

// zstdBound returns the most bytes that r's Zstandard frames can decompress to, without decompressing them: it reads the
// frame and block headers of RFC 8878, section 3.1.1, and nothing else. exact says that all frames give their size.
func zstdBound(r *io.SectionReader) (most int64, exact bool, err error) {
	exact = true
	pos := int64(0)
	for pos < r.Size() {
		var f zstdFrame
		if pos, err = f.read(r, pos); err != nil {
			return 0, false, fmt.Errorf("zstd: %w", err)
		}
		bound := f.blocks
		if f.sized {
			if f.content > uint64(bound) {
				return 0, false, fmt.Errorf("zstd: a frame of %d bytes is declared, its blocks make at most %d", f.content, bound)
			}
			bound = int64(f.content)
		}
		if f.window > max(zstdWindowMin, 4*uint64(f.blocks)) || f.window > zstdWindow {
			return 0, false, fmt.Errorf("zstd: a window of %d bytes is not read", f.window)
		}
		exact = exact && f.sized
		most += bound
	}
	return most, exact, nil
}

type zstdFrame struct {
	window  uint64
	content uint64 // declared size, if sized
	sized   bool
	blocks  int64 // most bytes that the blocks make
}

// read reads the headers of the frame at pos and returns where it ends.
func (f *zstdFrame) read(r *io.SectionReader, pos int64) (int64, error) {
	var head [18]byte
	n, err := r.ReadAt(head[:], pos)
	if err != nil && err != io.EOF {
		return 0, err
	}
	buf := head[:n]
	if len(buf) < 6 || binary.LittleEndian.Uint32(buf) != zstdMagic {
		return 0, errors.New("a frame does not begin with the magic number")
	}
	descriptor := buf[4]
	single := descriptor&0x20 != 0
	fields := 5
	if !single {
		exp, mantissa := buf[5]>>3, uint64(buf[5]&7)
		base := uint64(1) << (10 + exp)
		f.window = base + base/8*mantissa
		fields++
	}
	if descriptor&0x0b != 0 {
		return 0, errors.New("a frame has a dictionary or reserved bits")
	}
	width := []int{0, 2, 4, 8}[descriptor>>6]
	if single && width == 0 {
		width = 1
	}
	if len(buf) < fields+width {
		return 0, io.ErrUnexpectedEOF
	}
	for i := range width {
		f.content |= uint64(buf[fields+i]) << (8 * i)
	}
	if f.sized = width > 0; width == 2 {
		f.content += 256
	}
	if single {
		f.window = f.content
	}
	return f.readBlocks(r, pos+int64(fields+width), descriptor&4 != 0)
}

// readBlocks hops from block header to block header.
func (f *zstdFrame) readBlocks(r *io.SectionReader, pos int64, checksum bool) (int64, error) {
	for last := false; !last; {
		var b [3]byte
		if n, err := r.ReadAt(b[:], pos); n < len(b) {
			return 0, err
		}
		h := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
		size := int64(h >> 3)
		if last = h&1 != 0; size > zstdBlock {
			return 0, fmt.Errorf("a block of %d bytes is too large", size)
		}
		pos += 3
		switch h >> 1 & 3 {
		case 0:
			f.blocks, pos = f.blocks+size, pos+size
		case 1:
			f.blocks, pos = f.blocks+size, pos+1
		case 2:
			f.blocks, pos = f.blocks+zstdBlock, pos+size
		default:
			return 0, errors.New("a block has a reserved type")
		}
		if pos > r.Size() {
			return 0, io.ErrUnexpectedEOF
		}
	}
	if checksum {
		pos += 4
	}
	if pos > r.Size() {
		return 0, io.ErrUnexpectedEOF
	}
	return pos, nil
}
