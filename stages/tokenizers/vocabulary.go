package tokenizers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// vocabulary is a JSON object from tokens to ids, each of which may occur once.
type vocabulary struct {
	ids  map[string]int32
	text []string // by id
}

func (v *vocabulary) size() int        { return len(v.ids) }
func (v *vocabulary) tokens() []string { return v.text }
func (v *vocabulary) id(token string) (int32, bool) {
	id, ok := v.ids[token]
	return id, ok
}

// UnmarshalJSON checks what a map would lose: tokens and ids that occur twice, and ids far beyond the number of tokens.
func (v *vocabulary) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return errors.New("vocab: must be an object from tokens to ids")
	}
	v.ids = map[string]int32{}
	largest := int32(-1)
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return fmt.Errorf("vocab: %w", err)
		}
		var id int32
		if err := d.Decode(&id); err != nil {
			return fmt.Errorf("vocab[%q]: the id must be an integer below 2^31: %w", key, err)
		}
		text := key.(string)
		if _, twice := v.ids[text]; twice {
			return fmt.Errorf("vocab[%q]: occurs twice", text)
		}
		if id < 0 {
			return fmt.Errorf("vocab[%q]: id %d is negative", text, id)
		}
		v.ids[text] = id
		largest = max(largest, id)
	}
	if limit := 2*len(v.ids) + 1<<16; int(largest) >= limit {
		return fmt.Errorf("vocab: id %d is out of range; %d tokens may have ids below %d", largest, len(v.ids), limit)
	}
	return v.index(largest)
}

func (v *vocabulary) index(largest int32) error {
	v.text = make([]string, largest+1)
	taken := make([]bool, largest+1)
	var twice []int32
	for text, id := range v.ids {
		if taken[id] {
			twice = append(twice, id)
		}
		taken[id] = true
		v.text[id] = text
	}
	if len(twice) == 0 {
		return nil
	}
	id := twice[0]
	for _, other := range twice {
		id = min(id, other)
	}
	return fmt.Errorf("vocab: id %d belongs to more than one token", id)
}

// merge is a pair of tokens that one token stands for.
type merge struct{ left, right string }

// mergeList are merges in the order of training, each "left right" or ["left", "right"] in the file.
type mergeList []merge

// UnmarshalJSON reads the merges one by one, so that reading takes little more memory than they do.
func (l *mergeList) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if open, err := d.Token(); err != nil || open != json.Delim('[') && open != nil {
		return errors.New("merges: must be a list")
	} else if open == nil {
		return nil
	}
	for i := 0; d.More(); i++ {
		m, err := nextMerge(d)
		if err != nil {
			return fmt.Errorf("merges[%d]: %w", i, err)
		}
		if i == 0 && strings.HasPrefix(m.left, "#version") {
			continue
		}
		*l = append(*l, m)
	}
	return nil
}

// nextMerge reads one merge.
func nextMerge(d *json.Decoder) (merge, error) {
	first, err := d.Token()
	if err != nil {
		return merge{}, err
	}
	if text, ok := first.(string); ok {
		return splitMerge(text)
	}
	if first != json.Delim('[') {
		return merge{}, fmt.Errorf("%v: a merge is a text or a list of two", first)
	}
	var parts []string
	for d.More() {
		var part string
		if err := d.Decode(&part); err != nil {
			return merge{}, err
		}
		if parts = append(parts, part); len(parts) > 2 {
			break
		}
	}
	if len(parts) != 2 {
		return merge{}, fmt.Errorf("%q: a merge has two parts", parts)
	}
	_, err = d.Token() // the end of the list
	return merge{parts[0], parts[1]}, err
}

// splitMerge reads "left right".
func splitMerge(s string) (merge, error) {
	left, right, ok := strings.Cut(s, " ")
	if !ok || strings.Contains(right, " ") {
		return merge{}, fmt.Errorf("%q: a merge has two parts, with one space between", s)
	}
	return merge{left, right}, nil
}

// pairs makes the table of the merges; their ranks are their places in the list.
func (v *vocabulary) pairs(merges []merge, field string) (pairTable, error) {
	pairs := newPairTable(len(merges))
	for i, m := range merges {
		var ids [3]int32
		for k, text := range []string{m.left, m.right, m.left + m.right} {
			id, ok := v.ids[text]
			if !ok {
				return pairs, fmt.Errorf("%s.merges[%d]: merges %q and %q, but %q is not in %s.vocab; vocabulary and merges are not of one model", field, i, m.left, m.right, text, field)
			}
			ids[k] = id
		}
		pairs.put(ids[0], ids[1], uint32(i), ids[2])
	}
	return pairs, nil
}
