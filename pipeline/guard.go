package pipeline

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// PanicError is the error that a panic in a stage becomes. Wait returns it inside the error that names stage and item.
type PanicError struct {
	Value any    // what was passed to panic
	Stack []byte // of the goroutine, from the panic on
}

// Error is the panic's value and its stack, as many lines as that takes.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n\n%s", e.Value, e.Stack) }

// Unwrap is the panic's value if that is an error, else nil.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// errExit is the error of a function that ended its goroutine, as testing.T.FailNow does.
var errExit = errors.New("neither returned nor panicked, but called runtime.Goexit")

// guard calls fn and names stage and item in its error, be it returned or thrown.
func (s *stage) guard(item *int, fn func() error) (err error) {
	err = errExit // stands if fn never comes back
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
		exit := err == errExit
		if err != nil {
			err = s.named(*item, err)
		}
		if exit {
			s.flow.fail(err) // nobody is left to return it to
		}
	}()
	return fn()
}

func (s *stage) named(item int, err error) error {
	return fmt.Errorf("stage %q, item %d: %w", s.name, item, err)
}
