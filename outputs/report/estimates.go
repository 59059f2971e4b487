package report

import (
	"hash/fnv"
	"math"
	"runtime"
	"slices"
	"strconv"
	"sync"

	"scbench/outputs"
	"scbench/outputs/stats"
)

// estimate is what a method's scores say in a mode over a group of tasks.
type estimate struct {
	mode, group, method int
	tasks               int // of the group that it answered
	outputs.Estimate
}

// estimate works out those of every mode, group and method that has rows, in that order.
func (r *Report) estimate() (all []estimate) {
	byCell := map[place]outputs.Estimate{}
	for _, e := range r.scored {
		byCell[place{slices.Index(r.modes, mode{e.Mode, e.History}), slices.Index(r.tasks, e.Task), r.methodOf(e.Method)}] = e
	}
	for m := range r.modes {
		for g, group := range r.groups {
			for k := range r.methods {
				var cells []outputs.Estimate
				for _, t := range group.tasks {
					if e, ok := byCell[place{m, t, k}]; ok {
						cells = append(cells, e)
					}
				}
				switch {
				case len(cells) == 0:
				case group.kind == "task":
					all = append(all, estimate{m, g, k, 1, cells[0]})
				default:
					all = append(all, estimate{m, g, k, len(cells), outputs.Overall(cells)})
				}
			}
		}
	}
	return all
}

// scorePoints are the scores: fixed and strict of all turns in bin 0, and the fixed ones of each turn in its bin.
func scorePoints(all []estimate) (fixed, strict points) {
	for _, e := range all {
		fixed.add(e.mode, e.group, e.method, 0, e.Fixed)
		strict.add(e.mode, e.group, e.method, 0, e.Strict)
		for _, t := range e.Turns {
			fixed.add(e.mode, e.group, e.method, int(t.Turn), t.Score)
		}
	}
	return fixed, strict
}

// interval is what a cell's sample says in a bin.
type interval struct {
	bin int
	stats.Interval
}

// intervals are those of a sample of every cell, in the order of cells: over all bins where bin is nil, else one for each bin under
// the number that it gives it. They are bounded by the least and the greatest value seen, and seeded by the cell.
func (r *Report) intervals(of func(*cell) *sampled, bin func(*cell, int) int) [][]interval {
	out := make([][]interval, len(r.order))
	var group sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		group.Go(func() {
			for i := w; i < len(r.order); i += workers {
				c := r.cells[r.order[i]]
				out[i] = of(c).intervals(r.seed(r.order[i]), func(b int) int {
					if bin == nil {
						return 0
					}
					return bin(c, b)
				}, bin != nil)
			}
		})
	}
	group.Wait()
	return out
}

func (s *sampled) intervals(seed uint64, number func(int) int, apart bool) (out []interval) {
	if s.n == 0 {
		return nil
	}
	var ask []stats.Statistic
	if apart {
		for b := range s.bins {
			ask = append(ask, stats.Statistic{{Weight: 1, Bins: []int{b}}})
		}
	} else {
		every := make([]int, s.bins)
		for b := range every {
			every[b] = b
		}
		ask = append(ask, stats.Statistic{{Weight: 1, Bins: every}})
	}
	for b, iv := range s.Intervals(seed, outputs.Level, s.within, ask...) {
		if iv.N > 0 {
			out = append(out, interval{number(b), iv})
		}
	}
	return out
}

// seed is the same for all methods of a task and mode.
func (r *Report) seed(at place) uint64 {
	h := fnv.New64a()
	h.Write([]byte(r.tasks[at.task] + "\x00" + strconv.Itoa(at.mode)))
	return h.Sum64()
}

// pooled are a measure's points for every mode, group, method and bin: of several tasks the mean over all their queries, tasks being
// independent.
func (r *Report) pooled(cells [][]interval) (p points) {
	at := map[place][]interval{}
	for i, where := range r.order {
		at[where] = cells[i]
	}
	for m := range r.modes {
		for g, group := range r.groups {
			for k := range r.methods {
				var all []interval
				for _, t := range group.tasks {
					all = append(all, at[place{m, t, k}]...)
				}
				for _, bin := range bins(all) {
					p.add(m, g, k, bin, meanOf(all, bin))
				}
			}
		}
	}
	return p
}

func bins(all []interval) (list []int) {
	for _, iv := range all {
		if i, ok := slices.BinarySearch(list, iv.bin); !ok {
			list = slices.Insert(list, i, iv.bin)
		}
	}
	return list
}

// meanOf is the mean over the queries of a bin.
func meanOf(all []interval, bin int) stats.Interval {
	var of []stats.Interval
	n := 0.0
	for _, iv := range all {
		if iv.bin == bin {
			of = append(of, iv.Interval)
			n += float64(iv.N)
		}
	}
	if len(of) == 1 {
		return of[0]
	}
	weights := make([]float64, len(of))
	for i := range of {
		weights[i] = float64(of[i].N) / n
	}
	return stats.Mix(outputs.Level, stats.Range{Low: 0, High: math.Inf(1)}, weights, of)
}

// measure works out the points of a measure, by turn where it is kept so.
func (r *Report) measure(which int) points {
	var byTurn func(*cell, int) int
	if measures[which].byTurn {
		byTurn = func(c *cell, b int) int { return int(c.turns[b]) }
	}
	return r.pooled(r.intervals(func(c *cell) *sampled { return &c.of[which] }, byTurn))
}
