package plugin_test

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"flatnet/testdata/nettest"
)

// victim is a container whose calls are killed, beside one that stands.
type victim struct {
	m     *machine
	netns string
}

const victimID = "victim00abcdef"

func newVictim(t *testing.T, front string) *victim {
	m := newMachineFor(t, front, "")
	m.add("stands")
	return &victim{m: m, netns: nettest.New(t)}
}

func (v *victim) call(verb string) call {
	c := call{verb: verb, id: victimID, netns: v.netns, version: "1.1.0"}
	if verb == "GC" {
		c.keys = map[string]any{"cni.dev/valid-attachments": []any{map[string]any{"containerID": "stands", "ifname": "eth0"}}}
	}
	return c
}

// prepare brings things to where the verb has something to do.
func (v *victim) prepare(verb string) {
	v.m.t.Helper()
	if verb != "ADD" {
		if a := v.m.call(v.call("ADD")); a.status != 0 {
			v.m.t.Fatalf("ADD before %s: %s", verb, a)
		}
	}
}

// mend does what a runtime does after a call that broke off, and looks that
// nothing is left but the container that stands.
func (v *victim) mend(after string) {
	t := v.m.t
	t.Helper()
	if held := v.m.held(); held["10.87.1.2"] != "stands" || len(held) > 2 {
		t.Errorf("%s: leases %v", after, held)
	}
	mender := "DEL"
	if strings.HasPrefix(after, "GC") {
		mender = "GC"
	}
	if a := v.m.call(v.call(mender)); a.status != 0 {
		t.Fatalf("%s: %s: %s", after, mender, a)
	}
	held, links := v.m.held(), v.m.links("fn-")
	if len(held) != 1 || held["10.87.1.2"] != "stands" || len(links) != 1 || links[0] != "fn-stands" {
		t.Errorf("%s: after %s there are leases %v, links %v", after, mender, held, links)
	}
}

// works looks that the next container gets its network.
func (v *victim) works(after string) {
	v.m.t.Helper()
	if a := v.m.call(v.call("ADD")); a.status != 0 {
		v.m.t.Fatalf("%s: the next ADD: %s", after, a)
	}
	if a := v.m.call(v.call("CHECK")); a.status != 0 {
		v.m.t.Errorf("%s: CHECK of the next: %s", after, a)
	}
	if a := v.m.call(v.call("DEL")); a.status != 0 {
		v.m.t.Fatalf("%s: the next DEL: %s", after, a)
	}
}

// TestKillAtRandom kills the process with SIGKILL at any time, hundreds of
// times.
func TestKillAtRandom(t *testing.T) { onFronts(t, killAtRandom) }

func killAtRandom(t *testing.T, front string) {
	v := newVictim(t, front)
	killed, verbs := 0, verbsOf(front)
	for i := range 300 {
		verb := verbs[i%len(verbs)]
		v.prepare(verb)
		wait := time.Duration(rand.IntN(12000)) * time.Microsecond
		if v.killAfter(verb, wait) {
			killed++
		}
		v.mend(fmt.Sprintf("%s killed after %v", verb, wait))
	}
	v.works("at the end")
	t.Logf("%d of 300 calls were killed before their end", killed)
	if killed < 50 {
		t.Errorf("only %d calls were killed before their end", killed)
	}
}

func (v *victim) killAfter(verb string, wait time.Duration) (killed bool) {
	v.m.t.Helper()
	cmd := v.m.command(v.call(verb))
	var err error
	nettest.In(v.m.t, v.m.ns, func() { err = cmd.Start() })
	if err != nil {
		v.m.t.Fatal(err)
	}
	time.Sleep(wait)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled()
}

// changing are the system calls by which the plugin and the programs that it
// starts change something.
var changing = []string{
	"openat", "write", "pwrite64", "ftruncate", "fsync", "fdatasync", "renameat", "renameat2", "mkdirat", "unlinkat",
	"flock", "sendto", "sendmsg", "setns", "execve", "clone",
}

// TestKillAtEverySystemCall kills the process on entering each system call
// that changes something: the first, the second and so on of each.
func TestKillAtEverySystemCall(t *testing.T) {
	onFronts(t, func(t *testing.T, front string) {
		for _, verb := range verbsOf(front) {
			t.Run(verb, func(t *testing.T) {
				t.Parallel()
				v := newVictim(t, front)
				atEverySystemCall(t, func(name string, n int) bool {
					v.prepare(verb)
					killed := v.killAt(t, verb, name, n)
					v.mend(fmt.Sprintf("%s killed at %s %d", verb, name, n))
					return killed
				})
				v.works("at the end")
			})
		}
	})
}

// verbsOf gives the verbs that change something; netavark has no GC.
func verbsOf(front string) []string {
	if front == "netavark" {
		return []string{"ADD", "DEL"}
	}
	return []string{"ADD", "DEL", "GC"}
}

// TestKillFirstAdd kills the call that makes bridge and rules, each time in a
// new namespace: the next call brings them to their end.
func TestKillFirstAdd(t *testing.T) {
	onFronts(t, func(t *testing.T, front string) {
		t.Parallel()
		atEverySystemCall(t, func(name string, n int) bool {
			v := &victim{m: newMachineFor(t, front, ""), netns: nettest.New(t)}
			killed := v.killAt(t, "ADD", name, n)
			after := fmt.Sprintf("the first ADD killed at %s %d", name, n)
			if a := v.m.call(v.call("DEL")); a.status != 0 {
				t.Errorf("%s: DEL: %s", after, a)
			}
			v.m.nothingLeft(after)
			v.works(after)
			return killed
		})
	})
}

// atEverySystemCall calls kill for the first, second and so on of each system
// call. strace counts them for each thread, so after a few that were not
// reached there may be no further one.
func atEverySystemCall(t *testing.T, kill func(name string, n int) bool) {
	t.Helper()
	total := 0
	for _, name := range changing {
		for n, missed := 1, 0; missed < 3; n++ {
			if kill(name, n) {
				total++
				missed = 0
			} else {
				missed++
			}
		}
	}
	t.Logf("killed %d times", total)
	if total < 20 {
		t.Errorf("killed only %d times", total)
	}
}

// killAt has strace send SIGKILL to the plugin, or to a program that it
// started, at the nth system call of this name. It is true if the plugin died.
func (v *victim) killAt(t *testing.T, verb, name string, n int) (killed bool) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal("strace is not installed")
	}
	cmd := v.m.command(v.call(verb))
	cmd.Path = strace
	cmd.Args = append([]string{
		strace, "-f", "-o", "/dev/null", "-e", "trace=" + name,
		"-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", name, n),
	}, cmd.Args...)
	nettest.In(t, v.m.ns, func() { err = cmd.Run() })
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled()
}
