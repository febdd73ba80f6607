package program

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// IdleTime is how long benchmarks watch a program while nothing happens:
// FLATNET_IDLE, "20s" if it is not set.
func IdleTime() time.Duration {
	d, err := time.ParseDuration(os.Getenv("FLATNET_IDLE"))
	if err != nil {
		return 20 * time.Second
	}
	return d
}

// Usage is what a running process has of the machine.
type Usage struct {
	CPU   time.Duration // of it and the programs that it ran and that have ended
	MB    float64       // resident
	Files int           // descriptors that it holds open
}

// UsageOf looks at a process.
func UsageOf(t testing.TB, pid int) Usage {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return Usage{CPU: cpu(t, pid), MB: resident(t, pid), Files: len(open)}
}

// Percent is the share of one processor that was used since an earlier look.
func (u Usage) Percent(before Usage, passed time.Duration) float64 {
	return float64(u.CPU-before.CPU) / float64(passed) * 100
}

func cpu(t testing.TB, pid int) time.Duration {
	t.Helper()
	const tick = 10 * time.Millisecond // USER_HZ is 100 everywhere
	stat := read(t, pid, "stat")
	var sum time.Duration
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	for _, f := range fields[11:15] { // utime, stime, cutime, cstime (proc_pid_stat(5))
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		sum += time.Duration(n) * tick
	}
	return sum
}

func resident(t testing.TB, pid int) float64 {
	t.Helper()
	for line := range strings.Lines(read(t, pid, "status")) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				t.Fatal(err)
			}
			return kb / 1024
		}
	}
	t.Fatalf("process %d has ended", pid)
	return 0
}

func read(t testing.TB, pid int, name string) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
