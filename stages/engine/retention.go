package engine

import "scbench/kernels"

// Retention says which tokens the session still holds: heads[layer·KVHeads+h] is the number that a head of a layer holds, and
// places[layer·parts+b] the number that all heads of a layer together hold of part b, which are the positions p with
// ⌊p·parts/len(Tokens)⌋ = b. Both are nil for a model without attention layers or a session without tokens.
func (s *Session) Retention(parts int) (heads, places []int32) {
	n := len(s.Tokens)
	if n == 0 {
		return nil, nil
	}
	for _, l := range s.Layers {
		row := make([]int32, parts)
		for h := range l.Heads() {
			slots := l.Slots(h)
			heads = append(heads, int32(slots))
			for from := 0; from < slots; from += kernels.PageTokens {
				for _, pos := range l.Page(h, from/kernels.PageTokens).Pos[:min(kernels.PageTokens, slots-from)] {
					row[min(max(int(pos), 0), n-1)*parts/n]++
				}
			}
		}
		places = append(places, row...)
	}
	return heads, places
}
