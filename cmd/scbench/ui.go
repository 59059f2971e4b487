package main

import (
	"io"
	"os"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"scbench/outputs"
)

// screen shows a run in the terminal and keeps what it shows up to date.
type screen struct {
	f      *outputs.Follower
	dir    string
	stop   func() // Ctrl-C; nil: it leaves the screen
	every  time.Duration
	text   string
	err    error
	top    int // lines scrolled away
	width  int
	height int
}

// look is what was found of the run.
type look struct {
	text string
	done bool
	err  error
}

// watch shows the run of f until it ends, or the user leaves.
func watch(out io.Writer, f *outputs.Follower, dir string) error {
	m, err := tea.NewProgram(&screen{f: f, dir: dir, every: beat}, tea.WithOutput(out)).Run()
	if err != nil {
		return err
	}
	s := m.(*screen)
	if s.err != nil {
		return s.err
	}
	_, err = io.WriteString(out, s.text) // the screen is gone with what it showed
	return err
}

// overlook shows a run of this process; done takes the screen away. stop is called at Ctrl-C, which the terminal hands to the
// screen instead of the process, and left when the screen is gone.
func overlook(out io.Writer, dir string, stop, left func()) (done func(), err error) {
	f, err := outputs.Follow(dir)
	if err != nil {
		return nil, err
	}
	p := tea.NewProgram(&screen{f: f, dir: dir, every: beat, stop: stop}, tea.WithOutput(out), tea.WithoutSignalHandler())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = p.Run() // without it the run goes on unseen
		left()
	}()
	return func() {
		p.Quit()
		<-ended
	}, nil
}

// Init looks for the first time.
func (s *screen) Init() tea.Cmd { return s.look }

// look reads what is new. It is run by one goroutine at a time: the next look is begun when this one was taken in.
func (s *screen) look() tea.Msg {
	if err := s.f.Read(); err != nil {
		return look{err: err}
	}
	live, err := outputs.ReadLive(s.dir)
	if err != nil {
		return look{err: err}
	}
	return look{text: sight{f: s.f, live: live, now: time.Now(), width: s.width, color: outputs.Always}.String(), done: s.f.Finished}
}

// Update takes in what was found, pressed, or became of the window.
func (s *screen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case look:
		if s.err = msg.err; msg.err != nil {
			return s, tea.Quit
		}
		if s.text = msg.text; msg.done {
			return s, tea.Quit
		}
		return s, tea.Tick(s.every, func(time.Time) tea.Msg { return s.look() })
	case tea.WindowSizeMsg:
		s.width, s.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		return s, s.press(msg.String())
	}
	return s, nil
}

// press does what a key is for.
func (s *screen) press(key string) tea.Cmd {
	switch key {
	case "q", "esc":
		return tea.Quit
	case "ctrl+c":
		if s.stop == nil {
			return tea.Quit
		}
		s.stop()
	case "down", "j":
		s.top++
	case "up", "k":
		s.top--
	case "pgdown", "space":
		s.top += s.height / 2
	case "pgup":
		s.top -= s.height / 2
	case "home", "g":
		s.top = 0
	}
	return nil
}

// View is the part of the text that the window has room for, and a line on the keys.
func (s *screen) View() tea.View {
	lines := strings.Split(strings.TrimSuffix(s.text, "\n"), "\n")
	room := max(s.height-1, 1)
	s.top = max(0, min(s.top, len(lines)-room))
	shown := lines[s.top:min(s.top+room, len(lines))]
	keys := "q leaves, the run goes on · ↑ ↓ scroll"
	if s.stop != nil {
		keys = "q back to plain progress · Ctrl-C stops the run, finished rows are kept · ↑ ↓ scroll"
	}
	v := tea.NewView(strings.Join(shown, "\n") + "\n\x1b[2m" + keys + "\x1b[0m")
	v.AltScreen = true
	return v
}

// interruptSelf is what Ctrl-C does where the terminal does not do it.
func interruptSelf() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Signal(os.Interrupt) // where there are no signals, q and the window's end remain
	}
}
