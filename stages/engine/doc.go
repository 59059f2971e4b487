// Package engine runs conversations on a model and carries out what methods decide.
//
// A Session is one conversation: its tokens and, per attention layer, a kv.Layer. Its life follows the cache:
//
//	generation   Forward on the first prompt; Policy.Generate says which keys each row reads
//	compression  Session.Settle: Policy.Compress says which tokens stay, Policy.Index builds what Load searches
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
// # How CacheBlend fits
//
// Written down before the contract set, so that the fourth kind of method needs no change to it. Chunks of a
// prompt are prefilled alone, each a Session of its own. Retrieve will be a Policy field that, given a session and a
// prompt, names cached sessions and the positions where their tokens go, and says layer by layer which rows to
// compute afresh. The engine then (1) appends the cached pages of each chunk with keys rotated by the difference of
// positions: kv.Layer.Append already takes explicit positions, and a page records them; (2) runs Forward on the
// selected rows only: a Step already keeps for every row its position apart from its slot, so a chunk with row
// numbers is a batch whose rows write into given slots instead of new ones; (3) chooses rows by the deviation of the
// values after the check layer, which pass one of that layer has in hand before pass two computes any query; (4)
// masks by position: rows see the slots up to their own, and slots are in order of position. Policies that set
// Retrieve and Generate compose, since Generate is asked for the plan of whichever rows are computed.
package engine
