package datasets

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// groupReader puts the rows of one row group together.
type groupReader struct {
	rows          int64
	root          *node
	leaves        []*leaf
	values, bytes int // what the row may still take
}

func newGroupReader(rdr *file.Reader, g int) (*groupReader, error) {
	rg := rdr.RowGroup(g)
	r := &groupReader{rows: rg.NumRows()}
	for i := range rg.NumColumns() {
		chunk, err := rg.Column(i)
		if err != nil {
			return nil, err
		}
		descr := chunk.Descriptor()
		l, err := newLeaf(chunk)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", descr.Path(), err)
		}
		l.path, l.chunk, l.maxDef, l.maxRep = descr.Path(), chunk, descr.MaxDefinitionLevel(), descr.MaxRepetitionLevel()
		r.leaves = append(r.leaves, l)
	}
	unread := r.leaves
	root := rdr.MetaData().Schema.Root()
	r.root = &node{name: root.Name(), leaves: r.leaves}
	for i := range root.NumFields() {
		r.root.kids = append(r.root.kids, newNode(root.Field(i), "", 0, 0, &unread))
	}
	return r, nil
}

// next assembles the next row.
func (r *groupReader) next() (record, error) {
	r.values, r.bytes = maxRowValues, maxRowBytes
	v, err := r.root.element(r, 0)
	if err != nil {
		return nil, err
	}
	return v.(record), nil
}

// end checks that the row group's rows were all that its columns hold, and gives their buffers back.
func (r *groupReader) end() error {
	for _, l := range r.leaves {
		_, _, more, err := l.peek()
		if err == nil && more {
			err = fmt.Errorf("field %s: the column goes on behind its row group", l.path)
		}
		if err = errors.Join(err, l.chunk.Close()); err != nil {
			return err
		}
	}
	return nil
}

// node is a field of the schema.
type node struct {
	name     string
	def, rep int16 // definition and repetition level at which the field is there
	optional bool
	repeated bool
	bare     bool    // a wrapper of lists: stands for its only kid
	kids     []*node // none: leaves[0]
	leaves   []*leaf // all columns below
}

// newNode builds the tree below n and takes its leaves from unread, in order.
func newNode(n schema.Node, parent string, def, rep int16, unread *[]*leaf) *node {
	out := &node{name: n.Name()}
	switch n.RepetitionType() {
	case parquet.Repetitions.Optional:
		out.optional = true
		def++
	case parquet.Repetitions.Repeated:
		out.repeated = true
		def, rep = def+1, rep+1
	}
	out.def, out.rep = def, rep
	all := *unread
	if g, ok := n.(*schema.GroupNode); ok {
		for i := range g.NumFields() {
			out.kids = append(out.kids, newNode(g.Field(i), n.Name(), def, rep, unread))
		}
		one := len(out.kids) == 1
		inList := out.repeated && n.Name() != "array" && n.Name() != parent+"_tuple"
		out.bare = one && (isList(n) && out.kids[0].repeated || inList)
	} else {
		*unread = all[1:]
	}
	out.leaves = all[:len(all)-len(*unread)]
	return out
}

func isList(n schema.Node) bool {
	_, logical := n.LogicalType().(schema.ListLogicalType)
	return logical || n.ConvertedType() == schema.ConvertedTypes.List
}

// read assembles the field's value from its columns; rep is the repetition level at which it begins.
func (n *node) read(r *groupReader, rep int16) (any, error) {
	if !n.optional && !n.repeated {
		return n.element(r, rep)
	}
	def, _, more, err := n.leaves[0].peek()
	if err != nil {
		return nil, err
	}
	if more && def < n.def {
		return n.absent(r, rep)
	}
	if !n.repeated {
		return n.element(r, rep)
	}
	list := []any{}
	for more {
		v, err := n.element(r, rep)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if _, rep, more, err = n.leaves[0].peek(); err != nil {
			return nil, err
		}
		more = more && rep == n.rep
	}
	return list, nil
}

// absent consumes the null that every column below has for a field that is not there.
func (n *node) absent(r *groupReader, rep int16) (any, error) {
	for _, l := range n.leaves {
		if _, err := l.take(r, rep, n.def); err != nil {
			return nil, err
		}
	}
	if n.repeated {
		return []any{}, nil
	}
	return nil, nil
}

// element assembles one occurrence of the field.
func (n *node) element(r *groupReader, rep int16) (any, error) {
	switch {
	case len(n.kids) == 0 && len(n.leaves) == 1:
		return n.leaves[0].take(r, rep, 0)
	case n.bare:
		return n.kids[0].read(r, rep)
	}
	rec := make(record, len(n.kids))
	for i, k := range n.kids {
		v, err := k.read(r, rep)
		if err != nil {
			return nil, err
		}
		rec[i] = recordField{k.name, v}
	}
	return rec, nil
}
