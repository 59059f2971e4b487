package datasets

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/zeebo/blake3"

	"scbench/datasets/metric"
)

// Repos is a folder with source code of one's own, from which sessions of Code.RepoQA are built.
type Repos struct {
	Source string         // for Provenance: the folder's base name and the BLAKE3 of all files used, names and contents
	Found  []CodeLanguage // in the order of metric.Languages
	dir    string
}

// CodeLanguage is what Repos has in one language.
type CodeLanguage struct {
	Name                         string // one of metric.Languages
	Files, Functions, Documented int    // Documented: functions that can be asked for
	paths                        []string
}

// maxSource is the size up to which a source file is read; larger ones are generated or data.
const maxSource = 1 << 20

// maxSources is how many source files a folder may have.
const maxSources = 1 << 20

var sourceExtensions = map[string]string{".py": "python", ".java": "java", ".ts": "typescript", ".rs": "rust", ".cpp": "cpp", ".cc": "cpp", ".cxx": "cpp", ".hpp": "cpp", ".go": "go"}

// skippedFolders hold code of others, or none.
var skippedFolders = []string{"vendor", "testdata", "node_modules", "third_party", "target", "build", "dist", "__pycache__"}

// OpenRepos reads all source files under dir once and counts their functions. Hidden folders, those of vendored code and links are passed over,
// and files that are not UTF-8 or larger than a megabyte.
func OpenRepos(dir string) (*Repos, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	p := &Repos{dir: dir}
	for _, name := range metric.Languages {
		p.Found = append(p.Found, CodeLanguage{Name: name})
	}
	h := blake3.New()
	total := 0
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if path != dir && (strings.HasPrefix(d.Name(), ".") || slices.Contains(skippedFolders, d.Name())) {
				return fs.SkipDir
			}
			return nil
		}
		lang := sourceExtensions[filepath.Ext(path)]
		if lang == "" || !d.Type().IsRegular() {
			return nil
		}
		if total++; total > maxSources {
			return fmt.Errorf("%s has more than %d source files; name a part of it", dir, maxSources)
		}
		return p.add(path, lang, func(name, text string) { fmt.Fprintf(h, "%d %s %d %s", len(name), name, len(text), text) })
	})
	if err != nil {
		return nil, fmt.Errorf("repos: %w", err)
	}
	if !slices.ContainsFunc(p.Found, func(l CodeLanguage) bool { return l.Documented > 0 }) {
		return nil, fmt.Errorf("repos %s: no documented function was found in files of %s", dir, strings.Join(metric.Languages, ", "))
	}
	p.Source = strings.ToValidUTF8(filepath.Base(abs), "?") + " " + hex.EncodeToString(h.Sum(nil))
	return p, nil
}

// add counts what is in a file.
func (p *Repos) add(path, lang string, hash func(name, text string)) error {
	f, err := p.read(path, lang)
	if err != nil || f == nil {
		return err
	}
	hash(f.name, f.text)
	l := &p.Found[slices.Index(metric.Languages, lang)]
	l.Files++
	l.Functions += len(f.functions)
	l.Documented += len(f.documented())
	l.paths = append(l.paths, path)
	return nil
}

// read reads a source file; nil if it is one that is passed over.
func (p *Repos) read(path, lang string) (*sourceFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxSource {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil || len(b) == 0 || len(b) > maxSource || !utf8.Valid(b) {
		return nil, err
	}
	name, err := filepath.Rel(p.dir, path)
	if err != nil {
		return nil, err
	}
	text := strings.ReplaceAll(string(b), "\r\n", "\n")
	return &sourceFile{filepath.ToSlash(name), lang, text, metric.Functions(text, lang)}, nil
}

// Task is RepoQA with sessions from the folder. A session is a stretch of files in the order of their paths, of one language, each behind its path, cut at
// the end of a line where the length is reached; without a length about 65,000 tokens. It asks for functions with a comment of six words and more, which is the
// description, without the function's name; the comment itself is taken out of the context. Options also hold the functions before and behind each in their
// file (Dials.Distractors: how many). There is no mini format.
func (p *Repos) Task() Task {
	t := RepoQA
	t.Build, t.Mini = p.build, nil
	return t
}

// publishedCode is the length of the published contexts in tokens.
const publishedCode = 65_000

// build tries stretches until one has enough to ask for.
func (p *Repos) build(r *rand.Rand, s Size) (Example, error) {
	if err := s.check(); err != nil {
		return Example{}, err
	}
	if s.Tokens == 0 {
		s.Tokens = publishedCode
	}
	var last error
	for range 64 {
		l := p.language(r)
		e, err := stretch{p, l, r, s, s.turns(5)}.session()
		if !errors.Is(err, errStretch) {
			return e, err
		}
		last = err
	}
	return Example{}, fmt.Errorf("%s: %w; ask for more tokens or fewer turns, or name a larger folder", p.dir, last)
}

// language draws one, as often as it has documented functions.
func (p *Repos) language(r *rand.Rand) CodeLanguage {
	total := 0
	for _, l := range p.Found {
		total += l.Documented
	}
	n := r.IntN(total)
	for _, l := range p.Found {
		if n -= l.Documented; n < 0 {
			return l
		}
	}
	panic("repos: the draw is beyond all languages")
}
