package models

import "scbench/stages/engine"

// Upper bounds of the memory that passes reuse, for planning: float32 numbers of all rows of a pass, and of one block of rows. Rows that
// are operands of products count in full, although in bf16 they take half, because blocks of them are padded.

func scratchBytes(rows, each, block int) int64 {
	return 4 * (int64(rows)*int64(each) + int64(min((rows+31)/32*32, engine.BlockRows))*int64(block))
}

// scratch: the residual stream and the tables of RoPE; keys, values, queries, results of attention, the MLP, and the operands of products.
func (m *Decoder) scratch(rows int) int64 {
	s := m.shape
	heads, width, inner := s.Heads*s.Dim, s.KVHeads*s.Dim, m.blocks[0].gate.rows()
	return scratchBytes(rows, s.Hidden+m.rope.Dim(), 2*width+3*heads+3*inner+2*s.Hidden)
}

// scratch: the residual stream, and what a mixer makes of rows.
func (m *Mamba) scratch(rows int) int64 {
	return scratchBytes(rows, m.shape.Hidden, m.shape.Hidden+m.blocks[0].mixer.row())
}

// row is how many numbers a mixer makes of one row.
func (s *mambaSizes) row() int { return 4*s.inner + 2*s.rank + 2*s.states }

// scratch is as Mamba's.
func (m *Mamba2) scratch(rows int) int64 {
	w := &m.blocks[0].mixer
	return scratchBytes(rows, m.shape.Hidden, m.shape.Hidden+3*w.Heads*w.Dim+2*w.Width()+w.Heads)
}

// scratch is that of the widest layer: a mixer or attention, and an MLP or what the chosen experts make of rows.
func (m *Jamba) scratch(rows int) int64 {
	s, block := m.shape, 0
	for _, w := range m.blocks {
		n := 3*s.Heads*s.Dim + 2*s.KVHeads*s.Dim
		if w.mixer != nil {
			n = w.mixer.row()
		}
		if x := w.experts; x != nil {
			n += s.Hidden + len(x.gate) + x.chosen*(2*s.Hidden+3*x.gate[0].Rows)
		} else {
			n += 3 * w.mlp.gate.rows()
		}
		block = max(block, n)
	}
	return scratchBytes(rows, s.Hidden, 2*s.Hidden+block)
}
