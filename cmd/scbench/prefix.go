package main

import (
	"errors"
	"fmt"

	"scbench/stages"
	"scbench/stages/prefix"
)

// prefixCache opens the cache of prompts that was asked for, or none.
func (r *runCommand) prefixCache(j *stages.Job) (*prefix.Cache, error) {
	var memory int64
	if r.PrefixMemory != "" {
		var err error
		if memory, err = parseBytes(r.PrefixMemory); err != nil {
			return nil, fmt.Errorf("--prefix-memory: %w", err)
		}
	}
	limit := int64(20 << 30)
	if r.PrefixLimit != "" {
		var err error
		if limit, err = parseBytes(r.PrefixLimit); err != nil {
			return nil, fmt.Errorf("--prefix-limit: %w", err)
		}
		if r.PrefixCache == "" {
			return nil, errors.New("--prefix-limit: it is for the folder of --prefix-cache, which is not given")
		}
	}
	if r.PrefixCache == "" && memory == 0 {
		return nil, nil
	}
	tag := fmt.Sprintf("weights=%s kernels=%s precision=%s pages=%s build=%s", j.Base.WeightsHash, j.Base.KernelTier, j.Base.Precision, j.Engine.Store.Format(), j.Base.Build)
	return prefix.New(tag, memory, r.PrefixCache, limit)
}
