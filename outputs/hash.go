package outputs

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/zeebo/blake3"
)

// HashTokens is the prompt hash of a row: BLAKE3, in hex, of the token ids as little-endian int32.
func HashTokens(ids []int32) string {
	h := blake3.New()
	var buf [4096]byte
	for len(ids) > 0 {
		n := min(len(ids), len(buf)/4)
		for i, id := range ids[:n] {
			binary.LittleEndian.PutUint32(buf[4*i:], uint32(id))
		}
		h.Write(buf[:4*n])
		ids = ids[n:]
	}
	return hex.EncodeToString(h.Sum(nil))
}

// RunID names a run after its inputs: 16 hex digits of BLAKE3 over the configuration in canonical form (keys sorted, no
// white space) and the given hashes of data and weights, in their order. The error is of a configuration that is no JSON.
func RunID(config json.RawMessage, hashes ...string) (string, error) {
	c, err := canonical(config)
	if err != nil {
		return "", fmt.Errorf("outputs: the run's configuration is not valid JSON: %w", err)
	}
	h := blake3.New()
	for _, part := range append([]string{string(c)}, hashes...) {
		var n [8]byte
		binary.LittleEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.WriteString(part)
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// canonical rewrites JSON with sorted keys and no white space; numbers keep their digits.
func canonical(raw json.RawMessage) ([]byte, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("more than one JSON value")
	}
	return json.Marshal(v)
}
