package ipam_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"flatnet/core/ipam"
	"flatnet/core/journal"
)

const workerEnv = "FLATNET_IPAM_WORKER"

// worker is this test binary as a process of its own that takes and gives
// back addresses. FLATNET_IPAM_WORKER is the directory; the arguments are a
// container id and how often.
func worker() bool {
	dir := os.Getenv(workerEnv)
	if dir == "" {
		return false
	}
	times, err := strconv.Atoi(os.Args[2])
	for i := 0; err == nil && i < times; i++ {
		err = takeAndGiveBack(dir, fmt.Sprintf("%s-%d", os.Args[1], i))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

func takeAndGiveBack(dir, id string) error {
	p := wide()
	s := workerStore(dir)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := add(ctx, s, id, p, time.Now()); err != nil {
		return err
	}
	return s.Update(ctx, func(st *ipam.State) ([]journal.Entry, error) {
		return ipam.ReleaseAttachment(st, id, "eth0", "plugin DEL", time.Now()), nil
	})
}

// resident is the container that no worker touches.
var resident = ipam.Lease{IP: addr("10.87.1.2"), ContainerID: "resident", Name: "resident", IfName: "eth0", AllocatedAt: start}

func workerStore(dir string) *ipam.FileStore {
	return ipam.OpenFile(dir, ipam.Options{
		Pool: wide(), Holder: "worker", Now: time.Now,
		Rebuild: func(context.Context) ([]ipam.Lease, error) { return []ipam.Lease{resident}, nil },
	})
}

// wide is a pool with room for thousands.
func wide() ipam.Pool {
	p := pool()
	p.Subnet = prefix("10.87.0.0/16")
	p.RangeStart, p.RangeEnd = addr("10.87.2.0"), addr("10.87.255.254")
	return p
}

// command makes a worker process, started by the words before.
func command(dir, id string, times int, before ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	args := slices.Concat(before, []string{self, id, strconv.Itoa(times)})
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), workerEnv+"="+dir)
	return cmd
}

func TestParallelProcesses(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	const processes, times = 24, 10
	for i := range processes {
		wg.Go(func() {
			if out, err := command(dir, fmt.Sprintf("p%d", i), times).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	s, err := workerStore(dir).Read(t.Context())
	if err != nil || s.Len() != 1 {
		t.Errorf("%d leases left, %v; want only the resident's", s.Len(), err)
	}
	if given := replay(t, dir); given != processes*times {
		t.Errorf("%d addresses were given, want %d", given, processes*times)
	}
}

// replay goes through the journal from its beginning: no address may be given
// while it is held.
func replay(t *testing.T, dir string) (given int) {
	t.Helper()
	entries, err := journal.Open(dir, "test").Recent(t.Context(), 1<<20, nil)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(entries)
	held := map[string]string{}
	for _, e := range entries {
		switch e.Action {
		case "allocate":
			if by := held[e.IP]; by != "" {
				t.Errorf("%s was given to %s and held by %s", e.IP, e.ContainerID, by)
			}
			held[e.IP] = e.ContainerID
			given++
		case "release":
			delete(held, e.IP)
		}
	}
	return given
}

// TestKilledAtRandom kills workers at any time. What they leave must be read,
// and gone on from, by the next.
func TestKilledAtRandom(t *testing.T) {
	dir := t.TempDir()
	if err := takeAndGiveBack(dir, "first"); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		cmd := command(dir, fmt.Sprintf("k%d", i), 1000)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(5000+i*173%9000) * time.Microsecond) // past the program's start
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		checkWhole(t, dir, fmt.Sprintf("kill %d", i))
	}
}

// checkWhole looks that the state in dir can be read, that the resident's
// lease is there and that the next call goes on right.
func checkWhole(t *testing.T, dir, when string) {
	t.Helper()
	s, err := workerStore(dir).Read(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	if l, ok := s.Lease(resident.IP); s.Len() > 0 && (!ok || l != resident) {
		t.Fatalf("%s: the resident's lease is %+v", when, l)
	}
	if err := takeAndGiveBack(dir, "next"); err != nil {
		t.Fatalf("%s: the next call: %v", when, err)
	}
	after, err := workerStore(dir).Read(t.Context())
	if _, ok := after.Find("next", "eth0"); err != nil || ok || after.Len() < max(1, s.Len()) {
		t.Fatalf("%s: afterwards %d leases, before %d (%v)", when, after.Len(), s.Len(), err)
	}
}

// TestKilledAtEverySystemCall kills a worker on its way into the n-th call of
// each kind that changes something, for every n that it comes to.
func TestKilledAtEverySystemCall(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatalf("strace is needed: %v", err)
	}
	for name, prepare := range map[string]func(*testing.T, string){
		"a new directory": func(_ *testing.T, dir string) { _ = os.Remove(dir) },
		"a good state": func(t *testing.T, dir string) {
			if err := takeAndGiveBack(dir, "first"); err != nil {
				t.Fatal(err)
			}
		},
		"the old form":    func(t *testing.T, dir string) { put(t, dir, oldForm) },
		"a bad file":      func(t *testing.T, dir string) { put(t, dir, "torn") },
		"a journal's end": fullJournal,
	} {
		t.Run(name, func(t *testing.T) {
			kills := 0
			for call, times := range callsOf(t, strace, prepare) {
				for n := 1; n <= times; n++ {
					killAt(t, strace, call, n, prepare)
					kills++
				}
			}
			t.Log(kills, "kills")
			if kills < 15 {
				t.Errorf("only %d kills: are the calls still the right ones?", kills)
			}
		})
	}
}

const oldForm = `{"subnet":"10.87.0.0/16","gateway":"10.87.1.1","range_start":"10.87.2.0","range_end":"10.87.255.254",
	"allocations":{"resident":"10.87.1.2"}}`

// TestSwapThatWasNotSynced: whoever was killed before the disk had the change
// of places leaves a spare that is still the state on the disk.
func TestSwapThatWasNotSynced(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatalf("strace is needed: %v", err)
	}
	dir, log := t.TempDir(), filepath.Join(t.TempDir(), "log")
	if err := takeAndGiveBack(dir, "first"); err != nil {
		t.Fatal(err)
	}
	calls := []string{"-y", "-e", "trace=fsync,pwrite64"}
	if out, err := traced(strace, dir, log, append(calls, "-e", "inject=fsync:signal=KILL:when=1")...).CombinedOutput(); err == nil {
		t.Fatalf("not killed: %s", out)
	}
	if out, err := traced(strace, dir, log, calls...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	written := regexp.MustCompile(`pwrite64\(\d+<[^>]*\.spare>`).FindIndex(text)
	if synced := bytes.Index(text, []byte("fsync(")); written == nil || synced < 0 || synced > written[0] {
		t.Errorf("the spare was overwritten before the directory was synced:\n%s", text)
	}
}

// fullJournal leaves a journal that is to be rotated next.
func fullJournal(t *testing.T, dir string) {
	if err := takeAndGiveBack(dir, "first"); err != nil {
		t.Fatal(err)
	}
	path := dir + "/" + journal.FileName
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	long := append(bytes.Repeat([]byte("x"), 40<<10), '\n')
	text = append(bytes.Repeat(long, 4<<20/len(long)+1), text...)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// traced makes a worker under strace, which looks only at what it does to the
// state directory, and not at what Go's runtime does.
func traced(strace, dir, log string, words ...string) *exec.Cmd {
	words = append([]string{strace, "-f", "-qq", "-o", log, "-P", dir}, words...)
	for _, name := range []string{ipam.FileName, "." + ipam.FileName + ".spare", journal.FileName, journal.LockName} {
		words = append(words, "-P", filepath.Join(dir, name))
	}
	return command(dir, "victim", 1, words...)
}

// callsOf counts the calls of one worker that change something.
func callsOf(t *testing.T, strace string, prepare func(*testing.T, string)) map[string]int {
	t.Helper()
	dir, log := t.TempDir(), filepath.Join(t.TempDir(), "log")
	prepare(t, dir)
	changing := "mkdirat,openat,write,pwrite64,ftruncate,fdatasync,fsync,renameat,renameat2,linkat,unlinkat,fchmodat"
	if out, err := traced(strace, dir, log, "-e", "trace="+changing).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]int{}
	for _, call := range regexp.MustCompile(`(?m)^\d+ +(\w+)\(`).FindAllStringSubmatch(string(text), -1) {
		calls[call[1]]++
	}
	return calls
}

// killAt kills a worker at its n-th call of that kind, and looks at what it left.
func killAt(t *testing.T, strace, call string, n int, prepare func(*testing.T, string)) {
	t.Helper()
	dir := t.TempDir()
	prepare(t, dir)
	before := replay(t, dir)
	inject := fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n)
	out, err := traced(strace, dir, "/dev/null", "-e", "trace="+call, "-e", inject).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("%s: not killed: %v: %s", inject, err, out)
	}
	when := fmt.Sprintf("killed at the %d. %s", n, call)
	if now := replay(t, dir); now < before {
		t.Fatalf("%s: the journal lost entries: %d, were %d", when, now, before)
	}
	if s, err := workerStore(dir).Read(t.Context()); errors.Is(err, ipam.ErrUnreadable) {
		if text, _ := os.ReadFile(dir + "/" + ipam.FileName); string(text) != "torn" {
			t.Fatalf("%s: the file became %q", when, text)
		}
		if err := takeAndGiveBack(dir, "mend"); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
	} else if _, ok := s.Lease(netip.MustParseAddr("10.87.1.2")); err != nil || !ok && s.Len() > 0 {
		t.Fatalf("%s: %d leases, %v", when, s.Len(), err)
	}
	if err := takeAndGiveBack(dir, "next"); err != nil {
		t.Fatalf("%s: the next call: %v", when, err)
	}
}
