package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"scbench/datasets"
	"scbench/outputs"
)

// prompts reads --prompts and heeds --strict; nil is the tasks' own wording.
func (r *runCommand) prompts() (*datasets.Prompts, error) {
	p, err := readPrompts(r.Prompts)
	if err != nil {
		return nil, err
	}
	if r.Strict {
		return datasets.Strict(p), nil
	}
	if leaks := p.Leaks(); len(leaks) > 0 && slices.Contains(r.Mode, string(outputs.MultiRequest)) {
		return nil, fmt.Errorf("--prompts %s: in multi-request mode the context of %s would tell a question that no method should know yet; "+
			"word the instruction without it, or add --strict to have it as the reference does", r.Prompts, strings.Join(leaks, ", "))
	}
	return p, nil
}

// readPrompts reads a wording set; "" is none.
func readPrompts(path string) (*datasets.Prompts, error) {
	if path == "" {
		return nil, nil
	}
	p, err := datasets.ReadPrompts(path)
	if err != nil {
		return nil, fmt.Errorf("--prompts: %w", err)
	}
	return p, nil
}

// printWorded shows an example as a conversation and as separate requests, in plain text. Contexts are cut to chars.
func printWorded(w io.Writer, p *datasets.Prompts, t datasets.Task, e datasets.Example, chars int) error {
	for _, mode := range []outputs.Mode{outputs.MultiTurn, outputs.MultiRequest} {
		x := p.Word(&t, e, datasets.Setting{Mode: string(mode), Plain: true})
		context, err := x.Context()
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "\n%s\ncontext   %q\n", mode, clip(context, chars))
		for i := range e.Turns {
			later := i > 0 && mode == outputs.MultiTurn
			question, start, err := x.Ask(i, later)
			if err != nil {
				return err
			}
			if later {
				gold, err := x.Gold(i - 1)
				if err != nil {
					return err
				}
				question = gold + x.Between() + question
			} else {
				question = x.Separator() + question
			}
			fmt.Fprintf(w, "turn %d    %q\n", i+1, clip(question+start, chars))
		}
	}
	return nil
}

// clip shortens a text to its first n characters.
func clip(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return string(runes[:n]) + "…"
}
