package outputs

import (
	"fmt"
	"math"
)

const missing = "–"

// labelColumn names the rows of a block's table: its methods, then n.
func (b *block) labelColumn() column {
	c := column{head: "method", left: true}
	for _, name := range b.names {
		c.fields = append(c.fields, field{{text: name, sgr: bold}})
	}
	c.fields = append(c.fields, field{{text: "n", sgr: dim}})
	return c
}

// taskColumns shows the fixed score of each task, and below them the number of queries.
func (b *block) taskColumns() []column {
	var cols []column
	for _, task := range b.tasks {
		col := column{head: Clean(task)}
		least, most := math.MaxInt, 0
		for _, method := range b.methods {
			x, ok, n := 0.0, false, 0
			for _, c := range b.of(method) {
				if c.Task == task {
					x, ok = c.Fixed()
					n = c.N
				}
			}
			least, most = min(least, n), max(most, n)
			col.fields = append(col.fields, text(hundredfold(x, ok)))
		}
		n := fmt.Sprint(most)
		if least != most {
			n = fmt.Sprintf("%d–%d", least, most)
		}
		col.fields = append(col.fields, field{{text: n, sgr: dim}})
		cols = append(cols, col)
	}
	return cols
}

// headlineColumns shows what all tasks together say of a method.
func (b *block) headlineColumns() []column {
	var cols []column
	add := func(head string, show func(method string, cells []Cell) field) {
		col := column{head: head}
		for _, method := range b.methods {
			col.fields = append(col.fields, show(method, b.of(method)))
		}
		cols = append(cols, column{head: head, fields: append(col.fields, nil)})
	}
	mean := func(value func(Cell) (float64, bool)) func(string, []Cell) field {
		return func(_ string, cells []Cell) field {
			if withheld(cells) {
				return text(missing)
			}
			return text(hundredfold(overSkills(cells, value)))
		}
	}
	if len(b.tasks) > 1 {
		value := mean(Cell.Fixed)
		add("mean", func(method string, cells []Cell) field { return append(value(method, cells), b.half(method)...) })
	}
	add("strict", mean(Cell.Strict))
	if n := len(b.turns); n > 1 {
		at := func(turn int32) func(string, []Cell) field {
			return func(method string, _ []Cell) field { return text(hundredfold(b.atTurn(method, turn))) }
		}
		best := b.bestCurve()
		add(fmt.Sprintf("turn %d", b.turns[0]), at(b.turns[0]))
		add("each turn", func(method string, _ []Cell) field { return bars(b.curve(method), best) })
		cols[len(cols)-1].left = true
		add(fmt.Sprintf("turn %d", b.turns[n-1]), at(b.turns[n-1]))
		add("decay", mean(Cell.Decay))
	}
	add("kept", func(_ string, cells []Cell) field {
		return text(percent(overSkills(cells, func(c Cell) (float64, bool) { return c.Kept.Value() })))
	})
	add("KV MiB", func(_ string, cells []Cell) field { return text(mebibytes(cells)) })
	share := func(of func(Cell) Share) func(string, []Cell) field {
		return func(_ string, cells []Cell) field { return text(percent(cellShare(cells, of))) }
	}
	add("prefill", share(func(c Cell) Share { return c.Prefill }))
	add("decode", share(func(c Cell) Share { return c.Decode }))
	if cut(b.cells) > 0 {
		add("answerable", mean(Cell.Answerable))
		add("cut", func(_ string, cells []Cell) field { return field{{fmt.Sprint(cut(cells)), yellow}} })
	}
	if failures(b.cells) > 0 {
		add("failed", func(_ string, cells []Cell) field {
			if n := failures(cells); n > 0 {
				return field{{fmt.Sprint(n), red}}
			}
			return text("0")
		})
	}
	return cols
}

// half is the larger half of the interval of a method's mean, if it is known.
func (b *block) half(method string) field {
	for _, e := range b.intervals {
		if e.Task == "" && e.Skill == "" && e.Mode == b.mode && e.History == b.history && e.Method == method && e.Fixed.OK && !e.Withheld() {
			return field{{" ±" + oneDecimal(100*max(e.Fixed.High-e.Fixed.Value, e.Fixed.Value-e.Fixed.Low)), dim}}
		}
	}
	return nil
}

func failures(cells []Cell) (n int) {
	for _, c := range cells {
		n += c.Failed
	}
	return n
}

// withheld reports whether so many of a method's queries failed that a mean over all would be no headline.
func withheld(cells []Cell) bool {
	n := 0
	for _, c := range cells {
		n += c.N
	}
	return float64(failures(cells)) > MaxFailed*float64(n)
}

// cut is the number of queries whose evidence was cut out.
func cut(cells []Cell) (n int) {
	for _, c := range cells {
		for _, p := range c.Parts {
			n += p.Cut.N
		}
	}
	return n
}

// cellShare is all attention cells computed over all dense ones.
func cellShare(cells []Cell, of func(Cell) Share) (float64, bool) {
	var all Share
	for _, c := range cells {
		all.add(of(c).Computed, of(c).Dense)
	}
	return float64(all.Computed) / float64(all.Dense), all.Dense > 0
}

// mebibytes is the resident cache of a branch, mean over all queries that ran.
func mebibytes(cells []Cell) string {
	var m Mean
	for _, c := range cells {
		m.Sum += c.Resident.Sum
		m.N += c.Resident.N
	}
	x, ok := m.Value()
	if !ok {
		return missing
	}
	return fmt.Sprintf("%.2f", x/(1<<20))
}

func hundredfold(x float64, ok bool) string {
	if !ok {
		return missing
	}
	return oneDecimal(100 * x)
}

func percent(x float64, ok bool) string {
	if !ok {
		return missing
	}
	if s := oneDecimal(100 * x); s != "100.0" {
		return s + "%"
	}
	return "100%"
}

// oneDecimal never says "-0.0".
func oneDecimal(x float64) string {
	if math.Abs(x) < 0.05 {
		x = 0
	}
	return fmt.Sprintf("%.1f", x)
}
