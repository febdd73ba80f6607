package plugin_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/testdata/nettest"
)

// fileCall is one system call on one file: the nth of its kind on it.
type fileCall struct {
	name string
	file string // below the machine's directory; "" is that itself
	nth  int
}

func (c fileCall) String() string { return fmt.Sprintf("%s %d of %q", c.name, c.nth, c.file) }

// fileCalls are the system calls by which the plugin reaches and changes
// files, with the errors that each can end in.
var fileCalls = map[string][]string{
	"openat": {"EIO"}, "mkdirat": {"ENOSPC"}, "write": {"EIO", "ENOSPC"}, "pwrite64": {"ENOSPC"}, "ftruncate": {"EIO"},
	"fsync": {"EIO"}, "fdatasync": {"EIO", "ENOSPC"}, "flock": {"EIO"}, "close": {"EIO"},
	"fchmodat": {"EIO"}, "renameat": {"EIO"}, "renameat2": {"EIO"}, "linkat": {"ENOSPC"}, "unlinkat": {"EIO"},
}

// fileScene is a verb in certain circumstances.
type fileScene struct {
	name, verb string
	prepare    func(m *machine) error // before each call
	first      bool                   // on a machine where nothing is made yet
	torn       bool                   // prepare leaves a state that cannot be read
}

var fileScenes = []fileScene{
	{name: "the first ADD", verb: "ADD", first: true},
	{name: "an ADD", verb: "ADD"},
	{name: "an ADD that finds a torn state", verb: "ADD", prepare: tearState, torn: true},
	{name: "an ADD that rotates", verb: "ADD", prepare: fillJournalAndLog},
	{name: "a DEL", verb: "DEL"},
	{name: "a DEL that finds a torn state", verb: "DEL", prepare: tearState, torn: true},
}

// tearState cuts the state file in half.
func tearState(m *machine) error {
	path := filepath.Join(m.state, ipam.FileName)
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return os.Truncate(path, info.Size()/2)
}

// fillJournalAndLog makes both so long that the next line rotates them.
func fillJournalAndLog(m *machine) error {
	const size = 16 << 20 // more than either's limit
	for _, path := range []string{filepath.Join(m.state, journal.FileName), m.log} {
		if err := os.Truncate(path, size); err != nil {
			return err
		}
	}
	return nil
}

// TestFaultAtEveryFileCall lets each system call of an ADD and a DEL on a file
// of ours fail in turn: of the real program, in a real namespace. Nothing of
// an ADD that failed is left, an error is a clear one, the state can be read,
// and the next call works.
func TestFaultAtEveryFileCall(t *testing.T) {
	for _, s := range fileScenes {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			v := newScene(t, s)
			v.begin(s)
			calls := v.fileCalls(s.verb)
			v.end(s, answer{}, "without a fault")
			synced := slices.Contains(calls, fileCall{"fdatasync", "/ipam/" + journal.FileName, 1})
			if lasts := s.verb == "DEL" || s.torn; synced != lasts {
				t.Errorf("that the journal is synced is %v, want %v", synced, lasts)
			}
			tried, met := 0, 0
			for _, c := range calls {
				for _, failure := range fileCalls[c.name] {
					tried++
					if v.faulty(s, c, failure) {
						met++
					} else {
						t.Logf("not met: %s at %v", failure, c)
					}
				}
			}
			t.Logf("%d of %d faults were met", met, tried)
			if met < tried*3/4 || tried < 20 {
				t.Errorf("only %d of %d faults were met", met, tried)
			}
		})
	}
}

func newScene(t *testing.T, s fileScene) *victim {
	if s.first {
		return &victim{m: newMachine(t, ""), netns: nettest.New(t)}
	}
	return newVictim(t, "cni")
}

// begin brings things to where the verb has something to do.
func (v *victim) begin(s fileScene) {
	v.m.t.Helper()
	v.prepare(s.verb)
	_ = os.Remove(filepath.Join(v.m.state, "rules")) // has the call remember them anew
	if s.prepare != nil {
		if err := s.prepare(v.m); err != nil {
			v.m.t.Fatal(err)
		}
	}
}

// faulty makes the call with a fault in it, judges what it answers, and goes
// on. It is false if the fault was not met.
func (v *victim) faulty(s fileScene, c fileCall, failure string) bool {
	t := v.m.t
	t.Helper()
	if s.first {
		v = newScene(t.(*testing.T), s)
		defer func() { // a state that is rebuilt looks into each that is there
			nettest.Delete(v.m.ns)
			nettest.Delete(v.netns)
		}()
	}
	what := fmt.Sprintf("%s with %s at %v", s.name, failure, c)
	before := v.m.picture()
	v.begin(s)
	a, hit := v.inject(s.verb, c, failure)
	if a.status != 0 {
		v.failedWell(s, c, a, what)
		if after := v.m.picture(); s.verb == "ADD" && after != before {
			t.Errorf("%s: %s\nbefore:\n%s\nafter:\n%s", what, a, before, after)
		}
	} else if links := v.m.links("fn-victim"); s.verb == "DEL" && len(links) > 0 {
		t.Errorf("%s: DEL is content, and %v is left", what, links)
	}
	v.end(s, a, what)
	return hit
}

// failedWell judges a call that failed.
func (v *victim) failedWell(s fileScene, c fileCall, a answer, what string) {
	t := v.m.t
	t.Helper()
	if a.status != 1 || a.failure.Code == 999 || a.failure.Details == "" {
		t.Errorf("%s: no clear error: %s", what, a)
	}
	if v.m.log == v.m.dir()+c.file {
		t.Errorf("%s: a log that cannot be written failed the call: %s", what, a)
	}
	held, err := v.m.readHeld()
	if err != nil && !s.torn {
		t.Errorf("%s: %v", what, err)
	}
	for ip, owner := range held {
		if s.verb == "ADD" && owner == victimID {
			t.Errorf("%s: %s is still held: %s", what, ip, a)
		}
	}
}

// end calls the verb again if it failed, and DEL after ADD; nothing is left
// then but the container that stands.
func (v *victim) end(s fileScene, a answer, what string) {
	t := v.m.t
	t.Helper()
	verbs := map[bool][]string{true: {s.verb}}[a.status != 0]
	if s.verb == "ADD" {
		verbs = append(verbs, "CHECK", "DEL")
	}
	for _, verb := range verbs {
		if a := v.m.call(v.call(verb)); a.status != 0 {
			t.Fatalf("%s: %s afterwards: %s", what, verb, a)
		}
	}
	want := map[string]string{"10.87.1.2": "stands"}
	if s.first {
		want = map[string]string{}
	}
	held, links := v.m.held(), v.m.links("fn-")
	if len(held) != len(want) || held["10.87.1.2"] != want["10.87.1.2"] || len(links) != len(want) {
		t.Errorf("%s: afterwards there are leases %v, links %v", what, held, links)
	}
}

// fileCalls makes the call and gives all that it does with files of ours.
func (v *victim) fileCalls(verb string) []fileCall {
	t := v.m.t
	t.Helper()
	names := slices.Sorted(maps.Keys(fileCalls))
	a, trace := v.strace(verb, "-e", "trace="+strings.Join(names, ","))
	if a.status != 0 {
		t.Fatal(a)
	}
	var calls []fileCall
	done := map[fileCall]int{}
	for _, m := range tracedCall.FindAllStringSubmatch(trace, -1) {
		file, ours := strings.CutPrefix(m[2]+m[3], v.m.dir())
		if !ours {
			continue
		}
		c := fileCall{name: m[1], file: file}
		done[c]++
		calls = append(calls, fileCall{c.name, c.file, done[c]})
	}
	return calls
}

// tracedCall is a line of strace -y about a call whose first file is named, or
// given by a descriptor.
var tracedCall = regexp.MustCompile(`(?m)^\d+ +(\w+)\((?:AT_FDCWD<[^>]*>, "([^"]+)"|\d+<([^>]+)>)`)

// inject makes the call with one system call failing. strace counts for each
// thread, and goroutines change theirs, so it can miss.
func (v *victim) inject(verb string, c fileCall, failure string) (a answer, hit bool) {
	v.m.t.Helper()
	a, trace := v.strace(verb, "-P", v.m.dir()+c.file, "-e", "trace="+c.name,
		"-e", fmt.Sprintf("inject=%s:error=%s:when=%d", c.name, failure, c.nth))
	return a, strings.Contains(trace, "(INJECTED)")
}

// strace makes the call under strace and gives its trace.
func (v *victim) strace(verb string, options ...string) (a answer, trace string) {
	t := v.m.t
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal("strace is not installed")
	}
	out := filepath.Join(t.TempDir(), "trace")
	cmd := v.m.command(v.call(verb))
	cmd.Path = path
	cmd.Args = append(append([]string{path, "-f", "-y", "-o", out}, options...), v.m.plugin)
	a = v.m.run(cmd)
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return a, string(text)
}

// dir is where the machine's files are.
func (m *machine) dir() string { return filepath.Dir(m.config) }

// picture is what a failed ADD is to leave as it was, besides the leases.
func (m *machine) picture() string {
	m.t.Helper()
	var rules []string
	nettest.In(m.t, m.ns, func() {
		text, err := exec.Command("/usr/sbin/iptables-save").Output()
		if err != nil {
			m.t.Error(err)
		}
		for _, line := range strings.Split(string(text), "\n") {
			if strings.Contains(line, "FLATNET") {
				rules = append(rules, line)
			}
		}
	})
	return fmt.Sprintf("links %v\n%s", m.links(""), strings.Join(rules, "\n"))
}
