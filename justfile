# Every recipe is one line over go: nothing here is needed to build, test or run.

# all that CI checks, without the benchmarks
check:
    gofmt -l . | (! grep .) && go vet ./... && go test ./...

test:
    go test ./...

# kernels and the embedded model; compare two runs with benchstat
bench:
    go test ./kernels ./stages/models -run '^$' -bench .

# the main job: embedded model, small data, offline
run *flags:
    go run ./cmd/scbench run {{flags}}

list *what:
    go run ./cmd/scbench list {{what}}

race:
    go test -race ./pipeline ./stages/kv ./stages/engine ./stages ./cmd/...
