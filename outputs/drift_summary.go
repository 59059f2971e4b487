package outputs

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"scbench/outputs/stats"
)

// DriftSummary is the means of a drift file by output position, over heads, each prompt weighing as many tokens as it has rows. All
// intervals are of 95 %, prompts being what is independent.
type DriftSummary struct {
	Prompts  int           `json:"prompts"`
	Heads    int           `json:"heads"`
	Buckets  []DriftBucket `json:"buckets"` // the first is prefill
	Measures []DriftSeries `json:"measures"`
	Read     []DriftSeries `json:"read"`     // by method: the share of full attention on what its queries read
	Prompt   []DriftSeries `json:"prompt"`   // by method: the same of what full attention has on the prompt
	Distance [][]float64   `json:"distance"` // [bucket] share of full attention by distance, as Drift.DistanceMass
}

// DriftBucket is output positions from From to To, both included; -1 is prefill.
type DriftBucket struct{ From, To int32 }

// String is "prefill", "3" or "4–15".
func (b DriftBucket) String() string {
	switch {
	case b.From < 0:
		return "prefill"
	case b.From == b.To:
		return fmt.Sprint(b.From)
	}
	return fmt.Sprintf("%d–%d", b.From, b.To)
}

// DriftSeries is one quantity by bucket.
type DriftSeries struct {
	Name   string           `json:"name"`
	Doc    string           `json:"doc"`
	Points []stats.Interval `json:"points"` // one a bucket
}

const generatedMass = "generated mass"

// driftMeasures are the quantities of full attention. Those that are no shares are scaled to be: see doc.
var driftMeasures = []struct {
	name, doc string
	of        func(*Drift) float64
}{
	{"overlap", "share of prefill's top keys that are the token's top keys too, among the prompt's", func(d *Drift) float64 { return *d.Overlap }},
	{"top mass", "share of attention on prefill's top keys", func(d *Drift) float64 { return *d.TopMass }},
	{generatedMass, "share of attention on generated tokens", func(d *Drift) float64 { return *d.GeneratedMass }},
	{"divergence", "Jensen-Shannon divergence from prefill within the prompt, as a share of its most, ln 2", func(d *Drift) float64 { return *d.Divergence / math.Ln2 }},
	{"entropy", "entropy of attention as a share of its most, that of reading all tokens alike", func(d *Drift) float64 {
		return *d.Entropy / math.Log(float64(max(2, d.Prompt+d.Position+1)))
	}},
}

// driftSeed seeds the bootstrap, so that a file has one summary.
const driftSeed = 1

// driftBin is the bucket of a position: 0 for prefill, then 0, 1–3, 4–15 and so on by powers of four.
func driftBin(position int32) int {
	bin := 1
	for at := int32(0); position > at; at = at*4 + 3 {
		bin++
	}
	if position < 0 {
		return 0
	}
	return bin
}

// SummariseDrift reads a drift file. Its memory does not grow with the number of tokens.
func SummariseDrift(path string) (DriftSummary, error) {
	var s DriftSummary
	type prompt struct {
		task, example string
		turn          int32
	}
	prompts, heads := map[prompt]int{}, map[[2]int32]bool{}
	measures := make([]stats.Sample, len(driftMeasures))
	var names []string
	var read, prompted []*stats.Sample
	var distance []driftProfile
	last := int32(-1)
	err := EachDrift(path, func(d *Drift) error {
		if err := d.check(); err != nil {
			return fmt.Errorf("%s: %w: %w", path, err, ErrCorrupt)
		}
		of := prompt{d.Task, d.Example, d.Turn}
		if _, known := prompts[of]; !known {
			prompts[of] = len(prompts)
		}
		cluster, bin := prompts[of], driftBin(d.Position)
		heads[[2]int32{d.Layer, d.Head}] = true
		last = max(last, d.Position)
		if d.Method != DriftFull {
			i := slices.Index(names, d.Method)
			if i < 0 {
				i = len(names)
				names, read, prompted = append(names, d.Method), append(read, &stats.Sample{}), append(prompted, &stats.Sample{})
			}
			read[i].Add(cluster, bin, *d.ReadMass)
			prompted[i].Add(cluster, bin, *d.PromptMass)
			return nil
		}
		for i, m := range driftMeasures {
			if m.name != generatedMass || bin > 0 { // before anything was generated there is none
				measures[i].Add(cluster, bin, m.of(d))
			}
		}
		for len(distance) <= bin {
			distance = append(distance, driftProfile{})
		}
		distance[bin].add(d.DistanceMass)
		return nil
	})
	if err != nil {
		return s, err
	}
	s.Prompts, s.Heads = len(prompts), len(heads)
	if s.Prompts == 0 {
		return s, fmt.Errorf("%s holds no rows: there is nothing to show", path)
	}
	s.Buckets = driftBuckets(last)
	for i, m := range driftMeasures {
		s.Measures = append(s.Measures, DriftSeries{m.name, m.doc, driftPoints(&measures[i], len(s.Buckets))})
	}
	for i, name := range names {
		s.Read = append(s.Read, DriftSeries{name, "share of full attention on what the method's queries read", driftPoints(read[i], len(s.Buckets))})
		s.Prompt = append(s.Prompt, DriftSeries{name, "of what full attention has on the prompt, the share that the method's queries read", driftPoints(prompted[i], len(s.Buckets))})
	}
	for i := range s.Buckets {
		var mean []float64
		if i < len(distance) {
			mean = distance[i].mean()
		}
		s.Distance = append(s.Distance, mean)
	}
	return s, nil
}

// check reports a row that lacks what its method's rows have.
func (d *Drift) check() error {
	if d.Method == DriftFull && (d.Overlap == nil || d.TopMass == nil || d.GeneratedMass == nil || d.Divergence == nil || d.Entropy == nil) ||
		d.Method != DriftFull && (d.ReadMass == nil || d.PromptMass == nil) {
		return fmt.Errorf("layer %d, head %d, position %d of %s: a number is missing", d.Layer, d.Head, d.Position, Clean(d.Method))
	}
	return nil
}

// driftProfile adds profiles up.
type driftProfile struct {
	sum []float64
	n   float64
}

func (p *driftProfile) add(x []float64) {
	for len(p.sum) < len(x) {
		p.sum = append(p.sum, 0)
	}
	for i, v := range x {
		p.sum[i] += v
	}
	p.n++
}

func (p *driftProfile) mean() []float64 {
	out := slices.Clone(p.sum)
	for i := range out {
		out[i] /= p.n
	}
	return out
}

// driftBuckets are those of positions up to last.
func driftBuckets(last int32) []DriftBucket {
	all := []DriftBucket{{-1, -1}}
	for from, to := int32(0), int32(0); from <= last; from, to = to+1, to*4+3 {
		all = append(all, DriftBucket{from, min(to, last)})
	}
	return all
}

// driftPoints are the means of the bins.
func driftPoints(s *stats.Sample, bins int) []stats.Interval {
	of := make([]stats.Statistic, bins)
	for b := range of {
		of[b] = stats.Statistic{{Weight: 1, Bins: []int{b}}}
	}
	return s.Intervals(driftSeed, 0.95, stats.Range{Low: 0, High: 1}, of...)
}

// Table writes the summary for reading: a row for each quantity, a column for each range of output positions.
func (s DriftSummary) Table(w io.Writer, o TableOptions) error {
	width := cmp.Or(max(o.Width, 0), defaultWidth)
	color := o.Color == Always || o.Color == Auto && colorful(w)
	var b strings.Builder
	label := column{head: "× 100", left: true}
	cols := make([]column, len(s.Buckets))
	for i, bucket := range s.Buckets {
		cols[i].head = bucket.String()
	}
	var methods []string
	for _, r := range s.Read {
		methods = append(methods, r.Name)
	}
	add := func(name string, points []stats.Interval) {
		label.fields = append(label.fields, field{{name, bold}})
		for i, p := range points {
			cols[i].fields = append(cols[i].fields, bracketed(p))
		}
	}
	for _, m := range s.Measures {
		add(m.Name, m.Points)
	}
	names := ShortNames(methods)
	for i, name := range names {
		add(name+" reads", s.Read[i].Points)
	}
	for i, name := range names {
		add(name+" of the prompt", s.Prompt[i].Points)
	}
	for _, grid := range flow(label, cols, width) {
		renderGrid(&b, grid, color)
		b.WriteString("\n")
	}
	writeLegend(&b, methods, width, color)
	for _, line := range s.notes() {
		b.WriteString(paint(wrap(line, width), dim, color))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// notes define what the table and the picture show.
func (s DriftSummary) notes() []string {
	notes := []string{fmt.Sprintf("Columns: generated tokens, from 0; prefill: the last rows of the prompt, each against their mean. Means over %d heads and %d prompts, in brackets the 95 %% interval over prompts.", s.Heads, s.Prompts)}
	for _, m := range s.Measures {
		notes = append(notes, m.Name+": "+m.Doc+".")
	}
	if len(s.Read) > 0 {
		notes = append(notes, "reads: "+s.Read[0].Doc+", fed the same tokens. of the prompt: "+s.Prompt[0].Doc+".")
	}
	return notes
}
