package overssh

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flatnet/testdata/podman"
	"flatnet/testdata/program"
	"flatnet/testdata/terminal"
)

// boxes is how many containers are looked at.
const boxes = 10

// rival is a console that is measured.
type rival struct {
	name  string
	start func() *exec.Cmd
	term  *terminal.Terminal
	first time.Duration // to the first byte
	frame time.Duration // to a container's name on the screen
	bytes int64
	used  program.Usage
}

// BenchmarkBesideOthers runs our console beside others: each in a 120x40
// terminal of its own, over the same ten containers of a real Podman, in which
// nothing changes. They start one after the other, and are then watched at the
// same time, for FLATNET_IDLE (default 20s). Others are looked for in
// bin/tools, where make bench puts what can be had, and on PATH.
func BenchmarkBesideOthers(b *testing.B) {
	socket := filepath.Join(b.TempDir(), "podman.sock")
	p := podman.New(b, podman.Options{TOML: fmt.Sprintf("[podman]\nsocket = %q\n[windows]\nenabled = false\n", socket)})
	serveAPI(b, p, socket)
	for i := range boxes {
		p.Run("run", "--detach", "--name", fmt.Sprintf("box-%d", i), "--network", "flatnet", podman.Postgres)
	}
	consoles := []*rival{{name: "flatnet-tui", start: func() *exec.Cmd {
		return exec.Command(program.Build(b, "flatnet/tui/flatnet-tui"), "--config", p.Config)
	}}}
	if path, err := others("lazydocker"); err == nil {
		consoles = append(consoles, &rival{name: "lazydocker", start: func() *exec.Cmd {
			cmd := exec.Command(path)
			cmd.Env = append(os.Environ(), "DOCKER_HOST=unix://"+socket, "HOME="+b.TempDir())
			return cmd
		}})
	} else {
		b.Logf("lazydocker is not measured: %v", err)
	}
	for b.Loop() {
		for _, c := range consoles {
			c.open(b)
		}
		watchAll(b, consoles)
	}
}

// serveAPI has Podman answer on a socket until the benchmark ends.
func serveAPI(b *testing.B, p *podman.Podman, socket string) {
	b.Helper()
	service := p.Command("system", "service", "--time", "0", "unix://"+socket)
	must(b, program.Start(service))
	b.Cleanup(func() { _ = service.Process.Kill(); _ = service.Wait() })
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(socket); err == nil {
			return
		}
		if time.Now().After(end) {
			b.Fatal("podman system service does not listen")
		}
	}
}

// others finds another console's program.
func others(name string) (string, error) {
	path, err := filepath.Abs(filepath.Join("..", "..", "bin", "tools", name))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return exec.LookPath(name)
}

// open starts a console and waits until it shows a container.
func (c *rival) open(b *testing.B) {
	b.Helper()
	cmd := c.start()
	start := time.Now()
	term, err := terminal.Start(cmd, 120, 40)
	must(b, err)
	b.Cleanup(term.Close)
	for term.Bytes() == 0 {
		time.Sleep(time.Millisecond)
	}
	c.first = time.Since(start)
	must(b, term.WaitFor("box-3", patience))
	c.frame, c.term = time.Since(start), term
}

// watchAll reports what each of them costs while nothing changes.
func watchAll(b *testing.B, consoles []*rival) {
	b.Helper()
	watch := program.IdleTime()
	time.Sleep(5 * time.Second)
	for _, c := range consoles {
		c.bytes, c.used = c.term.Bytes(), program.UsageOf(b, c.term.PID())
	}
	time.Sleep(watch)
	for _, c := range consoles {
		report := func(v float64, unit string) { b.ReportMetric(v, strings.Join([]string{c.name, unit}, "-")) }
		report(float64(c.term.Bytes()-c.bytes)/watch.Seconds(), "B/s")
		used := program.UsageOf(b, c.term.PID())
		report(used.Percent(c.used, watch), "%cpu")
		report(used.MB, "MB-RSS")
		report(float64(c.first.Milliseconds()), "ms-first-byte")
		report(float64(c.frame.Milliseconds()), "ms-containers")
		c.term.Close()
	}
}
