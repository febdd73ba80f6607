package overssh

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"flatnet/testdata/terminal"
)

// BenchmarkIdle is what the real console costs in a 120x40 terminal while
// nothing changes, with the lab's probes running: bytes to the terminal,
// processor and memory. It watches for FLATNET_IDLE (default 20s).
func BenchmarkIdle(b *testing.B) {
	watch := idleTime()
	lab := build(b)
	term, err := terminal.Start(exec.Command(lab), 120, 40)
	must(b, err)
	defer term.Close()
	must(b, term.WaitFor("6 up", patience))
	console := processOf(b, filepath.Join(filepath.Dir(lab), "flatnet-tui"))
	for b.Loop() {
		time.Sleep(3 * time.Second)
		bytes, ticks := term.Bytes(), cpu(b, console)
		time.Sleep(watch)
		b.ReportMetric(float64(term.Bytes()-bytes)/watch.Seconds(), "B/s")
		b.ReportMetric(float64(cpu(b, console)-ticks)/watch.Seconds(), "%cpu") // a tick is 10 ms
		b.ReportMetric(memory(b, console), "MB-RSS")
	}
	must(b, term.Type("q"))
}

// idleTime is how long an idle console is watched.
func idleTime() time.Duration {
	watch, err := time.ParseDuration(os.Getenv("FLATNET_IDLE"))
	if err != nil {
		return 20 * time.Second
	}
	return watch
}

// BenchmarkFirstFrame is the time from starting the program to its first
// useful frame, before any source has answered.
func BenchmarkFirstFrame(b *testing.B) {
	program := filepath.Join(filepath.Dir(build(b)), "flatnet-tui")
	var took []time.Duration
	for b.Loop() {
		cmd := exec.Command(program, "--read-only")
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

// processOf finds the process that runs a program.
func processOf(b *testing.B, program string) int {
	b.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	must(b, err)
	for _, l := range links {
		if target, err := os.Readlink(l); err == nil && target == program {
			pid, err := strconv.Atoi(strings.Split(l, "/")[2])
			must(b, err)
			return pid
		}
	}
	b.Fatalf("nobody runs %s", program)
	return 0
}

// cpu is the processor time that a process and the programs that it ran have
// used, in clock ticks.
func cpu(b *testing.B, pid int) int {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	must(b, err)
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	sum := 0
	for _, f := range fields[11:15] { // utime, stime, cutime, cstime (proc_pid_stat(5))
		n, err := strconv.Atoi(f)
		must(b, err)
		sum += n
	}
	return sum
}

// memory is a process's resident memory in megabytes.
func memory(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(b, err)
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			must(b, err)
			return kb / 1024
		}
	}
	return 0
}
