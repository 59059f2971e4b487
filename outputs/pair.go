package outputs

import (
	"fmt"
	"slices"
	"strings"

	"scbench/outputs/stats"
)

// partners lists the pairs of cells to compare: of a with those of b that have the same task, mode and history.
func (s *Scores) partners(b *Scores, baseline string) (pairs [][2]*scoreCell, err error) {
	from, to := s.methods(), b.methods()
	partner := func(method string) string { return method } // of b, among a's
	switch {
	case len(from) == 0 || len(to) == 0:
		return nil, fmt.Errorf("outputs: a run without rows cannot be compared")
	case baseline != "":
		if baseline, err = resolve(baseline, from); err != nil {
			return nil, err
		}
		partner = func(string) string { return baseline }
	case !slices.ContainsFunc(to, func(m string) bool { return slices.Contains(from, m) }):
		if len(from) > 1 || len(to) > 1 {
			return nil, fmt.Errorf("outputs: the runs have no method in common: A has %s; B has %s; name the one to compare with (--baseline)", names(from), names(to))
		}
		partner = func(string) string { return from[0] }
	}
	for i := range b.cells {
		c := &b.cells[i]
		if s == b && c.method == partner(c.method) {
			continue // with itself
		}
		k := c.cellKey
		k.method = partner(c.method)
		if at, ok := s.index[k]; ok {
			pairs = append(pairs, [2]*scoreCell{&s.cells[at], c})
		}
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("outputs: the runs share no queries: A has %s; B has %s", s.kinds(), b.kinds())
	}
	return pairs, nil
}

// methods lists the specs, as first seen.
func (s *Scores) methods() (all []string) {
	for _, c := range s.cells {
		if !slices.Contains(all, c.method) {
			all = append(all, c.method)
		}
	}
	return all
}

// kinds says what was asked and how.
func (s *Scores) kinds() string {
	var all []string
	for _, c := range s.cells {
		all = append(all, fmt.Sprintf("%s %s/%s of %s", c.task, c.mode, c.history, c.method))
	}
	return names(distinct(all))
}

// names lists names from data, the first of them.
func names(all []string) string {
	const most = 6
	clean := make([]string, min(len(all), most))
	for i := range clean {
		clean[i] = Clean(all[i])
	}
	if len(all) > most {
		clean = append(clean, fmt.Sprintf("%d more", len(all)-most))
	}
	return strings.Join(clean, ", ")
}

// resolve finds the one method that a user means: by its spec, or by its name where only one method has it.
func resolve(name string, methods []string) (string, error) {
	if slices.Contains(methods, name) {
		return name, nil
	}
	var found []string
	short := ShortNames(methods)
	for i, m := range methods {
		if plain, _, _ := strings.Cut(m, ":"); short[i] == name || plain == name {
			found = append(found, m)
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("outputs: %s names %d methods of the run; it has %s", Clean(name), len(found), names(methods))
	}
	return found[0], nil
}

// matched holds the queries that two cells share, as samples of scores and their differences.
type matched struct {
	a, b                              *scoreCell
	layout                            layout
	scoreA, scoreB, diff, least, most stats.Sample
	shared, pairs                     int // queries in both; and those that have scores
	failedA, failedB                  int
	better, worse, changed            int
	binary                            bool
}

func (m *matched) n() int { return m.pairs }

type place struct {
	example string
	turn    int32
}

// match pairs the queries of two cells; why says what was left out.
func match(a, b *scoreCell, strict bool) (m *matched, why string) {
	m = &matched{a: a, b: b, layout: a.layout(), binary: true}
	theirs := make(map[place]int, len(b.queries))
	for i, q := range b.queries {
		theirs[place{q.example, q.turn}] = i
	}
	other, moved, absent := 0, 0, 0
	var both [][2]query
	for _, q := range a.queries {
		i, ok := theirs[place{q.example, q.turn}]
		switch {
		case !ok:
			absent++
			continue
		case q.prompt != "" && q.prompt == b.queries[i].prompt: // the same, whatever else was
		case q.data != b.queries[i].data:
			other++
			continue
		case q.answers != b.queries[i].answers:
			moved++
			continue
		}
		both = append(both, [2]query{q, b.queries[i]})
	}
	task := fmt.Sprintf("%s, %s", Clean(a.task), Clean(string(a.mode)))
	switch {
	case moved > 0: // the others may agree by chance
		return m, fmt.Sprintf("%s is left out: its questions come in another order in B (--shuffle, --repeat)", task)
	case other > 0:
		why = fmt.Sprintf("%s: %d queries are of other data (data_hash; another seed, length or number of examples)", task, other)
	case absent > 0:
		why = fmt.Sprintf("%s: %d of A's %d queries are not in B", task, absent, len(a.queries))
	case len(b.queries) > len(both):
		why = fmt.Sprintf("%s: %d of B's %d queries are not in A", task, len(b.queries)-len(both), len(b.queries))
	}
	m.shared = len(both)
	for _, p := range both {
		if p[0].scored && p[1].scored {
			m.add(p[0], p[1], strict)
		}
	}
	return m, why
}

// add takes a pair in.
func (m *matched) add(a, b query, strict bool) {
	x, y := a.fixed, b.fixed
	if strict {
		x, y = a.strict, b.strict
	}
	bin := m.layout.bin(a)
	m.pairs++
	m.scoreA.Add(a.session, bin, x)
	m.scoreB.Add(a.session, bin, y)
	m.diff.Add(a.session, bin, y-x)
	bestA, bestB := x, y
	if a.failed {
		m.failedA++
		bestA = 1
	}
	if b.failed {
		m.failedB++
		bestB = 1
	}
	m.least.Add(a.session, bin, y-bestA)
	m.most.Add(a.session, bin, bestB-x)
	switch {
	case y > x:
		m.better++
	case y < x:
		m.worse++
	}
	if a.prediction != b.prediction {
		m.changed++
	}
	m.binary = m.binary && (x == 0 || x == 1) && (y == 0 || y == 1)
}

// distinct drops what was said before.
func distinct(all []string) (out []string) {
	seen := map[string]bool{}
	for _, s := range all {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

func whyNone(notes []string) string {
	if len(notes) == 0 {
		return "none has a score"
	}
	return strings.Join(notes[:min(3, len(notes))], "; ")
}
