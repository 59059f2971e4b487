//go:build !amd64 && !arm64

package kernels

// tileState is for the tiers with assembly.
type tileState struct{}

func (a *Attention) startTiles(q []float32, scale float32) bool { return false }
func (a *Attention) tilePages(pages []PageView)                 {}
func (a *Attention) finishTiles(out []float32)                  {}
func (a *Attention) partialTiles(o, m, l []float32)             {}
