package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"scbench/pipeline"
)

// Three stages: a source of texts, four workers that count words, and a sink that sees the counts in order.
func Example() {
	texts := slices.Values([]string{"to be or not to be", "that is the question", "whether"})
	read := func(yield func(string, error) bool) {
		for text := range texts {
			if !yield(text, nil) {
				return
			}
		}
	}

	f := pipeline.New(context.Background())
	lines := pipeline.From(f, "read", read)
	words := pipeline.Map(lines, pipeline.Stage{Name: "count", Workers: 4, Buffer: 2},
		func(_ context.Context, text string) (int, error) { return len(strings.Fields(text)), nil })
	pipeline.Each(words, "print", func(_ context.Context, n int) error {
		_, err := fmt.Println(n, "words")
		return err
	})
	if err := f.Wait(); err != nil {
		fmt.Println(err)
	}
	for _, s := range f.Stats() {
		fmt.Println(s.Name, s.In, s.Out)
	}
	// Output:
	// 6 words
	// 4 words
	// 1 words
	// read 3 3
	// count 3 3
	// print 3 3
}

// One item becomes many, and an error says where it came from.
func ExampleFlatMap() {
	f := pipeline.New(context.Background())
	texts := pipeline.From(f, "read", func(yield func(string, error) bool) {
		_ = yield("a b", nil) && yield("c", nil) && yield("", errors.New("row group 3 is cut short"))
	})
	words := pipeline.FlatMap(texts, pipeline.Stage{Name: "split"},
		func(_ context.Context, text string, emit func(string) error) error {
			for word := range strings.FieldsSeq(text) {
				if err := emit(word); err != nil {
					return err
				}
			}
			return nil
		})
	pipeline.Each(words, "count", func(context.Context, string) error { return nil })
	fmt.Println(f.Wait())
	// Output: stage "read", item 2: row group 3 is cut short
}
