//go:build !unix

package kv

func mapBytes(size int) []byte { return make([]byte, size) }

func unmapBytes([]byte) {}
