// Package kv stores the keys and values of conversations in pages that branches share.
//
//	Store   all memory: slabs of at least 1 MiB from an Arrow allocator, cut into pages
//	Page    kernels.PageTokens slots of one KV head: keys and values in the kernels' format, original positions
//	Layer   one attention layer of one conversation: a list of pages per KV head
//	arena   the pages that one layer wrote itself, counted by reference; Fork shares it
//
// A page is written slot by slot and never rewritten, so a full page (sealed) is shared between branches
// without copying. The last, partly filled page belongs to the layer that wrote it; a branch that wants to
// append copies that page first (copy on write). Fork therefore costs a few words a head.
//
// Keys are stored after RoPE, in the order in which attention reads them (slot order). Slots of an
// uncompressed layer are positions; a compressed layer keeps its tokens in ascending position, and Pos of a
// page tells where each came from. Heads of one layer may hold different numbers of tokens.
package kv
