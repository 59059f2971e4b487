// Command scbench measures what long-context methods do to a language model's answers, to memory and to time, over
// the whole life of a KV cache that many requests share.
//
// Exit codes: 0, done; 2, something given or found is wrong, and the message says what; 130, interrupted, with the finished
// rows kept.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"scbench/kernels"
	"scbench/outputs"
)

// build is the version that results record; releases set it with -ldflags "-X main.build=…".
var build = "dev"

// errInterrupted ends a run that the user stopped.
var errInterrupted = errors.New("interrupted")

// commands is the command line.
type commands struct {
	Run      runCommand      `cmd:"" help:"Run the benchmark. Without flags: the embedded model on small contexts of twelve tasks, offline, in little over a minute on two cores."`
	List     listCommand     `cmd:"" help:"List tasks, methods, profiles, models and result columns."`
	Show     showRunCommand  `cmd:"" help:"Print the table of a run again."`
	Report   reportCommand   `cmd:"" help:"Draw runs as one HTML page that needs nothing else, and as figures (SVG) and tables (CSV, Markdown, LaTeX)."`
	Top      topCommand      `cmd:"" help:"Watch a run that another process is at, here or on a shared file system."`
	Compare  compareCommand  `cmd:"" help:"Compare two runs, or the methods of one, on the queries they share: intervals, tests, and what the design could have seen."`
	Findings findingsCommand `cmd:"" help:"Check the paper's claims T1 to T14 on a run: each holds, fails, or lacks power or measurements, with effect and interval."`
	Export   exportCommand   `cmd:"" help:"Copy the rows of runs to a folder partitioned by task, mode and method, for other tools."`
	Budget   budgetCommand   `cmd:"" help:"Compare methods at equal measured bytes: sweeps of a run, interpolated, and the area under their curves."`
	Gate     gateCommand     `cmd:"" help:"Pass or fail a run against a baseline, for CI: exit code 0 pass, 1 regression, 3 not enough power, 4 too many failures."`
	Score    scoreCommand    `cmd:"" help:"Score the answers of a finished run again, or those that the reference implementation wrote, without a model."`
	Datasets datasetsCommand `cmd:"" help:"Build, import, verify and show prepared data sets."`
	Bench    benchCommand    `cmd:"" help:"Measure the speed of prefill, decoding and methods on this machine."`
	Methods  methodsCommand  `cmd:"" help:"List methods, and search the pattern of each head of a model for MInference."`
	Drift    driftCommand    `cmd:"" help:"Analyse how attention moves away from prefill while a long answer is generated, and what methods still read of it."`
	Models   modelsCommand   `cmd:"" help:"Show and check checkpoints, compute logits for given tokens, write random ones."`
	Doctor   doctorCommand   `cmd:"" help:"Say what this machine has, and what fits on it."`

	Kernels string           `help:"Instruction set of the kernels: go, neon, avx2, avx512 or amx; the best there is by default." placeholder:"TIER"`
	Version kong.VersionFlag `help:"Print the version and leave."`
}

// console is where a command writes: results to out, everything else to err.
type console struct{ out, err io.Writer }

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run carries out one command line and returns the exit code.
func run(args []string, out, errs io.Writer) (code int) {
	defer func() {
		if p := recover(); p != nil && p != any(leave{}) {
			panic(p)
		}
	}()
	c, parser := commandLine(out, errs)
	ctx, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(errs, "scbench: %s; see scbench --help\n", message(err))
		return 2
	}
	if err = kernels.Select(c.Kernels); err == nil {
		err = ctx.Run(console{out, errs})
	}
	if err == nil {
		return 0
	}
	var verdict verdictError
	if errors.As(err, &verdict) {
		return int(verdict) // it was printed
	}
	fmt.Fprintf(errs, "scbench: %s\n", message(err))
	if errors.Is(err, errInterrupted) {
		return 130
	}
	return 2
}

// message is what an error says, safe to show: files name their fields, columns, tensors and placeholders as they like.
func message(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		lines[i] = outputs.Clean(line)
	}
	return strings.Join(lines, "\n")
}

// commandLine makes the parser. --help and --version print and then unwind with leave.
func commandLine(out, errs io.Writer) (*commands, *kong.Kong) {
	c := &commands{}
	parser, err := kong.New(c, kong.Name("scbench"),
		kong.Description("Benchmark long-context methods over the whole life of a shared KV cache."),
		kong.Writers(out, errs), kong.Vars{"version": "scbench " + build, "methods": strings.Join(suiteMethods, " ")},
		kong.Exit(func(int) { panic(leave{}) }))
	if err != nil {
		panic(err) // a mistake in the struct above
	}
	return c, parser
}

// leave unwinds the parser after it has printed what was asked for.
type leave struct{}
