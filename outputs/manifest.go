package outputs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Manifest describes a run without a word of the clock: two runs of the same inputs have the same manifest, byte for byte.
// The caller gives Run, Build, Config, Hashes, Versions, Order and Counts.Planned; the rest is filled in.
type Manifest struct {
	Run           string            `json:"run"`    // see RunID
	Status        RunStatus         `json:"status"` // filled in
	SchemaVersion int               `json:"schema_version"`
	Build         string            `json:"build"`
	Hashes        map[string]string `json:"hashes"`   // of data, weights, tokenizer, template; by name
	Versions      map[string]string `json:"versions"` // of scorers, kernels, whatever results may depend on
	Order         Order             `json:"order"`
	Counts        Counts            `json:"counts"`
	Files         []File            `json:"files"`  // filled in: those that are a function of the inputs
	Config        json.RawMessage   `json:"config"` // the resolved configuration
}

// RunStatus says how a run ended.
type RunStatus string

// A run's folder holds either all its rows or those that were finished when it was interrupted.
const (
	Complete    RunStatus = "complete"
	Interrupted RunStatus = "interrupted"
)

// Counts are numbers of queries. The six statuses add up to Rows.
type Counts struct {
	Planned   int `json:"planned"` // 0: not known
	Rows      int `json:"rows"`
	OK        int `json:"ok"`
	Truncated int `json:"truncated"`
	Empty     int `json:"empty"`
	Refused   int `json:"refused"`
	Failed    int `json:"failed"`
	TimedOut  int `json:"timed_out"`
}

func (c *Counts) add(s Status) {
	c.Rows++
	switch s {
	case OK:
		c.OK++
	case Truncated:
		c.Truncated++
	case Empty:
		c.Empty++
	case Refused:
		c.Refused++
	case Failed:
		c.Failed++
	case TimedOut:
		c.TimedOut++
	}
}

// Clock is what the clock said of a run; it stands in a file of its own.
type Clock struct {
	Run      string    `json:"run"`
	Started  time.Time `json:"started"` // when the folder was first written to, restarts included
	Finished time.Time `json:"finished"`
	Files    []File    `json:"files"`
	Cost     *Cost     `json:"cost,omitempty"` // of the last process that wrote rows
}

// Cost is the machine that a run, or the last part of an interrupted one, was made on, and what it took there.
type Cost struct {
	Machine  string `json:"machine"` // processor and operating system
	Threads  int    `json:"threads"`
	Kernels  string `json:"kernels"` // instruction set tier
	PeakRSS  int64  `json:"peak_rss_bytes"`
	PeakKV   int64  `json:"peak_kv_bytes"`
	Alone    int64  `json:"prefill_alone"`  // tokens of first prompts, had every method computed its own in every mode
	Computed int64  `json:"prefill_tokens"` // tokens of them that were computed
	Bound    int64  `json:"prefill_bound"`  // the least that would have done: each row once that is the same in several prompts
	Apart    int64  `json:"chunk_tokens"`   // tokens computed in chunks, apart from the prompts put together from them
}

// ReadManifest reads the manifest of a run's folder. It wraps fs.ErrNotExist where there is none.
func ReadManifest(dir string) (m Manifest, err error) {
	err = readJSON(filepath.Join(dir, ManifestFile), &m)
	return m, err
}

// ReadClock reads the clock file of a run's folder, as ReadManifest does.
func ReadClock(dir string) (c Clock, err error) {
	err = readJSON(filepath.Join(dir, ClockFile), &c)
	return c, err
}

// maxJSON bounds a manifest: its configuration is what a person wrote, or a little more.
const maxJSON = 16 << 20

func readJSON(path string, v any) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("outputs: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxJSON+1))
	if err != nil {
		return fmt.Errorf("outputs: cannot read %s: %w", path, err)
	}
	if len(data) > maxJSON {
		return fmt.Errorf("outputs: %s exceeds %d bytes: %w", path, maxJSON, ErrCorrupt)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("outputs: %s: %w: %w", path, err, ErrCorrupt)
	}
	return nil
}

// writeJSON drafts a value as indented JSON, keys of maps sorted, ending in a newline.
func writeJSON(dir, name string, v any) (File, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return File{}, fmt.Errorf("outputs: writing %s: %w", name, err)
	}
	return writeDraft(dir, name, buf.Bytes())
}

// recordedFile looks a file up in the manifest and the clock file of its folder; fs.ErrNotExist where neither lists it.
func recordedFile(dir, name string) (File, error) {
	m, err := ReadManifest(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return File{}, err
	}
	c, err := ReadClock(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return File{}, err
	}
	for _, f := range append(m.Files, c.Files...) {
		if f.Name == name {
			return f, nil
		}
	}
	return File{}, fs.ErrNotExist
}
