// Package engine runs conversations on a model and carries out what methods decide.
//
// A Session is one conversation: its tokens and, per attention layer, a kv.Layer. Its life follows the cache:
//
//	generation   Forward on the first prompt; Policy.Generate says which keys each row reads, Policy.Observe who watches
//	compression  Engine.Settle: Policy.Compress or Revise says which tokens stay, Policy.Quantise in which format, and
//	             Policy.Index builds what Load searches
//	retrieval    Session.Fork: what has been computed is shared by all branches
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
// # How CacheBlend will fit
//
// Written before the contract set, to see what the fourth kind of method needs of it. Retrieve will be a Policy field that, given a
// prompt, names cached sessions and the positions where their tokens go, and after the check layer chooses the rows to compute
// afresh. What is there for it: kv.Layer.Append takes positions, and pages record them, so that a chunk's keys can be
// stored where they belong; a Step keeps the position of a row apart from its slot; pass one has the fresh values of a layer in hand
// before pass two computes a query, which is when rows are chosen; slots are in order of position, so that the causal rule by slot is the rule
// by position. What it will have to add, in the engine and not in the methods: a Chunk whose rows are given slots instead of new
// ones (with copy on write of the pages they fall into), a Step.Select between the passes that goes on with some rows, and a
// Model that rotates stored keys from one position to another. Policies that set Retrieve and Generate compose: Generate plans
// whichever rows are computed.
package engine
