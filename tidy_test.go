// Package scbench_test checks the tree itself: who imports whom, that exported names have a contract, that no variant is missing from
// its list, and that nothing unfinished is left behind.
package scbench_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// imports is the table of design: for each package of ours, what else of ours it may import. Tests may import more.
var imports = map[string][]string{
	"pipeline":                  {},
	"kernels":                   {},
	"datasets/metric":           {},
	"datasets":                  {"datasets/metric"},
	"outputs":                   {"outputs/stats", "outputs/plain", "outputs/picture"},
	"outputs/stats":             {},
	"outputs/plain":             {},
	"outputs/picture":           {"outputs/plain"},
	"outputs/report":            {"outputs", "outputs/stats", "outputs/plain", "outputs/picture"},
	"stages/kv":                 {"kernels"},
	"stages/kv/roargraph":       {"kernels"},
	"stages/engine":             {"kernels", "stages/kv"},
	"stages/methods":            {"kernels", "stages/kv", "stages/kv/roargraph", "stages/engine"},
	"stages/drift":              {"kernels", "outputs", "stages/kv", "stages/engine"},
	"stages/gguf":               {"stages/mapped"},
	"stages/mapped":             {},
	"stages/gguf/gguftest":      {"kernels", "stages/gguf", "stages/models/safetensors"},
	"stages/prefix":             {"kernels", "stages/kv", "stages/engine", "stages/mapped"},
	"stages/models/safetensors": {"stages/mapped"},
	"stages/models":             {"kernels", "stages/kv", "stages/engine", "stages/gguf", "stages/mapped", "stages/models/safetensors"},
	"stages/tokenizers":         {"stages/tokenizers/jinja", "stages/gguf", "stages/mapped"},
	"stages/tokenizers/jinja":   {},
	"stages":                    {"pipeline", "kernels", "datasets", "datasets/metric", "outputs", "stages/engine", "stages/kv", "stages/prefix", "stages/tokenizers"},
	"cmd/scbench":               nil, // everything
}

// outside is what the lowest packages may import from elsewhere; packages that are not listed may import anything in go.mod.
var outside = map[string]*regexp.Regexp{
	"pipeline":        regexp.MustCompile(`^golang\.org/x/sync/`),
	"kernels":         regexp.MustCompile(`^golang\.org/x/sys/cpu$`),
	"datasets/metric": regexp.MustCompile(`^golang\.org/x/text/`),
	"stages/kv":       regexp.MustCompile(`^(github\.com/apache/arrow-go/v18/arrow/memory|golang\.org/x/sys/unix)$`),
	"stages/engine":   regexp.MustCompile(`^$`),
	"stages/methods":  regexp.MustCompile(`^$`),
}

// goFile is one parsed source file.
type goFile struct {
	path, pkg string // relative to the root; the folder
	test      bool
	ast       *ast.File
	text      string
}

// tree parses all Go files of the module.
func tree(t *testing.T) (*token.FileSet, []goFile) {
	t.Helper()
	set := token.NewFileSet()
	var files []goFile
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules" || p != "." && strings.HasPrefix(d.Name(), ".")) {
			return fs.SkipDir
		}
		if d.IsDir() || path.Ext(p) != ".go" {
			return nil
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(set, p, b, parser.ParseComments)
		if err != nil {
			return err
		}
		files = append(files, goFile{filepath.ToSlash(p), path.Dir(filepath.ToSlash(p)), strings.HasSuffix(p, "_test.go"), f, string(b)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return set, files
}

func TestImports(t *testing.T) {
	_, files := tree(t)
	for _, f := range files {
		if f.test || f.pkg == "." {
			continue
		}
		allowed, known := imports[f.pkg]
		if !known {
			t.Errorf("%s: package %s is not in the import table", f.path, f.pkg)
			continue
		}
		for _, i := range f.ast.Imports {
			name := strings.Trim(i.Path.Value, `"`)
			ours, isOurs := strings.CutPrefix(name, "scbench/")
			switch {
			case isOurs && allowed != nil && !slices.Contains(allowed, ours):
				t.Errorf("%s imports %s; %s may import %v", f.path, ours, f.pkg, allowed)
			case !isOurs && strings.Contains(name, ".") && outside[f.pkg] != nil && !outside[f.pkg].MatchString(name):
				t.Errorf("%s imports %s; of other modules %s may import %v", f.path, name, f.pkg, outside[f.pkg])
			}
		}
	}
}

// TestContracts wants a comment on every package and on every exported name.
func TestContracts(t *testing.T) {
	set, files := tree(t)
	documented := map[string]bool{}
	for _, f := range files {
		if f.ast.Doc != nil {
			documented[f.pkg] = true
		}
	}
	for _, f := range files {
		if f.test {
			continue
		}
		if !documented[f.pkg] {
			t.Errorf("package %s has no package comment", f.pkg)
			documented[f.pkg] = true
		}
		for _, d := range f.ast.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s: exported %s has no comment", set.Position(d.Pos()), name)
			}
		}
	}
}

func undocumented(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
					names = append(names, s.Name.Name)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	if s, ok := typ.(*ast.StarExpr); ok {
		typ = s.X
	}
	if i, ok := typ.(*ast.IndexExpr); ok {
		typ = i.X
	}
	id, ok := typ.(*ast.Ident)
	return !ok || id.IsExported()
}

// TestVariantsAreListed wants every exported variable of a variant's type in the list of its package.
func TestVariantsAreListed(t *testing.T) {
	_, files := tree(t)
	for _, kind := range []struct{ pkg, typ string }{{"datasets", "Task"}, {"stages/methods", "Method"}} {
		list, variants := "", []string(nil)
		for _, f := range files {
			if f.pkg != kind.pkg || f.test {
				continue
			}
			for _, d := range f.ast.Decls {
				g, ok := d.(*ast.GenDecl)
				if !ok || g.Tok != token.VAR {
					continue
				}
				for _, s := range g.Specs {
					v := s.(*ast.ValueSpec)
					switch {
					case v.Names[0].Name == "All":
						list = f.text[g.Pos()-f.ast.FileStart : g.End()-f.ast.FileStart]
					case v.Names[0].IsExported() && isVariant(v, kind.typ):
						variants = append(variants, v.Names[0].Name)
					}
				}
			}
		}
		if len(variants) == 0 || list == "" {
			t.Fatalf("%s: %d variants and list %q", kind.pkg, len(variants), list)
		}
		for _, v := range variants {
			if !regexp.MustCompile(`\b` + v + `\b`).MatchString(list) {
				t.Errorf("%s.%s is not in %s.All", kind.pkg, v, kind.pkg)
			}
		}
	}
}

// isVariant reports whether a variable is a composite literal of the type.
func isVariant(v *ast.ValueSpec, typ string) bool {
	if len(v.Values) != 1 {
		return false
	}
	c, ok := v.Values[0].(*ast.CompositeLit)
	if !ok {
		return false
	}
	name := fmt.Sprint(c.Type)
	if s, ok := c.Type.(*ast.SelectorExpr); ok {
		name = s.Sel.Name
	}
	return name == typ
}

// TestFinished wants no marks of unfinished work, no init functions and no file that is more than one idea.
func TestFinished(t *testing.T) {
	marks := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|HA` + `CK)\b|not ` + `implemented`)
	_, files := tree(t)
	for _, f := range files {
		if m := marks.FindString(f.text); m != "" {
			t.Errorf("%s: %q is left", f.path, m)
		}
		if n := strings.Count(f.text, "\n"); n > 400 && !f.test {
			t.Errorf("%s has %d lines: is it one idea?", f.path, n)
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init function", f.path)
			}
		}
	}
}
