//go:build unix && !linux

package kv

func adviseHuge([]byte) {}
