package main

import (
	"strings"
	"testing"
	"testing/fstest"

	"scbench/kernels"
	"scbench/stages"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// TestAvailable reads what systems say: the free memory, or the tightest control group of either version.
func TestAvailable(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	info := file("MemTotal:       8000 kB\nMemAvailable:   4000 kB\n")
	for _, c := range []struct {
		name, from string
		root       fstest.MapFS
		want       int64
	}{
		{"nothing", "", fstest.MapFS{}, 0},
		{"no groups", "MemAvailable", fstest.MapFS{"proc/meminfo": info}, 4000 << 10},
		{"version 2, the parent is tighter, what it holds of files is not counted", "limit of the control group sys/fs/cgroup/a", fstest.MapFS{
			"proc/meminfo": info, "proc/self/cgroup": file("0::/a/b\n"),
			"sys/fs/cgroup/a/b/memory.max": file("max\n"), "sys/fs/cgroup/a/b/memory.current": file("1\n"),
			"sys/fs/cgroup/a/memory.max": file("1000000\n"), "sys/fs/cgroup/a/memory.current": file("600000\n"), "sys/fs/cgroup/a/memory.stat": file("anon 5\ninactive_file 100000\n"),
		}, 500000},
		{"version 1 without a limit", "MemAvailable", fstest.MapFS{
			"proc/meminfo": info, "proc/self/cgroup": file("5:cpu:/x\n4:memory:/x\n"),
			"sys/fs/cgroup/memory/memory.limit_in_bytes": file("9223372036854771712\n"), "sys/fs/cgroup/memory/memory.usage_in_bytes": file("7\n"),
		}, 4000 << 10},
		{"version 1 in a container, over its limit", "limit of the control group sys/fs/cgroup/memory", fstest.MapFS{
			"proc/meminfo": info, "proc/self/cgroup": file("4:memory:/docker/x\n"),
			"sys/fs/cgroup/memory/memory.limit_in_bytes": file("1000\n"), "sys/fs/cgroup/memory/memory.usage_in_bytes": file("3000\n"),
		}, 0},
	} {
		if got, from := available(c.root); got != c.want || from != c.from {
			t.Errorf("%s: %d by %q, want %d by %q", c.name, got, from, c.want, c.from)
		}
	}
}

// TestFits adds up the arithmetic of a refusal, and finds the longest context by it.
func TestFits(t *testing.T) {
	o, err := modelFlags{Memory: "1GiB", Precision: "f32"}.look()
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	rows := 1000
	free := 1<<30 - o.fixed(rows)
	if err := o.fits(free, rows); err != nil {
		t.Errorf("what fits to the byte is refused: %v", err)
	}
	if err := o.fits(free+1, rows); err == nil || !strings.Contains(err.Error(), "are needed") || !strings.Contains(err.Error(), "1.00 GiB are there (--memory)") {
		t.Errorf("a byte too many: %v", err)
	}
	if limit, err := o.kvLimit("", 5, rows); err != nil || limit != free/2 {
		t.Errorf("limit %d, %v; want half of %d", limit, err, free)
	}
	if limit, err := o.kvLimit("", free-7, rows); err != nil || limit != free-7 {
		t.Errorf("limit %d, %v; want what the plan needs, %d", limit, err, free-7)
	}
	if limit, err := o.kvLimit("3MiB", free, rows); err != nil || limit != 3<<20 {
		t.Errorf("limit %d, %v; want what was asked for", limit, err)
	}
	r := stages.Room{Shape: o.Shape(), Store: kv.NewStore(nil, kernels.PageF32, o.Shape().Dim, 0)}
	room := o.fixed(4097) + r.Prompt(&engine.Policy{}, 4097)
	if n := r.Longest(&engine.Policy{}, room, 1<<20, o.fixed); n < 4097 || o.fixed(n)+r.Prompt(&engine.Policy{}, n) > room || o.fixed(n+1)+r.Prompt(&engine.Policy{}, n+1) <= room {
		t.Errorf("%d tokens are said to be the most that fit where 4097 do", n)
	}
	if n := r.Longest(&engine.Policy{}, 10, 100, o.fixed); n != 0 {
		t.Errorf("%d tokens fit in ten bytes", n)
	}
}
