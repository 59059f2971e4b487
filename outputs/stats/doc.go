// Package stats says how sure a mean of scores is, and whether two of them differ.
//
// The queries of a session share a context and a cache, so they succeed and fail together: what is independent is the
// session, and every function here counts sessions (clusters), not queries. A Sample holds what was scored, by cluster and
// bin; a Statistic is a weighted sum of means over bins. From the two follow intervals (Sample.Intervals), a test of no
// difference (SignFlip on Sample.Contributions) and the effect that a design can see (Power, Smallest).
//
// Nothing is drawn at random that a seed does not determine: the same sample gives the same digits everywhere.
package stats
