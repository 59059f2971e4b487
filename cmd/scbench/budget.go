package main

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"scbench/pipeline"
	"scbench/stages"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// programBytes is about what the program takes beside a model: its own pages, a tokenizer, rows of results.
const programBytes = 96 << 20

// fallbackMemory is what a run may use for KV caches where the system does not say how much is free.
const fallbackMemory = 4 << 30

// load plans the run from its prompts, reads the weights if they and the caches fit, and makes the job and the store of its caches.
func (r *runCommand) load(o *opened, policies []engine.Policy, sets sources, mem *kv.OffHeap) (*stages.Job, *kv.Store, error) {
	job, err := r.job(o, policies)
	if err != nil {
		return nil, nil, err
	}
	if err := job.Prompter.Check(job.History); err != nil {
		return nil, nil, err
	}
	peak, longest, err := job.Peak(sets.work(r, job, nil))
	if err != nil {
		return nil, nil, err
	}
	limit, err := o.kvLimit(r.KVMemory, peak, longest)
	if err != nil {
		return nil, nil, err
	}
	if err := o.load(min(peak, limit), longest); err != nil {
		return nil, nil, err
	}
	o.planned = o.arithmetic(min(peak, limit), longest)
	store := kv.NewStore(mem, o.PageFormat(), o.Shape().Dim, limit+slack)
	job.Engine.Model, job.Engine.Store, job.Budget = o.Model, store, pipeline.NewBudget(limit)
	job.Base.WeightsHash = o.weights
	return job, store, nil
}

// fits refuses a model that would pass over rows tokens at once, with a KV cache of some bytes, if that is more memory than there is. The
// error is the arithmetic. Where the system does not say how much there is, everything fits.
func (o *opened) fits(cache int64, rows int) error {
	room, from, err := o.flags.memory()
	if err != nil || room == 0 || o.fixed(rows)+cache <= room {
		return err
	}
	return fmt.Errorf("%s; %s are there (%s): take shorter contexts, fewer methods, a smaller --kv-memory or a smaller model, or raise the limit with --memory",
		o.arithmetic(cache, rows), bytesText(room), from)
}

// arithmetic says what memory is needed, and for what.
func (o *opened) arithmetic(cache int64, rows int) string {
	m := o.outline.Memory
	return fmt.Sprintf("%s of memory are needed: %s of weights packed for %s products + %s of embeddings + %s of vectors + %s of KV cache + %s for passes over %d tokens + %s for the program",
		bytesText(o.fixed(rows)+cache), bytesText(m.Packed), o.outline.Precision, bytesText(m.Mapped), bytesText(m.Values), bytesText(cache), bytesText(o.outline.Scratch(rows)), rows, bytesText(programBytes))
}

// fixed is what all but the KV cache takes.
func (o *opened) fixed(rows int) int64 {
	return o.outline.Memory.Sum() + o.outline.Scratch(rows) + programBytes
}

// kvLimit is the most bytes that KV caches of a run may take whose longest prompt has rows tokens and whose examples need up to peak bytes:
// what was asked for; else half of what the rest leaves, or peak, if that is more.
func (o *opened) kvLimit(asked string, peak int64, rows int) (int64, error) {
	if asked != "" {
		n, err := parseBytes(asked)
		if err != nil {
			return 0, fmt.Errorf("--kv-memory: %w", err)
		}
		return n, nil
	}
	room, _, err := o.flags.memory()
	if err != nil {
		return 0, err
	}
	if room == 0 {
		return max(fallbackMemory, peak), nil
	}
	return max((room-o.fixed(rows))/2, peak), nil
}

// memory is how much a command may take, and who says so: --memory, or what the system has, 0 if it does not say.
func (f modelFlags) memory() (bytes int64, from string, err error) {
	if f.Memory != "" {
		if bytes, err = parseBytes(f.Memory); err != nil {
			return 0, "", fmt.Errorf("--memory: %w", err)
		}
		return bytes, "--memory", nil
	}
	bytes, from = available(os.DirFS("/"))
	return bytes, from, nil
}

// available is how much memory the system says can be used, and by what: MemAvailable, or less where a control group has a limit; 0 where
// nothing is known. root is the root of the file system.
func available(root fs.FS) (bytes int64, from string) {
	if bytes = memInfoOf(root, "MemAvailable"); bytes > 0 {
		from = "MemAvailable"
	}
	for _, group := range cgroups(root) {
		if n, ok := group.free(root); ok && (n < bytes || from == "") {
			bytes, from = n, "limit of the control group "+group.dir
		}
	}
	return bytes, from
}

// cgroup is a folder of a control group with the files of its version.
type cgroup struct{ dir, limit, usage, cache string }

// cgroups lists the control groups of the process, of either version, and those above them.
func cgroups(root fs.FS) (list []cgroup) {
	b, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(b)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		g := cgroup{"sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"}
		switch parts[1] {
		case "":
		case "memory":
			g = cgroup{"sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"}
		default:
			continue
		}
		base := g.dir
		for at := path.Clean("/" + parts[2]); ; at = path.Dir(at) {
			g.dir = path.Join(base, at)
			list = append(list, g)
			if at == "/" {
				break
			}
		}
	}
	return list
}

// free is what is left of the group's limit; what it holds of files can be given back. It is false where there is no limit.
func (g cgroup) free(root fs.FS) (int64, bool) {
	limit, ok := number(root, path.Join(g.dir, g.limit))
	if !ok || limit >= 1<<60 { // version 1 writes a huge number for none
		return 0, false
	}
	usage, ok := number(root, path.Join(g.dir, g.usage))
	if !ok {
		return 0, false
	}
	stat, _ := fs.ReadFile(root, path.Join(g.dir, "memory.stat"))
	for line := range strings.Lines(string(stat)) {
		if name, v, _ := strings.Cut(strings.TrimSpace(line), " "); name == g.cache {
			n, _ := strconv.ParseInt(v, 10, 64)
			usage -= n
		}
	}
	return max(limit-max(usage, 0), 0), true
}

// number reads a file that is a number.
func number(root fs.FS, name string) (int64, bool) {
	b, err := fs.ReadFile(root, name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return n, err == nil
}
