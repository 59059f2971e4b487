package datasets

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestBuildIsDeterministic(t *testing.T) {
	dir := t.TempDir()
	var first []byte
	for i, workers := range []int{1, 2, 8, 1} {
		path := filepath.Join(dir, strings.Repeat("x", i+1)+".parquet")
		p, err := Build(context.Background(), fake, BuildOptions{Profile: "1k", Seed: 7, Examples: 300, Workers: workers}, path)
		if err != nil {
			t.Fatal(err)
		}
		if p.Rows != 300 || p.Seed != 7 || p.Profile != "1k" || p.Task != "fake" {
			t.Errorf("%+v", p)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b
		}
		if !bytes.Equal(b, first) {
			t.Errorf("%d workers: other bytes", workers)
		}
	}
}

// TestBuildPrefix checks that an example does not depend on how many are built, and does depend on seed and profile.
func TestBuildPrefix(t *testing.T) {
	build := func(o BuildOptions) []Row {
		t.Helper()
		seq, err := Generate(context.Background(), fake, o)
		if err != nil {
			t.Fatal(err)
		}
		var rows []Row
		for r, err := range seq {
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, r)
		}
		return rows
	}
	long := build(BuildOptions{Profile: "1k", Examples: 9, Seed: 1})
	short := build(BuildOptions{Profile: "1k", Examples: 4, Seed: 1})
	if d := cmp.Diff(long[:4], short); d != "" {
		t.Error(d)
	}
	if long[3].Example.ID != "fake-000003" || long[3].Example.Task != "fake" || long[3].Index != 3 {
		t.Errorf("%+v", long[3])
	}
	if want := (len(long[3].Example.Context) + 3) / 4; long[3].Tokens != want {
		t.Errorf("%d tokens, want %d", long[3].Tokens, want)
	}
	for _, o := range []BuildOptions{{Profile: "1k", Examples: 1, Seed: 2}, {Profile: "2k", Examples: 1, Seed: 1}} {
		if other := build(o); other[0].Example.Context[:20] == long[0].Example.Context[:20] {
			t.Errorf("%+v gives the same example", o)
		}
	}
	if mini := build(BuildOptions{Profile: "mini", Examples: 1}); mini[0].Example.Profile != MiniProfile {
		t.Error("the mini profile does not use Task.Mini")
	}
	plain := fake
	plain.Mini = nil
	rows, err := Generate(context.Background(), plain, BuildOptions{Profile: "mini", Examples: 1})
	if err != nil {
		t.Fatal(err)
	}
	for row, err := range rows {
		if err != nil || row.Example.Profile == MiniProfile || len(row.Example.Context) < 3000 {
			t.Errorf("%v, profile %q; a task without Mini has its published format in the mini profile", err, row.Example.Profile)
		}
	}
}

func TestBuildErrors(t *testing.T) {
	failing := fake
	failing.Build = func(r *rand.Rand, s Size) (Example, error) { return Example{}, errors.New("no words left") }
	panicking := fake
	panicking.Build = func(r *rand.Rand, s Size) (Example, error) { panic("shape") }
	imported := Task{Name: "qaeng"}
	for _, c := range []struct {
		task Task
		o    BuildOptions
		want string
	}{
		{fake, BuildOptions{Profile: "3k", Examples: 1}, `no profile "3k"`},
		{fake, BuildOptions{Profile: "1k"}, "at least 1"},
		{fake, BuildOptions{Profile: "1k", Examples: 1, Turns: -1}, "turns"},
		{imported, BuildOptions{Profile: "1k", Examples: 1}, "import the published data"},
		{failing, BuildOptions{Profile: "1k", Examples: 3}, "build fake-000000: no words left"},
		{panicking, BuildOptions{Profile: "1k", Examples: 3}, "build fake-000000: the builder panicked: shape"},
	} {
		dir := t.TempDir()
		_, err := Build(context.Background(), c.task, c.o, filepath.Join(dir, "s.parquet"))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("want %q, have %v", c.want, err)
		}
		wantEmpty(t, dir)
	}
}

func TestBuildCancelled(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	var made atomic.Int32
	slow := fake
	slow.Build = func(r *rand.Rand, s Size) (Example, error) {
		if made.Add(1) == 40 {
			cancel()
		}
		return fake.Build(r, s)
	}
	_, err := Build(ctx, slow, BuildOptions{Profile: "1k", Examples: 1 << 30, Workers: 4}, filepath.Join(dir, "s.parquet"))
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	wantEmpty(t, dir)
}

// TestInOrderStops checks that a consumer that walks away leaves no goroutine, and that no more than workers run ahead.
func TestInOrderStops(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	var started atomic.Int32
	for i := range inOrder(context.Background(), 1000, 3, func(i int) (int, error) { started.Add(1); return i, nil }) {
		if ahead := int(started.Load()) - i; ahead > 5 {
			t.Errorf("%d are ahead", ahead)
		}
		if i == 10 {
			break
		}
	}
	n := 0
	for i, err := range inOrder(context.Background(), 100, 7, func(i int) (int, error) { return i * i, nil }) {
		if i != n*n || err != nil {
			t.Fatal(i, n, err)
		}
		n++
	}
	if n != 100 {
		t.Error(n)
	}
}

func TestProfiles(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Profiles {
		if seen[p.Name] || p.Mini != strings.HasPrefix(p.Name, "mini") || (p.Tokens == 0) != (p.Name == "published") {
			t.Errorf("%+v", p)
		}
		seen[p.Name] = true
	}
}
