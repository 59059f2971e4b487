package datasets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// pageGuard walks the page headers of all column chunks.
type pageGuard struct {
	f       io.ReaderAt
	end     int64 // where the footer begins
	leaves  []leafSchema
	content int64 // uncompressed bytes declared so far
	stored  int64 // compressed bytes declared so far
}

// Parquet's numbers for page types and for the encodings that are read.
const (
	pageData   = 0
	pageDict   = 2
	pageDataV2 = 3

	encPlain     = 0
	encPlainDict = 2
	encRLE       = 3
	encBitPacked = 4
	encRLEDict   = 8
)

const (
	firstPeek     = 4 << 10
	maxPageHeader = 4 << 20 // statistics of careless writers hold two whole values
)

// pageHeader is what a page says of itself.
type pageHeader struct {
	typ, uncompressed, compressed    int32
	values, encoding, defEnc, repEnc int32
	rows, defLen, repLen             int32
	plainBody                        bool // version 2: the values are not compressed
	has                              [4]bool
}

func (g *pageGuard) group(rg group) error {
	if rg.rows < 0 || len(rg.chunks) != len(g.leaves) {
		return fmt.Errorf("%d rows and %d columns, where the schema has %d columns", rg.rows, len(rg.chunks), len(g.leaves))
	}
	for i, c := range rg.chunks {
		if err := g.chunk(c, g.leaves[i], rg.rows); err != nil {
			return fmt.Errorf("column %s: %w", g.leaves[i].path, err)
		}
	}
	return nil
}

func (g *pageGuard) chunk(c chunk, leaf leafSchema, rows int64) error {
	start := c.dataOffset
	hasDict := c.dictOffset > 0
	if hasDict {
		start = min(start, c.dictOffset)
	}
	switch {
	case c.typ != leaf.typ:
		return fmt.Errorf("type %d in the column, %d in the schema", c.typ, leaf.typ)
	case c.values < rows || leaf.maxRep == 0 && c.values != rows:
		return fmt.Errorf("%d values for %d rows", c.values, rows)
	case start < 4 || c.compressed < 0 || c.uncompressed < 0 || start > g.end || c.compressed > g.end-start:
		return fmt.Errorf("%d bytes at offset %d do not lie within the file's %d", c.compressed, start, g.end)
	case hasDict && c.dataOffset < c.dictOffset:
		return errors.New("the dictionary does not come first")
	case c.dataOffset > start+c.compressed:
		return errors.New("the first data page lies behind the column")
	}
	if g.stored += c.compressed; g.stored > g.end {
		return errors.New("columns overlap")
	}
	return g.pages(c, leaf, rows, start)
}

// pages walks the pages of a chunk from start to its end, which its last page must meet exactly.
func (g *pageGuard) pages(c chunk, leaf leafSchema, rows, start int64) error {
	end, values, rowsV2, dicts := start+c.compressed, int64(0), int64(0), 0
	isV2 := false
	for pos, n := start, 0; pos < end; n++ {
		h, length, err := g.header(pos, end)
		if err == nil {
			err = h.check(c, leaf, end-pos-length)
		}
		if err == nil {
			err = g.body(h, c.codec, pos+length)
		}
		if err != nil {
			return fmt.Errorf("page %d: %w", n+1, err)
		}
		if h.typ == pageDict {
			dicts++
			if n > 0 {
				return fmt.Errorf("page %d: a dictionary has to be the first page", n+1)
			}
		} else {
			values += int64(h.values)
			rowsV2 += int64(h.rows)
			isV2 = isV2 || h.typ == pageDataV2
		}
		if (h.encoding == encRLEDict || h.encoding == encPlainDict) && dicts == 0 {
			return fmt.Errorf("page %d: its dictionary is missing", n+1)
		}
		if g.content += int64(h.uncompressed); g.content > maxContent {
			return fmt.Errorf("page %d: the file holds more than %d bytes when uncompressed", n+1, int64(maxContent))
		}
		pos += length + int64(h.compressed)
	}
	if values != c.values || isV2 && rowsV2 != rows {
		return fmt.Errorf("its pages hold %d values, its metadata says %d", values, c.values)
	}
	return nil
}

// header reads the page header at pos and returns it with its length.
func (g *pageGuard) header(pos, end int64) (h pageHeader, length int64, err error) {
	for peek := int64(firstPeek); ; peek *= 4 {
		buf := make([]byte, min(peek, end-pos))
		if _, err := g.f.ReadAt(buf, pos); err != nil {
			return h, 0, err
		}
		t := &thrift{buf: buf}
		h = t.pageHeader()
		switch {
		case t.err == nil:
			return h, int64(t.pos), nil
		case !errors.Is(t.err, errShort) || int64(len(buf)) == end-pos || peek > maxPageHeader:
			return h, 0, fmt.Errorf("header: %w", t.err)
		}
	}
}

func (t *thrift) pageHeader() pageHeader {
	h := pageHeader{typ: -1, uncompressed: -1, compressed: -1, values: -1, encoding: -1}
	part := func(id int16, typ int, fields ...thriftField) thriftField {
		return thriftField{id, thriftStruct, func() {
			h.has[typ] = true
			t.structure(fields...)
		}}
	}
	t.structure(
		t.toI32(1, &h.typ), t.toI32(2, &h.uncompressed), t.toI32(3, &h.compressed),
		part(5, pageData, t.toI32(1, &h.values), t.toI32(2, &h.encoding), t.toI32(3, &h.defEnc), t.toI32(4, &h.repEnc)),
		part(7, pageDict, t.toI32(1, &h.values), t.toI32(2, &h.encoding)),
		part(8, pageDataV2, t.toI32(1, &h.values), t.toI32(3, &h.rows), t.toI32(4, &h.encoding), t.toI32(5, &h.defLen), t.toI32(6, &h.repLen),
			thriftField{7, thriftFalse, func() { h.plainBody = true }}),
	)
	return h
}

// check compares a header with its column; left is the number of bytes between the header and the end of the chunk.
func (h pageHeader) check(c chunk, leaf leafSchema, left int64) error {
	if h.typ != pageData && h.typ != pageDict && h.typ != pageDataV2 {
		return fmt.Errorf("page type %d is not read", h.typ)
	}
	var has [4]bool
	has[h.typ] = true
	switch {
	case h.has != has:
		return errors.New("its header does not belong to its type")
	case h.compressed < 0 || int64(h.compressed) > left || h.compressed > maxPage:
		return fmt.Errorf("%d bytes do not lie within the column (the limit is %d)", h.compressed, maxPage)
	case h.uncompressed < 0 || h.uncompressed > maxPage:
		return fmt.Errorf("%d uncompressed bytes are out of range (the limit is %d)", h.uncompressed, maxPage)
	case h.values < 0 || int64(h.values) > c.values && h.typ != pageDict:
		return fmt.Errorf("%d values in a column of %d", h.values, c.values)
	case h.defLen < 0 || h.repLen < 0 || int64(h.defLen)+int64(h.repLen) > int64(min(h.compressed, h.uncompressed)):
		return errors.New("its levels are longer than the page")
	case h.rows < 0 || h.rows > h.values:
		return fmt.Errorf("%d rows of %d values", h.rows, h.values)
	}
	return h.checkEncoding(leaf)
}

// checkEncoding lets only those encodings pass whose decoders take no length from the values.
func (h pageHeader) checkEncoding(leaf leafSchema) error {
	dict := h.encoding == encRLEDict || h.encoding == encPlainDict
	switch {
	case h.typ == pageDict:
		if h.encoding != encPlain && h.encoding != encPlainDict {
			return fmt.Errorf("a dictionary has encoding %d", h.encoding)
		}
		if least := []int64{0, 4, 8, 0, 4, 8, 4}[leaf.typ]; least == 0 || int64(h.values)*least > int64(h.uncompressed) {
			return fmt.Errorf("a dictionary of %d values in %d bytes", h.values, h.uncompressed)
		}
	case h.typ == pageData && !levelEncoding(h.defEnc, leaf.maxDef), h.typ == pageData && !levelEncoding(h.repEnc, leaf.maxRep):
		return errors.New("its levels have an encoding that is not read")
	case dict || h.encoding == encPlain || h.encoding == encRLE && leaf.typ == 0:
	default:
		return fmt.Errorf("encoding %s is not read; rewrite the file with PLAIN or dictionary encoding (data pages of version 1)", encodingName(h.encoding))
	}
	return nil
}

func encodingName(enc int32) string {
	names := []string{"PLAIN", "1", "PLAIN_DICTIONARY", "RLE", "BIT_PACKED", "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY",
		"RLE_DICTIONARY", "BYTE_STREAM_SPLIT"}
	if enc < 0 || int(enc) >= len(names) {
		return fmt.Sprint(enc)
	}
	return names[enc]
}

func levelEncoding(enc int32, maxLevel int) bool {
	return maxLevel == 0 || enc == encRLE || enc == encBitPacked
}

// body checks that what is compressed can make as many bytes as the header says, and no more than a page may have.
func (g *pageGuard) body(h pageHeader, codec int32, pos int64) error {
	levels := int64(0)
	if h.typ == pageDataV2 {
		levels = int64(h.defLen) + int64(h.repLen)
	}
	pos += levels
	stored, plain := int64(h.compressed)-levels, int64(h.uncompressed)-levels
	if h.typ == pageDataV2 && (h.plainBody || stored == 0) {
		codec = codecNone
	}
	most, exact := int64(0), false
	switch codec {
	case codecNone:
		most, exact = stored, true
	case codecSnappy:
		var head [binary.MaxVarintLen64]byte
		n, err := g.f.ReadAt(head[:min(stored, int64(len(head)))], pos)
		if err != nil {
			return err
		}
		size, used := binary.Uvarint(head[:n])
		if used <= 0 || size > uint64(stored)*32+64 {
			return errors.New("its Snappy body gives a size that it cannot have")
		}
		most, exact = int64(size), true
	case codecGzip:
		most = stored*1032 + 64 // deflate makes at most 258 bytes of two bits
	case codecZstd:
		var err error
		if most, exact, err = zstdBound(io.NewSectionReader(g.f, pos, stored)); err != nil {
			return err
		}
	default:
		return fmt.Errorf("codec %d is not read; rewrite the file with zstd, snappy, gzip or no compression", codec)
	}
	if plain > most || exact && plain != most || !exact && codec == codecZstd && most > maxPage {
		return fmt.Errorf("%d uncompressed bytes are declared, the %d compressed ones make %d", plain, stored, most)
	}
	return nil
}
