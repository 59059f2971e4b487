// Package methods has the long-context methods, one file each, named as in the paper's table. A method is a value
// that makes an engine.Policy: functions that say which keys to read or keep, which the engine carries out.
package methods

import "scbench/stages/engine"

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
	&SnapKV,
	&H2O,
	&ExpectedAttention,
	&KVzip,
	&DuoAttention,
	&ThinK,
	&KIVI,
	&Quest,
}

// Parse makes the policy of a specification such as "snapkv:budget=1/8,window=32" or "ashape+quest".
func Parse(spec string, s engine.Shape) (engine.Policy, error) { return engine.Parse(spec, All, s) }
