package engine

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Amount is a number of tokens, a share of a context, or bytes.
type Amount struct {
	Tokens int
	Share  float64 // used if Tokens is 0
	Bytes  int64   // of a cache, before a model says how many tokens that is; see Args.Amount
}

// Of is the amount for a context of n tokens.
func (a Amount) Of(n int) int {
	if a.Tokens > 0 {
		return a.Tokens
	}
	return max(1, int(a.Share*float64(n)))
}

// byteUnits are the units of bytes that are understood, longer ones first.
var byteUnits = []struct {
	suffix string
	bytes  float64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}}

// ParseAmount reads "1024", "1/8", "12.5%" or "64MiB". Shares lie in (0, 1].
func ParseAmount(s string) (Amount, error) {
	if n, err := strconv.Atoi(s); err == nil && n > 0 && n <= math.MaxInt32 {
		return Amount{Tokens: n}, nil
	}
	for _, u := range byteUnits {
		if p, ok := strings.CutSuffix(s, u.suffix); ok {
			v, err := strconv.ParseFloat(p, 64)
			if err != nil || !(v*u.bytes >= 1 && v*u.bytes < 1<<62) {
				return Amount{}, fmt.Errorf("amount %q is no number of bytes", s)
			}
			return Amount{Bytes: int64(v * u.bytes)}, nil
		}
	}
	var share float64
	if p, ok := strings.CutSuffix(s, "%"); ok {
		v, err := strconv.ParseFloat(p, 64)
		if err != nil {
			return Amount{}, fmt.Errorf("amount %q: %w", s, err)
		}
		share = v / 100
	} else if a, b, ok := strings.Cut(s, "/"); ok {
		x, err1 := strconv.Atoi(a)
		y, err2 := strconv.Atoi(b)
		if err1 != nil || err2 != nil || y == 0 {
			return Amount{}, fmt.Errorf("amount %q is no fraction", s)
		}
		share = float64(x) / float64(y)
	}
	if !(share > 0 && share <= 1) {
		return Amount{}, fmt.Errorf("amount %q is neither a positive number of tokens nor a share in (0, 1] nor a number of bytes", s)
	}
	return Amount{Share: share}, nil
}

// maxSweep is the most specifications that one sweep may stand for.
const maxSweep = 1000

// Expand returns the specifications that a sweep stands for: alternatives of a setting are divided by "|", as in
// "snapkv:budget=256|512,window=16|32", which is four. The first setting varies slowest. A specification without alternatives is itself.
func Expand(spec string) ([]string, error) {
	out := []string{""}
	for len(spec) > 0 {
		cut := strings.IndexAny(spec, "+:,=") + 1 // the settings' marks stay with what is before them
		if cut == 0 {
			cut = len(spec)
		}
		part, mark := spec[:cut], ""
		if strings.ContainsAny(part[len(part)-1:], "+:,=") {
			part, mark = part[:len(part)-1], part[len(part)-1:]
		}
		choices := strings.Split(part, "|")
		if len(out)*len(choices) > maxSweep {
			return nil, fmt.Errorf("the sweep stands for more than %d methods", maxSweep)
		}
		next := make([]string, 0, len(out)*len(choices))
		for _, o := range out {
			for _, c := range choices {
				if c == "" && len(choices) > 1 {
					return nil, fmt.Errorf("an alternative in %q is empty", part)
				}
				next = append(next, o+c+mark)
			}
		}
		out, spec = next, spec[cut:]
	}
	return out, nil
}
