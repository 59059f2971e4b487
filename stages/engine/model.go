package engine

import "context"

// Shape is the sizes of a model that the cache and the methods depend on.
type Shape struct {
	Layers    int // attention layers: the cache and the methods know no others; 0 for a model that is recurrent throughout
	Heads     int // query heads
	KVHeads   int
	Dim       int // numbers of one head
	Hidden    int // width of the residual stream
	Vocab     int
	MaxTokens int // longest context the model was made for
	// TokenBytes is what one token takes in the cache, all layers and KV heads together: what budgets in bytes are divided by.
	TokenBytes int64
	// State is how many float32 the recurrent layers of the model, all together, remember of a conversation of any length; 0: it has none.
	State int
	// Sliding is for each layer how many of the last tokens a row reads, by their positions and its own included; 0: all. nil: all layers
	// read all. What methods choose is narrowed to that; a row of which nothing is left reads its own token. The cache keeps all tokens.
	Sliding []int
	// Softcap, if above 0, is a soft bound c of attention scores: s becomes c·tanh(s/c) before the softmax. Methods that estimate scores
	// on their own do so without it.
	Softcap float32
	// LengthDependent says that RoPE's frequencies depend on the length of the conversation: see Session.RopeLength.
	LengthDependent bool
	// Rotate turns vectors x [len(from), Dim] of the model's queries or keys, each from the position that RoPE has turned it to, to
	// another. length is that of the conversation, for a RoPE that depends on it. nil: the model has no rotary embedding, and vectors
	// are the same at all positions.
	Rotate func(x []float32, from, to []int32, length int)
}

// Group is the number of query heads that share a KV head.
func (s Shape) Group() int { return s.Heads / s.KVHeads }

// StateBytes is the memory of the state of a conversation.
func (s Shape) StateBytes() int64 { return 4 * int64(s.State) }

// sliding is the window of a layer; 0: none.
func (s Shape) sliding(layer int) int {
	if s.Sliding == nil {
		return 0
	}
	return s.Sliding[layer]
}

// cells is how many query-key products full attention of all layers computes for the tokens [lo, hi) of a conversation.
func (s Shape) cells(lo, hi int64) (n int64) {
	triangle := func(n int64) int64 { return n * (n + 1) / 2 }
	for l := range s.Layers {
		w := int64(s.sliding(l))
		if w == 0 {
			w = hi
		}
		inside := func(n int64) int64 { return triangle(min(n, w)) + max(n-w, 0)*w }
		n += inside(hi) - inside(lo)
	}
	return n * int64(s.Heads)
}

// Model computes. It keeps nothing of a conversation: that is the Session's.
type Model interface {
	Shape() Shape
	// Forward appends each chunk's tokens to its session and writes the logits asked for. The chunks are one
	// ragged batch: weights are read once for all. No session may occur twice. It looks at ctx between layers;
	// after an error the sessions of the batch must be released. Not safe for concurrent use: see Engine.
	Forward(ctx context.Context, batch []Chunk) error
}

// Chunk is the next tokens of one session.
type Chunk struct {
	Session *Session
	Tokens  []int32 // at least one
	// Logits receives the logits of the last rows, [len(Logits)/Vocab, Vocab]; nil: none.
	Logits []float32
	// Blend, if set, says that the session is put together from chunks: see Engine.Blend.
	Blend *Blend
	// Hidden, if set, sees the residual stream [len(Tokens), Hidden]: for layer 0 the embeddings, for i the
	// output of layer i (counted from 1, all kinds of layers), and last, for one more than there are, the output of the final norm.
	Hidden func(layer int, x []float32)
}
