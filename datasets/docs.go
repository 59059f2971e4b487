package datasets

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/zeebo/blake3"
)

// Docs is a folder with documents of one's own and a file of questions about them, from which sessions of summary, qaeng, qachn or choiceeng
// are built.
type Docs struct {
	Source    string // for Provenance: base names of folder and file, and the BLAKE3 of all that was read
	Documents int
	Questions int
	dir       string
	task      Task
	docs      []ownDocument // by path
}

// ownDocument is a text with the questions about it.
type ownDocument struct {
	name, text string
	asked      []docQuestion
}

// docQuestion is a line of the file of questions.
type docQuestion struct {
	Doc      string   `json:"doc"`      // path of the document below the folder
	Question string   `json:"question"` // of summary: how to ask, if not as usual
	Answer   oneOrAll `json:"answer"`   // the gold answer, or several of equal worth; of summary the reference summary
	Options  []string `json:"options"`  // of choiceeng: the texts to choose from, of which the answer is one
	Evidence string   `json:"evidence"` // what of the document the answer rests on, word for word; without it that is the whole document
}

// oneOrAll is a string or a list of strings.
type oneOrAll []string

// UnmarshalJSON reads either.
func (a *oneOrAll) UnmarshalJSON(b []byte) error {
	var one string
	if err := json.Unmarshal(b, &one); err == nil {
		*a = oneOrAll{one}
		return nil
	}
	var all []string
	if err := json.Unmarshal(b, &all); err != nil {
		return errors.New("want a string, or a list of strings")
	}
	*a = all
	return nil
}

// What a folder of documents may hold.
const (
	maxDocument  = 64 << 20 // bytes of a document
	maxDocuments = 1 << 16
	maxDocsBytes = 1 << 30 // of all together: they are kept in memory
	maxAsked     = 1 << 20 // bytes of a line of questions
)

var docExtensions = []string{".txt", ".text", ".md", ".rst"}

// docTasks are the tasks that are asked of documents.
var docTasks = []string{"summary", "qaeng", "qachn", "choiceeng"}

// OpenDocs reads all documents below dir (.txt, .text, .md, .rst; hidden folders and links are passed over) and the questions, a JSON object a line.
// Errors name file, line and field.
func OpenDocs(dir, questions string, task Task) (*Docs, error) {
	if !slices.Contains(docTasks, task.Name) {
		return nil, fmt.Errorf("%s is not built from documents; these are: %s", task.Name, strings.Join(docTasks, ", "))
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	d := &Docs{dir: dir, task: task}
	h := blake3.New()
	total := int64(0)
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && path != dir && strings.HasPrefix(e.Name(), "."):
			return fs.SkipDir
		case !e.Type().IsRegular() || !slices.Contains(docExtensions, strings.ToLower(filepath.Ext(path))):
			return nil
		}
		text, err := readDocument(path)
		if err != nil {
			return err
		}
		if total += int64(len(text)); total > maxDocsBytes || len(d.docs) == maxDocuments {
			return fmt.Errorf("%s has more than %d documents or %d bytes of them; name a part of it", dir, maxDocuments, maxDocsBytes)
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		fmt.Fprintf(h, "%d %s %d %s", len(name), name, len(text), text)
		d.docs = append(d.docs, ownDocument{name: name, text: text})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	if d.Documents = len(d.docs); d.Documents == 0 {
		return nil, fmt.Errorf("docs %s: there is no document in it: no file %s", dir, strings.Join(docExtensions, ", "))
	}
	if err := d.readQuestions(questions, h); err != nil {
		return nil, err
	}
	d.Source = strings.ToValidUTF8(filepath.Base(abs)+" "+filepath.Base(questions), "?") + " " + hex.EncodeToString(h.Sum(nil))
	return d, nil
}

func readDocument(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Size() > maxDocument {
		return "", fmt.Errorf("%s has %d bytes, more than the %d that a document may have; cut it up", path, info.Size(), maxDocument)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return "", fmt.Errorf("%s is no UTF-8 text; convert it, or name it otherwise than %s", path, strings.Join(docExtensions, ", "))
	}
	return strings.TrimRight(strings.ReplaceAll(strings.TrimPrefix(string(b), "\ufeff"), "\r\n", "\n"), "\n"), nil
}

// readQuestions gives each document its questions.
func (d *Docs) readQuestions(path string, h io.Writer) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("questions: %w", err)
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, maxAsked)
	line := 0
	for in.Scan() {
		line++
		text := bytes.TrimSpace(bytes.TrimPrefix(in.Bytes(), []byte("\ufeff")))
		if len(text) == 0 {
			continue
		}
		if _, err := fmt.Fprintf(h, "%d %s", len(text), text); err != nil {
			return err
		}
		if err := d.ask(text); err != nil {
			return fmt.Errorf("questions: %s, line %d: %w", path, line, err)
		}
	}
	switch err := in.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("questions: %s, line %d: it is longer than the %d bytes that a question may have", path, line+1, maxAsked)
	case err != nil:
		return fmt.Errorf("questions: %s: %w", path, err)
	case d.Questions == 0:
		return fmt.Errorf("questions: %s: there is none in it; want a line for each, such as {\"doc\": %q, \"question\": \"…\", \"answer\": \"…\"}", path, d.docs[0].name)
	}
	return nil
}

// ask takes a question in.
func (d *Docs) ask(line []byte) error {
	var q docQuestion
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&q); err != nil {
		return fmt.Errorf("%w; fields are doc, question, answer, options and evidence", err)
	}
	if dec.More() {
		return errors.New("there is more than one object in it; want a line for each")
	}
	i, known := slices.BinarySearchFunc(d.docs, q.Doc, func(x ownDocument, name string) int { return strings.Compare(x.name, name) })
	if !known { // paths are walked in an order of their own
		i = slices.IndexFunc(d.docs, func(x ownDocument) bool { return x.name == q.Doc })
	}
	if i < 0 || i >= len(d.docs) || d.docs[i].name != q.Doc {
		return fmt.Errorf("field doc: there is no document %q below %s", q.Doc, d.dir)
	}
	doc := &d.docs[i]
	if q.Question == "" && d.task.Name == "summary" {
		q.Question = fmt.Sprintf("Summarise the document %s.", doc.name)
	}
	switch {
	case strings.TrimSpace(q.Question) == "":
		return errors.New("field question: it is missing")
	case len(q.Answer) == 0 || slices.ContainsFunc(q.Answer, func(a string) bool { return strings.TrimSpace(a) == "" }):
		return errors.New("field answer: it is missing, or one of its texts is empty")
	case (len(q.Options) > 0) != (d.task.Name == "choiceeng"):
		return errors.New("field options: choiceeng has options, and no other task")
	case len(q.Options) > 0 && (len(q.Options) < 2 || len(q.Options) > 26 || len(q.Answer) != 1 || !slices.Contains(q.Options, q.Answer[0])):
		return errors.New("field options: want 2 to 26 of them, of which the one answer is one, word for word")
	case !strings.Contains(doc.text, q.Evidence):
		return fmt.Errorf("field evidence: document %s does not hold it, word for word", doc.name)
	case slices.ContainsFunc(doc.asked, func(o docQuestion) bool { return o.Question == q.Question }):
		return fmt.Errorf("field question: document %s has it twice", doc.name)
	}
	doc.asked = append(doc.asked, q)
	d.Questions++
	return nil
}
