package report

// section is a part of the report: numbers for its script, tables and figures. A section of which data and tables are nil for a
// report has nothing to say there, and is left out.
type section struct {
	id, title string
	lead      string // what is shown, how it is defined and how to read it; a sentence each for every number
	script    bool   // whether web/ID.js draws its charts
	data      func(*Report) any
	tables    func(*Report) []Table
	figures   func(*Report) []Figure
}

// sections lists all parts, in the order of the page.
var sections = []section{
	leaderboard,
	findings,
	curves,
	tasks,
	pareto,
	times,
	depth,
	retention,
	drift,
	queries,
	plan,
}
