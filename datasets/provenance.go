package datasets

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/zeebo/blake3"
)

// schemaVersion is the version of the prepared sets' columns and metadata; a reader refuses every other.
const schemaVersion = "1"

// Provenance says where a prepared set comes from. It stands in the key/value metadata of the file, each entry under "scbench." and the
// name in parentheses. There is no time and no machine in it: equal provenance means equal rows.
type Provenance struct {
	Task      string // (task) name of the task
	Profile   string // (profile) name of the profile it was built with; "published" when imported
	Seed      uint64 // (seed) seed it was built with; 0 when imported
	Dials     string // (dials) the dials that were turned, as Dials.String; "" where none was, and then it is not in the file
	Generator string // (generator) version of the builders or of the importer, Generator or Importer
	Tokenizer string // (tokenizer) hash of the tokenizer that counted the tokens; "" for four bytes a token
	Source    string // (source) imported: base name and BLAKE3 of every file read, in order; built from files: as Repos.Source; else ""
	Rows      int    // (rows) number of examples; filled in by Write
	Content   string // (content) BLAKE3 of all rows in a canonical encoding, which Parquet does not touch; filled in by Write
}

// pairs lists the metadata entries in a fixed order.
func (p Provenance) pairs() [][2]string {
	all := [][2]string{
		{"scbench.schema", schemaVersion},
		{"scbench.task", p.Task},
		{"scbench.profile", p.Profile},
		{"scbench.seed", strconv.FormatUint(p.Seed, 10)},
		{"scbench.generator", p.Generator},
		{"scbench.tokenizer", p.Tokenizer},
		{"scbench.source", p.Source},
		{"scbench.rows", strconv.Itoa(p.Rows)},
		{"scbench.content", p.Content},
	}
	if p.Dials != "" {
		all = append(all, [2]string{"scbench.dials", p.Dials})
	}
	return all
}

// parseProvenance is the inverse of pairs; find looks a key up in the file's metadata.
func parseProvenance(find func(key string) *string) (p Provenance, err error) {
	get := func(key string) string {
		v := find("scbench." + key)
		if v == nil {
			if err == nil {
				err = fmt.Errorf("metadata scbench.%s is missing: this is not a prepared set; published files have to be imported first", key)
			}
			return ""
		}
		return *v
	}
	if v := get("schema"); err == nil && v != schemaVersion {
		return p, fmt.Errorf("metadata scbench.schema: this set has version %q and this program reads %q; prepare the set again", v, schemaVersion)
	}
	p = Provenance{Task: get("task"), Profile: get("profile"), Generator: get("generator"), Tokenizer: get("tokenizer"),
		Source: get("source"), Content: get("content")}
	if v := find("scbench.dials"); v != nil {
		p.Dials = *v
	}
	seed, rows := get("seed"), get("rows")
	if err != nil {
		return p, err
	}
	if p.Seed, err = strconv.ParseUint(seed, 10, 64); err != nil {
		return p, fmt.Errorf("metadata scbench.seed: %w", err)
	}
	if p.Rows, err = strconv.Atoi(rows); err != nil {
		return p, fmt.Errorf("metadata scbench.rows: %w", err)
	}
	return p, nil
}

// contentHash hashes rows one after the other: every integer as eight little-endian bytes, every text with its length before it,
// every list with its number of elements before it, fields in the order of Row, Example and Turn.
type contentHash struct {
	h    *blake3.Hasher
	rows uint64
	buf  []byte
}

func newContentHash() *contentHash {
	h := blake3.New()
	h.WriteString("scbench prepared set, content version 1\n")
	return &contentHash{h: h}
}

func (c *contentHash) add(r Row) {
	c.rows++
	e := r.Example
	c.num(r.Index)
	c.num(r.Tokens)
	c.texts(e.ID, e.Task, e.Profile, e.Context)
	c.num(len(e.Turns))
	for _, t := range e.Turns {
		c.texts(t.Input)
		c.num(len(t.Answers))
		c.texts(t.Answers...)
		c.num(len(t.Options))
		c.texts(t.Options...)
		c.texts(t.Part)
		c.num(len(t.Evidence))
		for _, s := range t.Evidence {
			c.num(s.Lo)
			c.num(s.Hi)
		}
	}
}

func (c *contentHash) num(n int) {
	c.buf = binary.LittleEndian.AppendUint64(c.buf[:0], uint64(n))
	c.h.Write(c.buf)
}

func (c *contentHash) texts(all ...string) {
	for _, s := range all {
		c.num(len(s))
		c.h.WriteString(s)
	}
}

// sum ends the stream with the number of rows and returns the hash in hexadecimal.
func (c *contentHash) sum() string {
	c.num(int(c.rows))
	return hex.EncodeToString(c.h.Sum(nil))
}
