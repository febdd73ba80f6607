package tui

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"flatnet/core/leases"
	"flatnet/core/say"
	"flatnet/testdata/example"
	"flatnet/tui/pane"
)

// moody answers differently each time: good, broken, nothing, an error. It has
// dice of its own: sources are asked side by side.
func moody[T any](seed uint64, values ...T) pane.Source[T] {
	r := rand.New(rand.NewPCG(seed, 2))
	return func(context.Context) (T, error) {
		n := r.IntN(len(values) + 1)
		if n == len(values) {
			var none T
			return none, errors.New("the source \x1b[31mfails\x1b[0m: 長い理由 " + string(rune(r.IntN(0x3000))))
		}
		return values[n], nil
	}
}

// monkeyKeys are all that the actions have, and what is typed into fields.
func monkeyKeys(m *Model) []string {
	keys := []string{"a", "b", "1", "backspace", "enter", "esc", "tab", "left", "right", "up", "down", "受", "\u202e", "y", "n"}
	for _, a := range m.actions() {
		for _, k := range a.Keys {
			if k != "q" && k != "ctrl+c" && k != "ctrl+z" {
				keys = append(keys, k)
			}
		}
	}
	return keys
}

// monkey types, resizes and refreshes at random, and looks at each screen.
func monkey(t *testing.T, seed uint64, steps int) {
	r := rand.New(rand.NewPCG(seed, 1))
	now := example.Now()
	b := newBench(t, func(o *Options) {
		o.Now = func() time.Time { return now }
		o.Sources = pane.Sources{
			Bridge:    moody(seed, example.Bridge(true), example.Bridge(false), pane.BridgeView{}),
			Leases:    moody(seed, example.Leases(), example.ManyLeases(300), []leases.Status(nil)),
			Windows:   moody(seed, example.Windows(true), example.Windows(false)),
			Upstreams: moody(seed, example.Upstreams(true), example.Upstreams(false), pane.UpstreamsView{}),
		}
		o.Tools.Path = func(_ context.Context, host string, _ Progress) ([]PathHop, error) {
			return []PathHop{{Name: say.Data(host)}}, nil
		}
	})
	width, height := 120, 40
	keys := monkeyKeys(b.m)
	for range steps {
		switch r.IntN(12) {
		case 0:
			width, height = 1+r.IntN(220), 1+r.IntN(70)
			b.send(tea.WindowSizeMsg{Width: width, Height: height})
		case 1:
			b.run(b.m.refreshAll(r.IntN(2) == 0))
		case 2:
			b.send(tea.MouseClickMsg{X: r.IntN(width), Y: r.IntN(height)})
		case 3:
			b.send(tea.PasteMsg{Content: "paste\x1b[2J\n貼り付け"})
		case 4:
			b.send(tea.ColorProfileMsg{Profile: []colorprofile.Profile{colorprofile.TrueColor, colorprofile.ANSI, colorprofile.ASCII}[r.IntN(3)]})
		case 5:
			now = now.Add(time.Duration(r.IntN(1000)) * time.Millisecond)
		default:
			b.send(press(keys[r.IntN(len(keys))]))
		}
		wellFormed(t, b.m.View().Content, width, height)
	}
}

// TestMonkey is a short run of FuzzConsole with fixed seeds; FLATNET_MONKEY
// gives how long it goes on ("5m").
func TestMonkey(t *testing.T) {
	for seed := range uint64(4) {
		monkey(t, seed, 120)
	}
	long, err := time.ParseDuration(os.Getenv("FLATNET_MONKEY"))
	if err != nil {
		return
	}
	for seed, end := uint64(100), time.Now().Add(long); time.Now().Before(end); seed++ {
		monkey(t, seed, 2000)
	}
}

func FuzzConsole(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { monkey(t, seed, 200) })
}

// TestNothingGrows: 10,000 refreshes leave heap, goroutines and descriptors
// as they were.
func TestNothingGrows(t *testing.T) {
	d := newDriver(t, exampleOptions(true), 120, 40).start()
	refresh := func(n int) {
		for range n {
			d.sent = d.sent[:0]
			d.run(d.m.refreshAll(false))
			_ = d.m.View()
		}
	}
	refresh(200)
	heap, goroutines, files := usage(t)
	refresh(2500) // of four panes each
	heapAfter, goroutinesAfter, filesAfter := usage(t)
	if heapAfter > heap+1<<20 {
		t.Errorf("the heap grew from %d to %d bytes", heap, heapAfter)
	}
	if goroutinesAfter > goroutines+2 || filesAfter > files {
		t.Errorf("goroutines %d and then %d, descriptors %d and then %d", goroutines, goroutinesAfter, files, filesAfter)
	}
}

func usage(t *testing.T) (heap uint64, goroutines, files int) {
	t.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return m.HeapAlloc, runtime.NumGoroutine(), len(open)
}
