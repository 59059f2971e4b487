package main

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"scbench/stages/models"
)

// TestMain lets scripts run scbench as a command.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"scbench": func() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs testdata/script: the program as its users meet it.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"reference":   copyReference,
			"gguf":        writeGGUF,
			"truncate":    truncateFile,
			"lieheader":   lieHeader,
			"flip":        flipBit,
			"nanweights":  nanWeights,
			"exitcode":    exitCode,
			"oneline":     oneLine,
			"cmpfiles":    compareFiles,
			"replacetext": replaceText,
		},
	})
}

// copyReference DIR writes the embedded checkpoint to a folder.
func copyReference(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	files, err := fs.ReadDir(models.Reference(), ".")
	ts.Check(err)
	for _, f := range files {
		b, err := fs.ReadFile(models.Reference(), f.Name())
		ts.Check(err)
		ts.Check(os.WriteFile(filepath.Join(dir, f.Name()), b, 0o644))
	}
}

// truncateFile FILE BYTES cuts a file.
func truncateFile(ts *testscript.TestScript, _ bool, args []string) {
	var n int64
	_, err := fmt.Sscan(args[1], &n)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}

// lieHeader FILE makes a safetensors file declare a header of 2^60 bytes.
func lieHeader(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	binary.LittleEndian.PutUint64(b, 1<<60)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}

// flipBit FILE changes one bit in the middle of a file.
func flipBit(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	b[len(b)/3] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}

// nanWeights FILE makes the last weight of a bf16 safetensors file NaN, and many before it.
func nanWeights(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	for i := len(b) - 1; i > len(b)-1<<16; i-- {
		b[i] = 0xff
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}

// exitCode CODE ARGS… runs scbench and compares its exit code.
func exitCode(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec("scbench", args[1:]...)
	code := 0
	if err != nil {
		var exit interface{ ExitCode() int }
		if e, ok := err.(interface{ ExitCode() int }); ok {
			exit = e
			code = exit.ExitCode()
		} else {
			ts.Fatalf("scbench %v: %v", args[1:], err)
		}
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("scbench %v: exit code %d, want %s", args[1:], code, args[0])
	}
}

// oneLine wants the last command to have said exactly one line on standard error.
func oneLine(ts *testscript.TestScript, _ bool, _ []string) {
	text := ts.ReadFile("stderr")
	if strings.Count(text, "\n") != 1 {
		ts.Fatalf("not one line:\n%s", text)
	}
}

// compareFiles GLOB GLOB… wants all files to have the same bytes.
func compareFiles(ts *testscript.TestScript, neg bool, args []string) {
	var first []byte
	for i, glob := range args {
		found, err := filepath.Glob(ts.MkAbs(glob))
		ts.Check(err)
		if len(found) != 1 {
			ts.Fatalf("%s: %d files", glob, len(found))
		}
		b, err := os.ReadFile(found[0])
		ts.Check(err)
		if i == 0 {
			first = b
		} else if (string(b) == string(first)) == neg {
			ts.Fatalf("%s and %s: same bytes: %v", args[0], glob, !neg)
		}
	}
}

// replaceText FILE OLD NEW replaces the first OLD in a file.
func replaceText(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	if !strings.Contains(string(b), args[1]) {
		ts.Fatalf("%s does not contain %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(string(b), args[1], args[2], 1)), 0o644))
}
