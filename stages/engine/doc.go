// Package engine runs conversations on a model and carries out what methods decide.
//
// A Session is one conversation: its tokens and, per attention layer, a kv.Layer. Its life follows the cache:
//
//	generation   Forward on the first prompt; Policy.Generate says which keys each row reads, Policy.Observe who watches
//	compression  Engine.Settle: Policy.Compress or Revise says which tokens stay, Policy.Quantise in which format, and
//	             Policy.Index builds what Load searches
//	retrieval    Session.Fork: what has been computed is shared by all branches; Policy.Retrieve puts a context together from chunks
//	loading      Forward afterwards; Policy.Load says which of the stored keys a row reads
//
// A method is a plan: the functions of its Policy return decisions, and this package alone carries them out,
// so that causality, grouped heads, online softmax, paging and accounting exist once. Policies keep no state;
// what a method remembers of a conversation lives in the kv.Layer, where Fork finds it.
//
// # Sparse attention runs in the first prompt only
//
// As in the published harness, Generate shapes the first prompt; follow-up prompts and answers are dense over
// whatever is stored, unless Load says otherwise.
//
// # Contexts put together from chunks
//
// CacheBlend's Policy.Retrieve says how a context is cut into chunks and, after a check layer, which rows to compute afresh. Engine.Blend
// is given the chunks, sessions of their own, and runs one pass over the context: the rows up to the check layer are as ever; there
// Step.Select narrows the pass to the rows chosen, and the model drops the others; from then on Step.Append, given the keys and values of
// those rows, puts the chunks' between them, turned to their positions. So pages are written once and in order of position, the causal
// rule by slot stays the rule by position, and a model needs to know no more than that rows may become fewer. What the context is
// followed by is computed as ever. Retrieve and Generate do not compose: each decides how the first prompt is computed.
//
// # Sliding windows and soft bounds
//
// Layers of some models read the last tokens only (Shape.Sliding), and some bound their scores softly (Shape.Softcap). Both are the model's
// and not a method's: what a policy chooses is narrowed to the window, by positions, in the first prompt and after it, and costs are
// counted against what full attention of that model reads. Methods see the whole cache and estimate scores without window and bound, so in
// a layer with a window they may spend their budget on tokens that are out of it.
package engine
