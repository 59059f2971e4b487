// Package report draws runs: one HTML page that needs nothing else, figures as SVG, and tables as CSV, Markdown and LaTeX.
//
// Read streams the rows of runs once and aggregates them by mode, task and method; everything that is shown is computed here,
// with its interval, and the page's scripts only choose and draw. A page is the sections of sections.go in their order. A section is
// one Go file, which gives its numbers, tables and figures, and where it has charts one script of the same name in web/.
// To add a section, write the two and list it.
//
// What comes from models and data sets is never markup: it travels as JSON in which < is escaped, scripts put it on the page as
// text only, and characters that could hide or reorder others are named. The page's policy forbids whatever is not in it.
package report
