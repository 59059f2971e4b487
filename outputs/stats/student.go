package stats

import "math"

// NormalCDF is the distribution function of the standard normal.
func NormalCDF(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// StudentCDF is the distribution function of Student's t with df > 0 degrees of freedom, which need not be whole.
func StudentCDF(t, df float64) float64 {
	tail := beta(df/(df+t*t), df/2, 0.5) / 2
	if t > 0 {
		return 1 - tail
	}
	return tail
}

// StudentQuantile inverts StudentCDF for p in (0, 1).
func StudentQuantile(p, df float64) float64 {
	if p < 0.5 {
		return -StudentQuantile(1-p, df)
	}
	high := 1.0
	for StudentCDF(high, df) < p && high < 1e12 {
		high *= 2
	}
	low, at := 0.0, high/2
	for range 100 { // Newton's steps, halving where one leaves what is known to hold the quantile
		short := StudentCDF(at, df) - p
		if short < 0 {
			low = at
		} else {
			high = at
		}
		next := at - short/studentDensity(at, df)
		if !(next > low && next < high) {
			next = (low + high) / 2
		}
		if math.Abs(next-at) <= 1e-15*next {
			return next
		}
		at = next
	}
	return at
}

func studentDensity(t, df float64) float64 {
	above, _ := math.Lgamma((df + 1) / 2)
	below, _ := math.Lgamma(df / 2)
	return math.Exp(above-below-(df+1)/2*math.Log1p(t*t/df)) / math.Sqrt(df*math.Pi)
}

// beta is the regularised incomplete beta function, by Lentz's continued fraction.
func beta(x, a, b float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	case x > (a+1)/(a+b+2):
		return 1 - beta(1-x, b, a)
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab-la-lb+a*math.Log(x)+b*math.Log1p(-x)) / a
	const tiny = 1e-300
	f, c, d := 1.0, 1.0, 0.0
	for i := range 500 {
		m := float64(i / 2)
		num := 1.0
		switch {
		case i == 0:
		case i%2 == 0:
			num = m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		default:
			num = -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		}
		d = 1 + num*d
		if math.Abs(d) < tiny {
			d = tiny
		}
		d = 1 / d
		c = 1 + num/c
		if math.Abs(c) < tiny {
			c = tiny
		}
		f *= c * d
		if math.Abs(1-c*d) < 1e-14 {
			break
		}
	}
	return front * (f - 1)
}

// noncentral is the distribution function of the noncentral t at x: the mean of the normal one over the spread that
// a standard error of df degrees of freedom has, by Simpson's rule.
func noncentral(x, df, shift float64) float64 {
	const steps = 400
	half := 10 / math.Sqrt(2*df)
	low, high := max(0, 1-half), 1+half
	lg, _ := math.Lgamma(df / 2)
	norm := math.Ln2 + df/2*math.Log(df/2) - lg
	h, sum := (high-low)/steps, 0.0
	for i := range steps + 1 {
		s := low + float64(i)*h
		weight := float64(2 + 2*(i%2))
		if i == 0 || i == steps {
			weight = 1
		}
		if s == 0 {
			if df > 1 {
				continue
			}
			s = 1e-12
		}
		sum += weight * NormalCDF(x*s-shift) * math.Exp(norm+(df-1)*math.Log(s)-df*s*s/2)
	}
	return sum * h / 3
}
