//go:build !amd64

package kernels

func (a *Attention) quantPages(pages []PageView) bool { return false }
