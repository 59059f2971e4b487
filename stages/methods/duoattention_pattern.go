package methods

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"scbench/stages/engine"
)

// parseHeadScores reads scores per layer and KV head: a JSON list of lists, or the published layout, a line a layer with numbers between tabs.
// They are cut off at 0 and 1. A shape without layers is not compared with.
func parseHeadScores(data []byte, s engine.Shape) ([][]float32, error) {
	var scores [][]float64
	var err error
	if data = bytes.TrimSpace(data); bytes.HasPrefix(data, []byte("[")) {
		if err := json.Unmarshal(data, &scores); err != nil {
			return nil, fmt.Errorf("want a JSON list of lists of numbers, one a layer: %w", err)
		}
	} else if scores, err = parseTable(string(data)); err != nil {
		return nil, err
	}
	if s.Layers > 0 && len(scores) != s.Layers {
		return nil, fmt.Errorf("it has %d layers, the model %d: it was made for another model", len(scores), s.Layers)
	}
	out := make([][]float32, len(scores))
	for l, layer := range scores {
		if s.Layers > 0 && len(layer) != s.KVHeads {
			return nil, fmt.Errorf("layer %d has %d heads, the model's %d KV heads: it was made for another model", l, len(layer), s.KVHeads)
		}
		for h, v := range layer {
			if v != v {
				return nil, fmt.Errorf("layer %d, head %d: no number", l, h)
			}
			out[l] = append(out[l], float32(min(max(v, 0), 1)))
		}
	}
	return out, nil
}

// parseTable reads lines of numbers between tabs.
func parseTable(text string) ([][]float64, error) {
	var table [][]float64
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var row []float64
		for j, field := range strings.Split(line, "\t") {
			v, err := strconv.ParseFloat(field, 64)
			if err != nil {
				return nil, fmt.Errorf("line %d, field %d: want a number, a tab between two: %w", i+1, j+1, err)
			}
			row = append(row, v)
		}
		table = append(table, row)
	}
	return table, nil
}
