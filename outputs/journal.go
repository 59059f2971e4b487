package outputs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// ErrCorrupt is in the chain of every error about a file whose bytes cannot be what scbench wrote.
var ErrCorrupt = errors.New("file is damaged")

// The journal is the magic and then frames: length of the payload, CRC32C of those four bytes, CRC32C of the payload,
// all little-endian uint32, and the payload. The length has a checksum of its own: without it, one flipped bit there
// would look like a tail that a crash cut off, and all rows after it would be lost in silence.
const (
	journalMagic = "scbjrnl1"
	frameHeader  = 12
	maxPayload   = 64 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// journal is an append-only file of frames. end is where its whole frames end.
type journal struct {
	f   *os.File
	end int64
}

// append writes one frame and returns its offset. A write that fails, on a full disk say, leaves the journal as it was.
func (j *journal) append(payload []byte) (int64, error) {
	if len(payload) > maxPayload {
		return 0, fmt.Errorf("outputs: a row of %d bytes exceeds the journal's limit of %d", len(payload), maxPayload)
	}
	var frame []byte
	if j.end == 0 {
		frame = append(frame, journalMagic...)
	}
	start := j.end + int64(len(frame))
	frame = appendFrame(frame, payload)
	if _, err := j.f.WriteAt(frame, j.end); err != nil {
		return 0, errors.Join(fmt.Errorf("outputs: writing the journal (finished rows are safe in it): %w", err), j.f.Truncate(j.end))
	}
	j.end += int64(len(frame))
	return start, nil
}

func appendFrame(dst, payload []byte) []byte {
	n := binary.LittleEndian.AppendUint32(nil, uint32(len(payload)))
	dst = append(dst, n...)
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(n, castagnoli))
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(payload, castagnoli))
	return append(dst, payload...)
}

// read returns the payload of the frame at an offset that append or scanJournal gave.
func (j *journal) read(offset int64) ([]byte, error) {
	payload, _, err := readFrame(j.f, offset, j.end)
	if err == nil && payload == nil {
		err = corrupt(j.f.Name(), offset, "the frame is gone")
	}
	return payload, err
}

// scanJournal calls visit for every whole frame and returns where they end. A crash leaves a tail: a frame cut short or
// torn, with nothing but zeros after it; it is not an error. Anything else is, names its offset, and wraps ErrCorrupt.
func scanJournal(f *os.File, visit func(offset int64, payload []byte) error) (end int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	magic := make([]byte, len(journalMagic))
	n, err := f.ReadAt(magic, 0)
	if err != nil && err != io.EOF {
		return 0, fmt.Errorf("outputs: reading %s: %w", f.Name(), err)
	}
	if string(magic[:n]) != journalMagic {
		same := 0
		for same < n && magic[same] == journalMagic[same] {
			same++
		}
		if !zeros(f, int64(same), info.Size()) {
			return 0, corrupt(f.Name(), 0, "it is no scbench journal")
		}
		return 0, nil
	}
	return scanJournalFrom(f, int64(len(journalMagic)), visit)
}

// scanJournalFrom is scanJournal from the frame at an offset on.
func scanJournalFrom(f *os.File, offset int64, visit func(offset int64, payload []byte) error) (end int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return offset, err
	}
	size := info.Size()
	for end = offset; ; {
		payload, next, err := readFrame(f, end, size)
		if err != nil || payload == nil {
			return end, err
		}
		if err := visit(end, payload); err != nil {
			return end, err
		}
		end = next
	}
}

// readFrame reads the frame at offset of a file of size bytes. A nil payload without error is the tail of a crash.
func readFrame(f *os.File, offset, size int64) (payload []byte, next int64, err error) {
	var h [frameHeader]byte
	if size-offset < frameHeader {
		return nil, offset, nil
	}
	if _, err := f.ReadAt(h[:], offset); err != nil {
		return nil, offset, fmt.Errorf("outputs: reading %s at %d: %w", f.Name(), offset, err)
	}
	n := int64(binary.LittleEndian.Uint32(h[0:]))
	if crc32.Checksum(h[:4], castagnoli) != binary.LittleEndian.Uint32(h[4:]) {
		if zeros(f, offset+frameHeader, size) {
			return nil, offset, nil
		}
		return nil, offset, corrupt(f.Name(), offset, "the frame's length does not match its checksum")
	}
	if n > maxPayload {
		return nil, offset, corrupt(f.Name(), offset, "the frame is longer than any row")
	}
	if next = offset + frameHeader + n; next > size {
		return nil, offset, nil
	}
	payload = make([]byte, n)
	if _, err := f.ReadAt(payload, offset+frameHeader); err != nil {
		return nil, offset, fmt.Errorf("outputs: reading %s at %d: %w", f.Name(), offset, err)
	}
	if crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(h[8:]) {
		if zeros(f, next, size) {
			return nil, offset, nil
		}
		return nil, offset, corrupt(f.Name(), offset, "the frame does not match its checksum")
	}
	return payload, next, nil
}

// zeros reports whether the file holds nothing but zeros from offset to size, as a file system may leave after a power cut.
func zeros(f *os.File, offset, size int64) bool {
	buf := make([]byte, 4096)
	for offset < size {
		n, err := f.ReadAt(buf[:min(int64(len(buf)), size-offset)], offset)
		for _, b := range buf[:n] {
			if b != 0 {
				return false
			}
		}
		if err != nil && err != io.EOF || n == 0 {
			return false
		}
		offset += int64(n)
	}
	return true
}

func corrupt(path string, offset int64, why string) error {
	return fmt.Errorf("outputs: %s at byte %d: %s: %w", path, offset, why, ErrCorrupt)
}
