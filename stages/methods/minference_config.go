package methods

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"scbench/stages/engine"
)

// parseHeadPatterns reads the published layout: a list of layers, each an object from the number of a query head to
// [pattern, vertical, slash, score]. A shape without layers is not compared with.
func parseHeadPatterns(data []byte, s engine.Shape) ([]map[int]headPattern, error) {
	var layers []map[string][]json.RawMessage
	if err := json.Unmarshal(data, &layers); err != nil {
		return nil, fmt.Errorf("want a list of layers, each from head to [pattern, vertical, slash, score]: %w", err)
	}
	if s.Layers > 0 && len(layers) != s.Layers {
		return nil, fmt.Errorf("it has %d layers, the model %d: it was made for another model", len(layers), s.Layers)
	}
	out := make([]map[int]headPattern, len(layers))
	for l, heads := range layers {
		out[l] = map[int]headPattern{}
		var names []string
		for name := range heads {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			h, err := strconv.Atoi(name)
			if err != nil || h < 0 || s.Layers > 0 && h >= s.Heads {
				return nil, fmt.Errorf("layer %d has no query head %q: the model has %d", l, name, s.Heads)
			}
			if out[l][h], err = parseHeadPattern(heads[name]); err != nil {
				return nil, fmt.Errorf("layer %d, head %d: %w", l, h, err)
			}
		}
	}
	return out, nil
}

func parseHeadPattern(fields []json.RawMessage) (headPattern, error) {
	var p headPattern
	if len(fields) < 3 {
		return p, fmt.Errorf("%d fields; want [pattern, vertical, slash, score]", len(fields))
	}
	for i, to := range []any{&p.kind, &p.vertical, &p.slash} {
		if err := json.Unmarshal(fields[i], to); err != nil {
			return p, fmt.Errorf("field %d: %w", i, err)
		}
	}
	if !slices.Contains([]string{verticalAndSlash, blockSparse, streamLLM}, p.kind) {
		return p, fmt.Errorf("pattern %q; want %s, %s or %s", p.kind, verticalAndSlash, blockSparse, streamLLM)
	}
	if p.vertical < 0 || p.slash < 0 || p.kind == streamLLM && p.slash < 1 || p.vertical > 1<<30 || p.slash > 1<<30 {
		return p, fmt.Errorf("sizes %d and %d are out of range", p.vertical, p.slash)
	}
	return p, nil
}

func fileError(name string, err error) error { return fmt.Errorf("patterns %s: %w", name, err) }
