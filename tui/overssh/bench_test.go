package overssh

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"flatnet/testdata/program"
	"flatnet/testdata/terminal"
)

// BenchmarkIdle is what the real console costs in a 120x40 terminal while
// nothing changes, with the lab's probes running: bytes to the terminal,
// processor and memory. It watches for FLATNET_IDLE (default 20s).
func BenchmarkIdle(b *testing.B) {
	watch := program.IdleTime()
	lab := build(b)
	term, err := terminal.Start(exec.Command(lab), 120, 40)
	must(b, err)
	defer term.Close()
	must(b, term.WaitFor("6 up", patience))
	console := processOf(b, filepath.Join(filepath.Dir(lab), "flatnet-tui"))
	for b.Loop() {
		time.Sleep(3 * time.Second)
		bytes, before := term.Bytes(), program.UsageOf(b, console)
		time.Sleep(watch)
		b.ReportMetric(float64(term.Bytes()-bytes)/watch.Seconds(), "B/s")
		after := program.UsageOf(b, console)
		b.ReportMetric(after.Percent(before, watch), "%cpu")
		b.ReportMetric(after.MB, "MB-RSS")
	}
	must(b, term.Type("q"))
}

// BenchmarkFirstFrame is the time from starting the program to its first
// useful frame, before any source has answered.
func BenchmarkFirstFrame(b *testing.B) {
	console := filepath.Join(filepath.Dir(build(b)), "flatnet-tui")
	var took []time.Duration
	for b.Loop() {
		cmd := exec.Command(console, "--read-only")
		cmd.Env = append(os.Environ(), "TERM=xterm-256color", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "SSH_TTY=x")
		start := time.Now()
		file, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 120, Rows: 40})
		must(b, err)
		var seen strings.Builder
		buf := make([]byte, 64<<10)
		for !strings.Contains(seen.String(), "Upstreams") {
			n, err := file.Read(buf)
			must(b, err)
			seen.Write(buf[:n])
		}
		took = append(took, time.Since(start))
		b.StopTimer()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		file.Close()
		b.StartTimer()
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[0].Microseconds())/1000, "ms-best")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-median")
}

// processOf finds the process that runs the program of this path.
func processOf(b *testing.B, path string) int {
	b.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	must(b, err)
	for _, l := range links {
		if target, err := os.Readlink(l); err == nil && target == path {
			pid, err := strconv.Atoi(strings.Split(l, "/")[2])
			must(b, err)
			return pid
		}
	}
	b.Fatalf("nobody runs %s", path)
	return 0
}
