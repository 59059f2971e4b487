package kernels

import "time"

// Limits is what one thread of this machine can do at best on the active tier, by measurement: what the speed of a
// kernel is to be held against.
type Limits struct {
	BF16 float64 // floating-point operations a second of AMX, operands in registers; 0 on other tiers
	F32  float64 // the same of float32 multiply-adds in the tier's widest registers
	Read float64 // bytes a second from memory, past the caches
}

const (
	// probeRounds is how often each limit is tried, the three in turn, so that what disturbs one round is gone in another.
	probeRounds = 4
	probeCalls  = 75
	// readBytes is more than the caches of one processor, so that a second pass finds nothing of the first.
	readBytes = 1 << 29
	// readWindow is timed at once: long for a clock, and short enough to end before the system lets another process run.
	readWindow = 1 << 25
)

// Probe measures for about half a second. It takes the best of many short runs, which others on the machine disturb
// least.
func Probe() Limits {
	var l Limits
	data, free := hugeBytes(readBytes)
	defer free()
	for i := 0; i < len(data); i += 4096 {
		data[i] = 1 // a page that was never written need not be in memory at all
	}
	const piece = 1 << 20 // assembly is not interrupted, so it is not called for long
	at := 0
	read := func() int {
		for end := at + readWindow; at < end; at += piece {
			probeRead(data[at:][:piece])
		}
		at %= readBytes
		return readWindow
	}
	for range probeRounds {
		if active == tierAMX {
			l.BF16 = max(l.BF16, bestRate(probeCalls, probeBF16))
		}
		l.F32 = max(l.F32, bestRate(probeCalls, probeF32))
		l.Read = max(l.Read, bestRate(readBytes/readWindow, read))
	}
	return l
}

// bestRate returns the most work a second of a number of calls; f returns the work it has done.
func bestRate(calls int, f func() int) float64 {
	best := 0.0
	for range calls {
		start := time.Now()
		work := f()
		if t := time.Since(start).Seconds(); t > 0 {
			best = max(best, float64(work)/t)
		}
	}
	return best
}

// probeF32Go is the portable twin: eight sums, as dot8 has.
func probeF32Go() int {
	const n = 20000
	var s [8]float32
	x, y := float32(1), float32(1)
	a, b, c, d, e, f, g, h := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
	for range n {
		a += float32(x * y)
		b += float32(x * y)
		c += float32(x * y)
		d += float32(x * y)
		e += float32(x * y)
		f += float32(x * y)
		g += float32(x * y)
		h += float32(x * y)
		y = -y
	}
	sink = a + b + c + d + e + f + g + h
	return n * 8 * 2
}

// probeReadGo is the portable twin.
func probeReadGo(data []byte) {
	var a, b, c, d byte
	words := values[float32](data)
	for i := 0; i+64 <= len(words); i += 64 { // one value of each line is all that memory notices
		a += data[4*i]
		b += data[4*i+64]
		c += data[4*i+128]
		d += data[4*i+192]
	}
	sink = float32(a + b + c + d)
}

// sink keeps the compiler from dropping what is computed for its time alone.
var sink float32
