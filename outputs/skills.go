package outputs

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// bySkill joins the columns of tasks that probe the same skill, where that is wider than a line in pieces.
func (b *block) bySkill(label column, tasks []column, width int) (groups []column) {
	var skills []string // as first seen
	for _, task := range b.tasks {
		if skill := b.skillOf(task); !slices.Contains(skills, skill) {
			skills = append(skills, skill)
		}
	}
	for _, skill := range skills {
		var cols []column
		for i, task := range b.tasks {
			if b.skillOf(task) == skill {
				cols = append(cols, b.shortened(tasks[i]))
			}
		}
		for _, piece := range flow(label, cols, width) {
			groups = append(groups, joined(Clean(skill), piece[1:]))
		}
	}
	return groups
}

func (b *block) skillOf(task string) string {
	i := slices.IndexFunc(b.cells, func(c Cell) bool { return c.Task == task })
	return b.cells[i].Skill
}

// shortened is a task's column with a long name in two lines, where it begins as that of another task does: "summary" above "withneedles".
func (b *block) shortened(c column) column {
	begins := ""
	for _, task := range b.tasks {
		if task = Clean(task); task != c.head && len(task) > len(begins) && strings.HasPrefix(c.head, task) {
			begins = task
		}
	}
	if begins != "" && utf8.RuneCountInString(c.head) > longName {
		c.head, c.over = strings.TrimPrefix(c.head, begins), []string{begins}
	}
	return c
}

// longName is the most runes of a task's name that stands in one line in any case.
const longName = 9
