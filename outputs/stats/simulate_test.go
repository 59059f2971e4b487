package stats

import (
	"math"
	"os"
	"strconv"
	"testing"
)

// runs is the number of synthetic runs a simulation has: 400, or what SCBENCH_SIMULATIONS says; the figures quoted are of 2000.
func runs(t *testing.T) int {
	if s := os.Getenv("SCBENCH_SIMULATIONS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 100 {
			t.Fatalf("SCBENCH_SIMULATIONS=%q: want a number of 100 or more", s)
		}
		return n
	}
	return 400
}

// within wants a share of n runs within a margin of what is claimed, beside four standard errors of the simulation itself.
func within(t *testing.T, what string, hits, n int, claimed, margin float64) {
	t.Helper()
	share := float64(hits) / float64(n)
	noise := 4 * math.Sqrt(claimed*(1-claimed)/float64(n))
	if n >= 2000 {
		noise = 0 // the claim itself
	}
	t.Logf("%s: %.2f %% of %d runs", what, 100*share, n)
	if math.Abs(share-claimed) > margin+noise {
		t.Errorf("%s: %.2f %% of %d runs, want %.2f %% ± %.2f", what, 100*share, n, 100*claimed, 100*(margin+noise))
	}
}

func (r *random) float() float64 { return float64(r.next()>>11) / (1 << 53) }

func (r *random) normal() float64 {
	return math.Sqrt(-2*math.Log(1-r.float())) * math.Cos(2*math.Pi*r.float())
}

// session is how hard a synthetic session is; its queries succeed with the probability that its ease and the turn give. Its own
// ease makes the queries of a session alike: their correlation is about 0.3.
func (r *random) session() (ease float64) { return 1.5 * r.normal() }

func (r *random) query(ease, level float64) float64 {
	if r.float() < 1/(1+math.Exp(-ease-level)) {
		return 1
	}
	return 0
}

// truth is the probability of success over all sessions, by the midpoint rule on the ease.
func truth(level float64) (p float64) {
	const steps = 4000
	for i := range steps {
		z := -8 + 16*(float64(i)+0.5)/steps
		p += 16.0 / steps * math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) / (1 + math.Exp(-1.5*z-level))
	}
	return p
}

const turns = 5

func TestIntervalsCover(t *testing.T) {
	for _, c := range []struct {
		name     string
		sessions int
		level    float64 // log odds of a right answer in turn 2 and later; turn 1 has 1 more
		uneven   bool    // sessions of 2 to 5 turns
	}{
		{"20 sessions", 20, 0, false},
		{"30 sessions, high scores", 30, 1, false},
		{"40 sessions of uneven length", 40, -0.5, true},
		{"100 sessions", 100, 0.5, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, rnd := runs(t), random(uint64(c.sessions))
			first, later := truth(c.level+1), truth(c.level)
			mean := Statistic{{1, []int{0, 1, 2, 3, 4}}}
			decay := Statistic{{1, []int{0}}, {-0.25, []int{1}}, {-0.25, []int{2}}, {-0.25, []int{3}}, {-0.25, []int{4}}}
			single := Statistic{{1, []int{1}}}
			var hits [3]int
			for run := range n {
				var s Sample
				for k := range c.sessions {
					ease, last := rnd.session(), turns
					if c.uneven {
						last = 2 + k%4
					}
					for turn := range last {
						level := c.level
						if turn == 0 {
							level++
						}
						s.Add(k, turn, rnd.query(ease, level))
					}
				}
				weight := 1 / float64(turns)
				if c.uneven {
					weight = 1 / 3.5
				}
				truths := []float64{weight*first + (1-weight)*later, first - later, later}
				iv := s.Intervals(uint64(run), 0.95, Range{0, 1}, mean, decay, single)
				for i, want := range truths {
					if iv[i].Low <= want && want <= iv[i].High {
						hits[i]++
					}
				}
			}
			within(t, "mean", hits[0], n, 0.95, 0.01)
			within(t, "decay", hits[1], n, 0.95, 0.01)
			within(t, "one turn", hits[2], n, 0.95, 0.015) // of 20 binary scores: the law is discrete
		})
	}
}

// TestMixCovers checks the mean over tasks of other sizes.
func TestMixCovers(t *testing.T) {
	n, rnd, hits := runs(t), random(5), 0
	mean := Statistic{{1, []int{0, 1, 2, 3, 4}}}
	levels, sizes := []float64{-1, 0, 0.7}, []int{12, 20, 40}
	want := (truth(-1) + truth(0) + truth(0.7)) / 3
	for run := range n {
		var all []Interval
		for i, size := range sizes {
			var s Sample
			for k := range size {
				ease := rnd.session()
				for turn := range turns {
					s.Add(k, turn, rnd.query(ease, levels[i]))
				}
			}
			all = append(all, s.Intervals(uint64(run), 0.95, Range{0, 1}, mean)...)
		}
		third := 1.0 / 3
		if m := Mix(0.95, Range{0, 1}, []float64{third, third, third}, all); m.Low <= want && want <= m.High {
			hits++
		}
	}
	within(t, "mean over tasks", hits, n, 0.95, 0.01)
}

// paired draws the differences of two methods over the same sessions; effect is in log odds.
func paired(rnd *random, sessions int, effect float64) *Sample {
	var s Sample
	for k := range sessions {
		ease := rnd.session()
		own := 0.7 * rnd.normal() // what a session has for one of the methods
		for range turns {
			s.Add(k, 0, rnd.query(ease+own, effect)-rnd.query(ease-own, 0))
		}
	}
	return &s
}

// TestSignFlipErrorAndPower wants differences that are none found in at most 5.5 % of runs, and those that are in as many runs as
// Power says, within 3 points.
func TestSignFlipErrorAndPower(t *testing.T) {
	diff := Statistic{{1, []int{0}}}
	for _, c := range []struct {
		sessions int
		effect   float64
	}{{10, 0}, {30, 0}, {100, 0}, {30, 1.1}, {40, 0.7}, {100, 0.5}} {
		n, rnd, found, power := runs(t), random(uint64(c.sessions)), 0, 0.0
		for run := range n {
			s := paired(&rnd, c.sessions, c.effect)
			if p, _ := SignFlip(uint64(run), s.Contributions(diff)); p <= 0.05 {
				found++
			}
			if c.effect != 0 {
				se, k := s.StandardError(diff)
				power += Power(effectOf(c.effect), se, k, 0.05) / float64(n)
			}
		}
		what := strconv.Itoa(c.sessions) + " sessions, effect " + strconv.FormatFloat(c.effect, 'g', 2, 64)
		if c.effect == 0 {
			noise := 0.0
			if n < 2000 {
				noise = 4 * math.Sqrt(0.05*0.95/float64(n))
			}
			share := float64(found) / float64(n)
			t.Logf("%s: found in %.2f %% of %d runs", what, 100*share, n)
			if share > 0.055+noise {
				t.Errorf("%s: a difference that is none is found in %.2f %% of runs", what, 100*share)
			}
			continue
		}
		t.Logf("%s: power said %.1f %%", what, 100*power)
		within(t, what, found, n, power, 0.03)
	}
}

// effectOf is the mean difference that paired draws from. Both methods see an ease of the same law, 1.5 and 0.7 wide together.
func effectOf(effect float64) (d float64) {
	const steps = 4000
	wide := math.Hypot(1.5, 0.7)
	for i := range steps {
		z := -8 + 16*(float64(i)+0.5)/steps
		density := 16.0 / steps * math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
		d += density * (1/(1+math.Exp(-wide*z-effect)) - 1/(1+math.Exp(-wide*z)))
	}
	return d
}
