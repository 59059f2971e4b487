//go:build !amd64

package kernels

func (p *pageCodes) allKeys(k []float32) { p.allKeysGo(k) }

func (p *pageCodes) allValues(v []float32) { p.allValuesGo(v) }

func (p *pageCodes) set(keys, vals []uint32) { p.setGo(keys, vals) }

func finite(x []float32) bool { return finiteGo(x) }
