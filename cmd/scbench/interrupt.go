package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// interrupts calls stop at the first Ctrl-C (or SIGTERM) and cancel at the second; finished says what is done between the two. The function
// it returns ends that.
func interrupts(w io.Writer, finished string, stop, cancel func()) (done func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	var running sync.WaitGroup
	running.Go(func() {
		for n := 0; ; n++ {
			if _, open := <-signals; !open {
				return
			}
			if n == 0 {
				fmt.Fprintln(w, "stopping: "+finished+"; press Ctrl-C again to drop them")
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

// examplesFirst is what a run does between the first Ctrl-C and the second.
const examplesFirst = "the examples in work are finished first"
