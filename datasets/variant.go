package datasets

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/zeebo/blake3"
)

// Variant says how the turns of examples are asked otherwise than they stand in the data. The zero value asks them as they stand.
type Variant struct {
	Turns   int     // only the first that many; 0: all
	Shuffle *uint64 // in an order drawn with this seed, for each example its own; nil: in their order
	Repeat  bool    // and the question that was asked first once more, as the last turn: what has become of what the method knew?
}

// Order is the turns of e that are asked, by their places in e, in the order of asking: a function of v, the example's task and id, and its
// number of turns.
func (v Variant) Order(e Example) []int {
	n := len(e.Turns)
	if v.Turns > 0 {
		n = min(n, v.Turns)
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	if v.Shuffle != nil {
		h := blake3.New()
		fmt.Fprintf(h, "scbench order\n%d\n%q\n%q\n", *v.Shuffle, e.Task, e.ID)
		sum := h.Sum(nil)
		r := rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum), binary.LittleEndian.Uint64(sum[8:])))
		r.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	if v.Repeat && n > 0 {
		order = append(order, order[0])
	}
	return order
}

// Of is e with its turns as v asks them. It shares their texts with e.
func (v Variant) Of(e Example) Example {
	turns := make([]Turn, 0, len(e.Turns)+1)
	for _, i := range v.Order(e) {
		t := e.Turns[i]
		t.Question = e.Place(i)
		turns = append(turns, t)
	}
	e.Turns = slices.Clip(turns)
	return e
}
