package datasets

import (
	"fmt"
	"strings"
)

// All lists the tasks in the order of the paper's table 2, and after them the extra ones. A task that is not here does not exist.
var All = []Task{
	KV,
	PrefixSuffix,
	VT,
	RepoQA,
	QAEng,
	QAChn,
	ChoiceEng,
	MF,
	ManyShot,
	Summary,
	SummaryWithNeedles,
	RepoQAAndKV,
	PassKey,
	KVCompressible,
	HashHop,
}

// Find returns the task of that name. The published configuration's name is accepted too: "kv", "scbench_kv", "prefix_suffix".
// The error lists the names there are.
func Find(name string) (Task, error) {
	plain := strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(name), "scbench_"), "_", "")
	for _, t := range All {
		if t.Name == plain {
			return t, nil
		}
	}
	names := make([]string, len(All))
	for i, t := range All {
		names[i] = t.Name
	}
	return Task{}, fmt.Errorf("no task is named %q; the tasks are %s", name, strings.Join(names, ", "))
}
