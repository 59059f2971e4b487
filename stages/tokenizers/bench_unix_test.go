//go:build unix

package tokenizers

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// englishText is the prose of this repository: comments and documents, about as many different words as a book has.
func englishText(b *testing.B) string {
	var out strings.Builder
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data := ""
		if ext := filepath.Ext(path); ext == ".go" || ext == ".md" {
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			data = string(raw)
			if ext == ".md" {
				out.WriteString(data)
				return nil
			}
		}
		for line := range strings.Lines(data) {
			if text, ok := strings.CutPrefix(strings.TrimSpace(line), "// "); ok {
				out.WriteString(text + " ")
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return out.String()
}

// chineseText is about 1 MB of sentences that do not repeat, of the characters of the golden texts.
func chineseText(b *testing.B) string {
	texts := tortureTexts(b, filepath.Join(goldenDir(), "tokenizers"))
	chars := []rune(texts["zh_long"] + texts["zh"] + texts["zh_trad"])
	r := rand.New(rand.NewPCG(1, 2))
	var out strings.Builder
	for out.Len() < 1<<20 {
		for range 4 + r.IntN(16) {
			out.WriteRune(chars[r.IntN(len(chars))])
		}
		out.WriteString([]string{"，", "。", "、"}[r.IntN(3)])
	}
	return out.String()
}

// encodeTimed also reports speed by processor time, which other processes on the machine do not change much.
func encodeTimed(b *testing.B, tk Tokenizer, text string) {
	used := func() float64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
	}
	b.SetBytes(int64(len(text)))
	before := used()
	for b.Loop() {
		if _, err := tk.Encode(text, false); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(len(text))/1e6/(used()-before), "MB/cpu-s")
}

// BenchmarkPublished encodes with vocabularies of the size that models have, if they are at hand.
func BenchmarkPublished(b *testing.B) {
	texts := map[string]string{"english": englishText(b), "chinese": chineseText(b)}
	for _, style := range []string{"real-llama3", "real-llama2", "real-cl100k_base", "real-o200k_base"} {
		var tk Tokenizer
		for _, language := range []string{"english", "chinese"} {
			b.Run(style+"/"+language, func(b *testing.B) {
				if tk == nil {
					if data, err := vocabularyFile(style, "tokenizer.json"); err != nil {
						tk = readTiktoken(b, style, true)
					} else if tk, err = Parse(style, data); err != nil {
						b.Fatal(err)
					}
				}
				encodeTimed(b, tk, texts[language])
			})
		}
	}
}

// BenchmarkUnbroken encodes texts without spaces of two lengths, whose times show whether they grow as the texts do.
func BenchmarkUnbroken(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, style := range []string{"real-llama3", "real-llama2", "llama3-style", "llama2-style", "xlmr-unigram-precompiled", "bert-uncased-style"} {
		var tk Tokenizer
		for _, unit := range []string{"a", "abc", "random"} {
			for _, size := range []int{1 << 20, 10 << 20} {
				b.Run(style+"/"+unit+"/"+map[int]string{1 << 20: "1MB", 10 << 20: "10MB"}[size], func(b *testing.B) {
					if tk == nil {
						data, err := vocabularyFile(style, "tokenizer.json")
						if err != nil {
							b.Skip(err)
						}
						if tk, err = Parse(style, data); err != nil {
							b.Fatal(err)
						}
					}
					text := strings.Repeat(unit, size/len(unit)+1)[:size]
					if unit == "random" {
						letters := make([]byte, size)
						for i := range letters {
							letters[i] = "etaoinshrdlu"[r.IntN(12)]
						}
						text = string(letters)
					}
					encodeTimed(b, tk, text)
				})
			}
		}
	}
}
