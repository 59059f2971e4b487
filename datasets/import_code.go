package datasets

import (
	"slices"
	"strings"

	"scbench/datasets/metric"
)

// ofCode reports whether a turn with that label asks for a function.
func (k publishedTask) ofCode(part string) bool {
	return k.name == partRepoQA || part == partRepoQA
}

// repositoryKey is what the rows of one repository share.
func repositoryKey(lang, repo string) string { return lang + "\x00" + repo }

// readPools reads all files once, for the functions that are asked for of each repository. What is wrong with a row is left to whoever reads it
// for itself.
func (n *normaliser) readPools(paths []string) error {
	n.pools = map[string]metric.Pool{}
	for _, path := range paths {
		for l, err := range publishedRecords(path) {
			if err != nil {
				return err
			}
			lang, repo := textOf(l.rec, "lang"), textOf(l.rec, "repo")
			turns, _ := l.rec.get("multi_turns")
			list, _ := turns.([]any)
			for _, v := range list {
				rec, _ := v.(record)
				source := textOf(rec, "answer")
				if source == "" || !n.kind.ofCode(strings.TrimPrefix(textOf(rec, "task"), "scbench_")) {
					continue
				}
				p := n.pools[repositoryKey(lang, repo)]
				if p.Lang = lang; !slices.Contains(p.Asked, source) {
					p.Asked = append(p.Asked, source)
				}
				n.pools[repositoryKey(lang, repo)] = p
			}
		}
	}
	return nil
}

// textOf is a field's text; "" if it has none.
func textOf(rec record, name string) string {
	v, _ := rec.get(name)
	s, _ := v.(string)
	return s
}

// addPools gives the turns of a row that ask for functions the pool of its repository as options.
func (n normaliser) addPools(at place, rec record, turns []Turn) error {
	if !slices.ContainsFunc(turns, func(t Turn) bool { return n.kind.ofCode(t.Part) }) {
		return nil
	}
	f := fields{at: at, rec: rec}
	lang, repo := f.text("lang"), f.text("repo")
	if f.err != nil {
		return f.err
	}
	if !slices.Contains(metric.Languages, lang) {
		return at.field("lang").wrong("one of "+strings.Join(metric.Languages, ", "), lang)
	}
	pool := options(n.pools[repositoryKey(lang, repo)])
	size := 0
	for _, o := range pool {
		size += len(o)
	}
	if size > maxRowBytes/len(turns) {
		return at.field("repo").errorf("%d functions of %s are asked for, too many to be told with each of %d turns", len(pool), repo, len(turns))
	}
	for i := range turns {
		if n.kind.ofCode(turns[i].Part) {
			turns[i].Options = pool
		}
	}
	return nil
}
