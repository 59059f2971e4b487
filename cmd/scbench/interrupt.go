package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// interrupts calls stop at the first Ctrl-C (or SIGTERM) and cancel at the second. The function it returns ends that.
func interrupts(w io.Writer, stop, cancel func()) (done func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	var running sync.WaitGroup
	running.Go(func() {
		for n := 0; ; n++ {
			if _, open := <-signals; !open {
				return
			}
			if n == 0 {
				fmt.Fprintln(w, "stopping: the examples in work are finished first; press Ctrl-C again to drop them")
				stop()
				continue
			}
			cancel()
		}
	})
	return func() {
		signal.Stop(signals)
		close(signals)
		running.Wait()
	}
}
