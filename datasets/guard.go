package datasets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Limits on what a Parquet file may ask for. The largest published file (Zh.QA) has a page of about 200 MB and rows of up to 20 MB.
const (
	maxFooter      = 16 << 20 // bytes of metadata
	maxPage        = 1 << 30  // bytes of a page, compressed or not
	maxContent     = 64 << 30 // bytes of all pages, uncompressed
	maxColumns     = 1024
	maxSchemaDepth = 12
)

// Parquet's numbers for physical types and codecs.
const (
	parquetINT96 = 3
	parquetFLBA  = 7

	codecNone   = 0
	codecSnappy = 1
	codecGzip   = 2
	codecZstd   = 6
)

var physicalTypes = []string{"BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"}

// leafSchema is a column as the schema declares it.
type leafSchema struct {
	path   string
	typ    int32
	maxDef int
	maxRep int
}

// chunk is a column of a row group as the footer declares it.
type chunk struct {
	typ, codec                       int32
	values, uncompressed, compressed int64
	dataOffset, dictOffset           int64
}

// group is a row group as the footer declares it.
type group struct {
	rows   int64
	chunks []chunk
}

// guardParquet reads the footer and all page headers of a Parquet file and refuses it unless every size and count in them is
// borne out by bytes that are there and the limits above are kept. Libraries allocate by these numbers before they look at the bytes, and
// what they ask for then cannot be refused: running out of memory ends a Go process. What is compressed is bounded without
// decompressing it. Only the encodings whose decoders allocate by their input are let through: PLAIN and dictionaries.
func guardParquet(f io.ReaderAt, size int64) error {
	foot, err := footerBytes(f, size)
	if err != nil {
		return err
	}
	var (
		t      = &thrift{buf: foot}
		schema []schemaElement
		groups []group
		rows   int64
	)
	t.structure(
		thriftField{2, thriftList, func() {
			t.list(thriftStruct, func() {
				if schema = append(schema, t.schemaElement()); len(schema) > 4*maxColumns {
					t.fail(errors.New("the schema is too large"))
				}
			})
		}},
		t.toI64(3, &rows),
		thriftField{4, thriftList, func() {
			t.list(thriftStruct, func() { groups = append(groups, t.group()) })
		}},
		thriftField{6, thriftBinary, func() {
			// Arrow reads past the column chunks of the oldest writers, to make up for a bug of theirs.
			if by := string(t.binary()); strings.HasPrefix(strings.ToLower(strings.TrimSpace(by)), "parquet-mr version 1.2.") {
				t.fail(fmt.Errorf("it was written by %s, whose files are not read; rewrite it with a newer program", by))
			}
		}},
		t.unwanted(8, thriftStruct, "it is encrypted"),
	)
	if t.err != nil {
		return fmt.Errorf("footer: %w", t.err)
	}
	leaves, err := leavesOf(schema)
	if err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	g := pageGuard{f: f, end: size - int64(len(foot)) - 8, leaves: leaves}
	for i, rg := range groups {
		if err := g.group(rg); err != nil {
			return fmt.Errorf("row group %d: %w", i+1, err)
		}
		rows -= rg.rows
	}
	if rows != 0 {
		return errors.New("footer: the number of rows is not the sum over the row groups")
	}
	return nil
}

// footerBytes returns the metadata between the column chunks and the closing magic.
func footerBytes(f io.ReaderAt, size int64) ([]byte, error) {
	var head [4]byte
	var tail [8]byte
	if size < 12 {
		return nil, fmt.Errorf("%d bytes are too few for a Parquet file; the file is cut off", size)
	}
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return nil, err
	}
	if _, err := f.ReadAt(tail[:], size-8); err != nil {
		return nil, err
	}
	if string(head[:]) != "PAR1" || string(tail[4:]) != "PAR1" {
		return nil, errors.New("it does not begin and end with PAR1; the file is cut off or not Parquet")
	}
	n := int64(binary.LittleEndian.Uint32(tail[:]))
	if n > size-12 || n > maxFooter {
		return nil, fmt.Errorf("footer: its length is given as %d bytes in a file of %d (the limit is %d)", n, size, maxFooter)
	}
	foot := make([]byte, n)
	if _, err := f.ReadAt(foot, size-8-n); err != nil {
		return nil, err
	}
	return foot, nil
}

type schemaElement struct {
	name                      string
	typ, repetition, children int32
}

func (t *thrift) schemaElement() schemaElement {
	e := schemaElement{typ: -1, repetition: -1}
	t.structure(
		t.toI32(1, &e.typ),
		t.toI32(3, &e.repetition),
		thriftField{4, thriftBinary, func() { e.name = string(t.binary()) }},
		t.toI32(5, &e.children),
	)
	return e
}

// leavesOf checks that the flattened schema is one tree and returns its columns.
func leavesOf(elements []schemaElement) ([]leafSchema, error) {
	if len(elements) == 0 || elements[0].children < 1 {
		return nil, errors.New("it has no columns")
	}
	var leaves []leafSchema
	rest := elements[1:]
	var walk func(parent string, children int32, def, rep, depth int) error
	walk = func(parent string, children int32, def, rep, depth int) error {
		names := map[string]bool{}
		for range children {
			if len(rest) == 0 || depth > maxSchemaDepth || len(leaves) >= maxColumns {
				return errors.New("it is not one tree, too deep or too wide")
			}
			e := rest[0]
			rest = rest[1:]
			path := strings.TrimPrefix(parent+"."+printable(e.name), ".") // for messages only
			if names[e.name] {
				return fmt.Errorf("column %s is there twice", path)
			}
			names[e.name] = true
			d, r := def, rep
			switch e.repetition {
			case 0:
			case 1:
				d++
			case 2:
				d, r = d+1, r+1
			default:
				return fmt.Errorf("column %s: repetition %d is unknown", path, e.repetition)
			}
			if e.children > 0 {
				if err := walk(path, e.children, d, r, depth+1); err != nil {
					return err
				}
				continue
			}
			if e.children < 0 || e.typ < 0 || int(e.typ) >= len(physicalTypes) {
				return fmt.Errorf("column %s: type %d is unknown", path, e.typ)
			}
			if e.typ == parquetINT96 || e.typ == parquetFLBA {
				return fmt.Errorf("column %s: type %s is not read; drop the column or cast it", path, physicalTypes[e.typ])
			}
			leaves = append(leaves, leafSchema{path, e.typ, d, r})
		}
		return nil
	}
	err := walk("", elements[0].children, 0, 0, 1)
	if err == nil && len(rest) > 0 {
		err = errors.New("elements are left over behind its tree")
	}
	return leaves, err
}

func (t *thrift) group() group {
	g := group{rows: -1}
	t.structure(
		thriftField{1, thriftList, func() {
			t.list(thriftStruct, func() { g.chunks = append(g.chunks, t.chunk()) })
		}},
		t.toI64(3, &g.rows),
	)
	if g.rows < 0 || len(g.chunks) == 0 {
		t.fail(errors.New("a row group is incomplete"))
	}
	return g
}

func (t *thrift) chunk() chunk {
	c := chunk{typ: -1, codec: -1, values: -1, uncompressed: -1, compressed: -1, dataOffset: -1, dictOffset: -1}
	t.structure(
		t.unwanted(1, thriftBinary, "a column lies in another file"),
		thriftField{3, thriftStruct, func() {
			t.structure(
				t.toI32(1, &c.typ),
				t.toI32(4, &c.codec),
				t.toI64(5, &c.values),
				t.toI64(6, &c.uncompressed),
				t.toI64(7, &c.compressed),
				t.toI64(9, &c.dataOffset),
				t.toI64(11, &c.dictOffset),
			)
		}},
		t.unwanted(8, thriftStruct, "a column is encrypted"),
	)
	if c.typ < 0 || c.codec < 0 || c.values < 0 || c.uncompressed < 0 || c.compressed < 0 || c.dataOffset < 0 {
		// Told at once, so that a list of millions of empty columns is never held.
		t.fail(errors.New("a column is incomplete"))
	}
	return c
}

// openGuarded opens a Parquet file that has passed the guard.
func openGuarded(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = guardParquet(f, info.Size())
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}
