// Package outputs holds what a run leaves behind: the schema of its rows, the journal that keeps them through a crash,
// the Parquet files they end in, and the summary a person reads first.
//
// A run is a folder, outputs/runs/<run id>/:
//
//	results.parquet   one Result per query: all that is a function of the inputs; byte-identical for the same inputs
//	timings.parquet   one Timing per query, same keys, same order: what the clock and the operating system said
//	manifest.json     run id, status, configuration, hashes, counts, and the hash of results.parquet; no clock in it
//	config.json       the resolved configuration alone, to run again
//	clock.json        when the run started and ended, and the hash of timings.parquet
//	curves.svg        the scores by turn
//	report.html       all of it drawn, as a page that needs nothing else; see package report
//	journal           rows of a run that is not finished; gone when it is
//
// While a run goes on, every finished row is in the journal before Append returns, so that kill -9 loses only the query
// in flight; the journal is forced to the disk each time an example is complete, so that a power cut loses no more than
// the examples in flight. Create finds such a journal and goes on after it. Finish sorts the rows by their key, which
// makes the file independent of threads, shards and restarts, and replaces each file by rename: a reader sees the old
// file or the new one, and the manifest's hash tells which.
//
// Results never depend on the clock, with one exception that a user asks for: a row may be timed_out.
package outputs
