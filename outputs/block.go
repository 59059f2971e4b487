package outputs

import (
	"fmt"
	"slices"
	"strings"
)

// block is what one table shows: the cells of one mode and history.
type block struct {
	mode    Mode
	history History
	tasks   []string // as first seen
	methods []string
	names   []string // short names of methods
	turns   []int32  // ascending
	cells   []Cell

	intervals []Estimate // or nil
}

func (s Summary) blocks() []block {
	var blocks []block
	for _, c := range s.Cells {
		i := slices.IndexFunc(blocks, func(b block) bool { return b.mode == c.Mode && b.history == c.History })
		if i < 0 {
			i = len(blocks)
			blocks = append(blocks, block{mode: c.Mode, history: c.History})
		}
		blocks[i].add(c)
	}
	all := s.methods()
	short := ShortNames(all) // of all, so that a name means one method in every block
	for i := range blocks {
		for _, method := range blocks[i].methods {
			blocks[i].names = append(blocks[i].names, short[slices.Index(all, method)])
		}
	}
	return blocks
}

// methods lists the method specs as first seen.
func (s Summary) methods() []string {
	var all []string
	for _, c := range s.Cells {
		if !slices.Contains(all, c.Method) {
			all = append(all, c.Method)
		}
	}
	return all
}

func (b *block) add(c Cell) {
	b.cells = append(b.cells, c)
	if !slices.Contains(b.tasks, c.Task) {
		b.tasks = append(b.tasks, c.Task)
	}
	if !slices.Contains(b.methods, c.Method) {
		b.methods = append(b.methods, c.Method)
	}
	for _, t := range c.Turns() {
		if i, ok := slices.BinarySearch(b.turns, t.Turn); !ok {
			b.turns = slices.Insert(b.turns, i, t.Turn)
		}
	}
}

func (b *block) title() string {
	if b.history == NoHistory {
		return Clean(string(b.mode))
	}
	return Clean(fmt.Sprintf("%s, %s history", b.mode, b.history))
}

// of returns the cells of a method, in the order of tasks as first seen.
func (b *block) of(method string) []Cell {
	return slices.DeleteFunc(slices.Clone(b.cells), func(c Cell) bool { return c.Method != method })
}

// overSkills is the paper's average: over the skills, each the mean of its tasks. A task without a skill stands for itself.
func overSkills(cells []Cell, value func(Cell) (float64, bool)) (float64, bool) {
	var skills []string
	var means []Mean
	for _, c := range cells {
		x, ok := value(c)
		if !ok {
			continue
		}
		skill := c.Skill
		if skill == "" {
			skill = "task " + c.Task
		}
		i := slices.Index(skills, skill)
		if i < 0 {
			i = len(skills)
			skills, means = append(skills, skill), append(means, Mean{})
		}
		means[i].Add(x)
	}
	var all Mean
	for _, m := range means {
		x, _ := m.Value()
		all.Add(x)
	}
	return all.Value()
}

// atTurn is the fixed score of a method at a turn, over the tasks that ask it.
func (b *block) atTurn(method string, turn int32) (float64, bool) {
	return overSkills(b.of(method), func(c Cell) (float64, bool) {
		for _, t := range c.Turns() {
			if t.Turn == turn {
				return t.Fixed.Value()
			}
		}
		return 0, false
	})
}

// ShortNames shortens method specs to their names, where need be with the settings that tell them apart, and cleans them.
func ShortNames(specs []string) []string {
	short := make([]string, len(specs))
	for i, spec := range specs {
		parts := strings.Split(Clean(spec), "+")
		for j, p := range parts {
			parts[j], _, _ = strings.Cut(p, ":")
		}
		short[i] = strings.Join(parts, "+")
	}
	out := slices.Clone(short)
	for i := range specs {
		var twins []string
		for j := range specs {
			if j != i && short[j] == short[i] {
				twins = append(twins, specs[j])
			}
		}
		if own := strings.Join(ownSettings(specs[i], twins), ","); own != "" {
			out[i] += " " + own
		}
	}
	return out
}

// ownSettings returns the settings of a spec that not all its twins share; none if it has no twins.
func ownSettings(spec string, twins []string) []string {
	split := func(s string) []string {
		return strings.FieldsFunc(Clean(s), func(r rune) bool { return strings.ContainsRune(":,+", r) })
	}
	return slices.DeleteFunc(split(spec), func(setting string) bool {
		return !slices.ContainsFunc(twins, func(t string) bool { return !slices.Contains(split(t), setting) })
	})
}
