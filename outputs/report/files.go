package report

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// File is the name of the page in a run's folder.
const File = "report.html"

// WriteHTML writes the page to a file, under another name until it is complete.
func (r *Report) WriteHTML(path string) error { return writeFile(path, r.HTML) }

// WriteFigures writes all figures to a folder, as SVG, and returns their number.
func (r *Report) WriteFigures(dir string) (n int, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, fmt.Errorf("report: cannot make the folder of figures: %w", err)
	}
	for _, s := range sections {
		for _, f := range s.figures(r) {
			if err := writeFile(filepath.Join(dir, f.Name+".svg"), f.SVG); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

// WriteTables writes all tables to a folder, each as CSV, Markdown and LaTeX, and returns their number.
func (r *Report) WriteTables(dir string) (n int, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, fmt.Errorf("report: cannot make the folder of tables: %w", err)
	}
	for _, s := range sections {
		for _, t := range s.tables(r) {
			base := filepath.Join(dir, t.Name)
			if err := errors.Join(writeFile(base+".csv", t.CSV), writeFile(base+".md", t.Markdown), writeFile(base+".tex", t.LaTeX)); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

// writeFile writes a file under a temporary name beside it and renames it.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("report: cannot write %s: %w", path, err)
	}
	err = errors.Join(write(f), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("report: cannot write %s: %w", path, err)
	}
	return nil
}
