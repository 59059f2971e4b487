package main

import (
	"fmt"
	"strings"

	"scbench/datasets"
)

// What a run covers that is not told otherwise: the tasks of the paper, and each method that needs nothing but the model, with settings that
// keep or read about a quarter of the contexts of the mini profile.

// suiteTurns is how many questions of each context the suite asks: as many as every task has, so that a mean over tasks is one of the same tasks
// at every turn.
const suiteTurns = 4

// suiteTasks are the paper's twelve.
func suiteTasks() (names []string) {
	for _, t := range datasets.All {
		if t.Paper != datasets.Extra {
			names = append(names, t.Name)
		}
	}
	return names
}

// suiteMethods are in the order of methods.All.
var suiteMethods = []string{
	"full",
	"ashape:init=16,local=240",
	"trishape:init=16,local=240,last=32",
	"minference:vertical=64,slash=128",
	"flexprefill:block=64",
	"xattention:block=64",
	"trianglemix:init=16,local=112,last=32",
	"streamingllm:init=16,local=240",
	"snapkv:budget=256",
	"pyramidkv:budget=256",
	"adakv:budget=256",
	"tova:budget=256",
	"h2o:budget=256",
	"expectedattention:budget=256",
	"kvzip:budget=256",
	"duoattention:sinks=16,recent=112",
	"think:recent=32",
	"kivi:bits=2|4",
	"cacheblend:chunk=128",
	"quest:budget=256",
	"retrievalattention:sinks=16,window=112,topk=128,index=flat",
	"infllm:block=16,init=16,local=112,topk=8",
	"shadowkv:budget=128,outliers=8",
}

// leftOut are the methods that the suite lacks, and why.
var leftOut = []struct{ method, why string }{
	{"llmlingua2", "it needs an encoder: -m llmlingua2:model=DIR"},
}

// leftOutNote says what the suite lacks.
func leftOutNote() string {
	var all []string
	for _, l := range leftOut {
		all = append(all, fmt.Sprintf("%s (%s)", l.method, l.why))
	}
	return "methods that a run does not have of itself: " + strings.Join(all, "; ")
}

// suite fills in what was not asked for.
func (r *runCommand) suite() {
	if len(r.Task) == 0 && len(r.Data) == 0 {
		r.Task = suiteTasks()
		if r.Turns == 0 {
			r.Turns = suiteTurns
		}
	}
	if r.Profile == "" {
		r.Profile = "mini"
	}
	if r.Seed == nil {
		seed := uint64(7)
		r.Seed = &seed
	}
}
