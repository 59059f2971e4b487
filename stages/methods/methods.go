// Package methods has the long-context methods, one file each, named as in the paper's table. A method is a value
// that makes an engine.Policy: functions that say which keys to read or keep, which the engine carries out.
package methods

import (
	"slices"

	"scbench/stages/engine"
)

// All is every method, in the order of the paper's table: the baseline, then by the stage of the cache they work on.
var All = []*engine.Method{
	&Full,
	&AShape,
	&TriShape,
	&MInference,
	&FlexPrefill,
	&XAttention,
	&TriangleMix,
	&StreamingLLM,
	&LLMLingua2,
	&SnapKV,
	&PyramidKV,
	&AdaKV,
	&TOVA,
	&H2O,
	&ExpectedAttention,
	&KVzip,
	&DuoAttention,
	&ThinK,
	&KIVI,
	&CacheBlend,
	&Quest,
	&RetrievalAttention,
	&InfLLM,
	&ShadowKV,
}

// Parse makes the policy of a specification such as "snapkv:budget=1/8,window=32" or "ashape+quest". It refuses llmlingua2, which asks a
// model of its own: see ParseWith.
func Parse(spec string, s engine.Shape) (engine.Policy, error) { return ParseWith(spec, s, Encoders{}) }

// ParseWith is Parse with models for llmlingua2.
func ParseWith(spec string, s engine.Shape, e Encoders) (engine.Policy, error) {
	all := slices.Clone(All)
	lingua := LLMLingua2
	lingua.New = func(_ engine.Shape, a engine.Args) (engine.Policy, error) { return newLLMLingua2(a, e) }
	all[slices.Index(all, &LLMLingua2)] = &lingua
	return engine.Parse(spec, all, s)
}
