package report

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"

	"scbench/outputs"
	"scbench/outputs/stats"
)

// Options say what a report tells besides the rows.
type Options struct {
	Tasks   []Entry // what names mean
	Methods []Entry
	Drift   string                // file of an analysis of long generation; "" is drift.parquet in a run's folder, if it is there
	Each    func(*outputs.Result) // is called with every row, its method under the name that the report gives it
	Notes   func() []string       // what a reader has to know of the rows; it is called when all were seen
}

// Entry explains a name: a task (its group is the skill) or a method (its group is the stage it works on).
type Entry struct{ Name, Title, Group, Doc string }

// Report is what some runs say, aggregated. It is a function of their files and the options.
type Report struct {
	options Options
	runs    []run
	modes   []mode
	tasks   []string
	skills  []string // of tasks, as first seen
	skillOf []int    // by task
	methods []method
	turns   []int32 // ascending

	cells   map[place]*cell
	order   []place            // of cells, as first seen
	letters []string           // of runs, as first seen
	scores  []*outputs.Scores  // of each letter; one of all runs where they have none
	scored  []outputs.Estimate // by cell

	groups    []group
	estimates []estimate
	measured  []points // by measure
	byDepth   points
	queries   picked
	compared  []outputs.Line // with full attention, method by method
	alone     []string       // why methods are not
	driftFile string         // of the analysis of long generation, or ""
	drift     *drifted       // or nil
	summary   outputs.Summary
	findings  []outputs.Finding // or nil
	notes     []string
}

// run is one of the runs.
type run struct {
	path     string
	letter   string // of its methods, where several runs have the same ones
	manifest *outputs.Manifest
	clock    *outputs.Clock
	rows     int
	failed   int
	tiers    []string // kernel tiers of the rows
	builds   []string
	timed    bool
}

// mode is a shared-context mode with a history.
type mode struct {
	mode    outputs.Mode
	history outputs.History
}

func (m mode) String() string {
	if m.history == outputs.NoHistory {
		return outputs.Clean(string(m.mode))
	}
	return outputs.Clean(fmt.Sprintf("%s, %s history", m.mode, m.history))
}

// method is a method of a run.
type method struct {
	spec   string // with the letter of its run, if it has one
	letter string
	name   string // short
	isFull bool   // whether it is full attention
}

// place is where a cell stands: indices into modes, tasks and methods.
type place struct{ mode, task, method int }

// Read aggregates runs, given as folders or results files. Methods of several runs that answered the same task in the same mode are
// told apart by a letter for each run. Timings are read where a results file has them beside it. Errors name the file.
func Read(paths []string, o Options) (*Report, error) {
	r := &Report{options: o, cells: map[place]*cell{}}
	for _, path := range paths {
		one, err := open(path)
		if err != nil {
			return nil, err
		}
		r.runs = append(r.runs, one)
	}
	letter(r.runs)
	pick := newPicker(r)
	for i := range r.runs {
		if err := r.read(&r.runs[i], pick); err != nil {
			return nil, err
		}
	}
	if len(r.order) == 0 {
		return nil, errors.New("report: the runs have no rows")
	}
	specs := make([]string, len(r.methods))
	for i, m := range r.methods {
		specs[i] = m.spec
	}
	for i, name := range outputs.ShortNames(specs) {
		r.methods[i].name = cut(name)
	}
	r.queries = pick.done()
	for _, s := range r.scores {
		r.scored = append(r.scored, slices.DeleteFunc(s.Estimates(), func(e outputs.Estimate) bool { return e.Task == "" })...)
	}
	for _, e := range r.scored {
		for _, t := range e.Turns {
			if i, ok := slices.BinarySearch(r.turns, t.Turn); !ok {
				r.turns = slices.Insert(r.turns, i, t.Turn)
			}
		}
	}
	r.groups = r.group()
	r.estimates = r.estimate()
	for i := range measures {
		r.measured = append(r.measured, r.measure(i))
	}
	r.compare()
	if o.Notes != nil {
		r.notes = o.Notes()
	}
	r.driftFile = driftFile(o.Drift, r.runs)
	var err error
	if r.drift, err = readDrift(r.driftFile); err != nil {
		return nil, err
	}
	return r, r.find()
}

// cut shortens names that no page has room for.
func cut(name string) string {
	const most = 64
	if r := []rune(name); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return name
}

// compare compares all methods with full attention in the same run. Holm's correction is over the lines of a run.
func (r *Report) compare() {
	for _, s := range r.scores {
		full := ""
		for _, m := range r.methods {
			if m.isFull && s == r.scoresOf(m.letter) {
				full = m.spec
			}
		}
		if full == "" {
			r.alone = append(r.alone, "full attention was not asked")
			continue
		}
		c, err := outputs.Compare(s, s, outputs.CompareOptions{Baseline: full, Alpha: 0.05, Level: outputs.Level})
		if err != nil {
			r.alone = append(r.alone, err.Error())
		}
		r.compared = append(r.compared, c.Lines...)
	}
}

// scoresOf are the scores of the runs with a letter.
func (r *Report) scoresOf(letter string) *outputs.Scores {
	i := indexed(&r.letters, letter)
	if i == len(r.scores) {
		r.scores = append(r.scores, &outputs.Scores{})
	}
	return r.scores[i]
}

// fulls are, for each method, full attention in the same run, or -1.
func (r *Report) fulls() []int {
	out := make([]int, len(r.methods))
	for i, m := range r.methods {
		out[i] = slices.IndexFunc(r.methods, func(f method) bool { return f.isFull && f.letter == m.letter })
	}
	return out
}

// open finds the files of a run.
func open(path string) (run, error) {
	one := run{path: path}
	dir := filepath.Dir(path)
	m, err := outputs.ReadManifest(dir)
	switch {
	case err == nil:
		one.manifest = &m
	case !errors.Is(err, fs.ErrNotExist):
		return one, err
	}
	c, err := outputs.ReadClock(dir)
	switch {
	case err == nil:
		one.clock = &c
	case !errors.Is(err, fs.ErrNotExist):
		return one, err
	}
	return one, nil
}

// letter tells runs apart if two of them may have answered the same.
func letter(runs []run) {
	clash := false
	for i := range runs {
		for j := range i {
			a, b := runs[i].manifest, runs[j].manifest
			clash = clash || a == nil || b == nil || share(a.Order.Tasks, b.Order.Tasks) && share(a.Order.Modes, b.Order.Modes) && share(a.Order.Methods, b.Order.Methods)
		}
	}
	for i := range runs {
		if clash {
			runs[i].letter = nth(i)
		}
	}
}

// nth counts A, B, … Z, A1, B1, …
func nth(i int) string {
	s := string(rune('A' + i%26))
	if i >= 26 {
		s += fmt.Sprint(i / 26)
	}
	return s
}

func share[T comparable](a, b []T) bool {
	return slices.ContainsFunc(a, func(x T) bool { return slices.Contains(b, x) })
}

// number is a value for the page: four digits, null where there is none.
type number float64

// MarshalJSON rounds.
func (n number) MarshalJSON() ([]byte, error) {
	x := float64(n)
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(rounded(x))
}

// rounded keeps four significant digits, of what is below 1 four decimals.
func rounded(x float64) float64 {
	if x == 0 {
		return 0
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(max(math.Abs(x), 1e-6))))
	if math.Abs(x) < 1 && math.Abs(x) >= 1e-3 {
		scale = 1e4
	}
	return math.Round(x*scale) / scale
}

// points are estimates in columns, as the page gets them: of a mode, a group of tasks and a method, in a bin.
type points struct {
	Mode     []int    `json:"b"`
	Group    []int    `json:"g"`
	Method   []int    `json:"m"`
	Bin      []int    `json:"x"`
	Value    []number `json:"v"`
	Low      []number `json:"lo"` // null where one session says nothing of others
	High     []number `json:"hi"`
	N        []int    `json:"n"`
	Sessions []int    `json:"k"`
	where    map[[4]int]int
	exact    []stats.Interval
}

func (p *points) add(mode, group, method, bin int, iv stats.Interval) {
	if iv.N == 0 {
		return
	}
	if p.where == nil {
		p.where = map[[4]int]int{}
	}
	p.where[[4]int{mode, group, method, bin}] = len(p.exact)
	p.exact = append(p.exact, iv)
	if !iv.OK {
		iv.Low, iv.High = math.NaN(), math.NaN()
	}
	p.Mode, p.Group, p.Method, p.Bin = append(p.Mode, mode), append(p.Group, group), append(p.Method, method), append(p.Bin, bin)
	p.Value, p.Low, p.High = append(p.Value, number(iv.Value)), append(p.Low, number(iv.Low)), append(p.High, number(iv.High))
	p.N, p.Sessions = append(p.N, iv.N), append(p.Sessions, iv.Clusters)
}

// at looks a point up; it has no N where there is none.
func (p *points) at(mode, group, method, bin int) stats.Interval {
	if i, ok := p.where[[4]int{mode, group, method, bin}]; ok {
		return p.exact[i]
	}
	return stats.Interval{}
}

// indexed adds a name to a list unless it has it, and returns where it stands.
func indexed[T comparable](list *[]T, x T) int {
	if i := slices.Index(*list, x); i >= 0 {
		return i
	}
	*list = append(*list, x)
	return len(*list) - 1
}

// group is a choice of tasks that numbers are shown for: all of them, a skill, or one.
type group struct {
	name  string
	kind  string // all, skill or task
	tasks []int
}

// group lists all tasks together and skills of several tasks, where there are several, then each task.
func (r *Report) group() (all []group) {
	every := make([]int, len(r.tasks))
	for i := range every {
		every[i] = i
	}
	if len(r.tasks) > 1 {
		all = append(all, group{"all tasks", "all", every})
	}
	for s, name := range r.skills {
		own := slices.DeleteFunc(slices.Clone(every), func(t int) bool { return r.skillOf[t] != s })
		if name != "" && len(r.skills) > 1 && len(own) > 0 {
			all = append(all, group{cut(outputs.Clean(name)), "skill", own})
		}
	}
	for t, name := range r.tasks {
		all = append(all, group{cut(outputs.Clean(name)), "task", []int{t}})
	}
	return all
}

// byPlace orders places by mode, method and task.
func byPlace(a, b place) int {
	return cmp.Or(cmp.Compare(a.mode, b.mode), cmp.Compare(a.method, b.method), cmp.Compare(a.task, b.task))
}
