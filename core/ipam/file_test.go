package ipam_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"flatnet/core"
	"flatnet/core/filelock"
	"flatnet/core/ipam"
	"flatnet/core/journal"
	"flatnet/testdata/nettest"
)

func TestMain(m *testing.M) {
	if worker() {
		return
	}
	nettest.Main(m)
}

// storeIn opens a store in dir with the clock at start.
func storeIn(dir string, change ...func(*ipam.Options)) *ipam.FileStore {
	o := ipam.Options{Pool: pool(), Holder: "test", Now: func() time.Time { return start }}
	for _, c := range change {
		c(&o)
	}
	return ipam.OpenFile(dir, o)
}

// add takes an address for a container.
func add(ctx context.Context, s ipam.Store, id string, p ipam.Pool, now time.Time) (l ipam.Lease, err error) {
	err = s.Update(ctx, func(st *ipam.State) (entries []journal.Entry, err error) {
		l, entries, err = ipam.Allocate(st, p, request(id), now)
		return entries, err
	})
	return l, err
}

// request is one as the plugin makes it.
func request(id string) ipam.Request {
	return ipam.Request{
		ContainerID: id, Name: "name-" + id, IfName: "eth0", By: "plugin ADD",
		NetNS: "/run/netns/netns-7d2a6a5c-3a55-4b1f-9c43-d1b1f4d4a001", BootID: "2f0c2a50-7f4f-4f0c-8d8b-1f2d8f6f5a11",
		HostVeth: "fn-" + id, MAC: "02:42:0a:57:01:02",
	}
}

func TestFileStoreWritesTheContract(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "flatnet", "ipam")
	s := storeIn(dir)
	if _, err := add(t.Context(), s, "aaaa", pool(), start); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Version         int
		Subnet, Gateway string
		Start           string `json:"range_start"`
		End             string `json:"range_end"`
		Allocations     map[string]map[string]any
		Recent          []any
	}
	text, err := os.ReadFile(filepath.Join(dir, "allocations.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	lease := got.Allocations["10.87.1.2"]
	if got.Version != 2 || got.Subnet != "10.87.1.0/24" || got.Gateway != "10.87.1.1" ||
		got.Start != "10.87.1.2" || got.End != "10.87.1.7" ||
		lease["container_id"] != "aaaa" || lease["ifname"] != "eth0" || lease["allocated_at"] != "2026-11-23T10:00:00Z" {
		t.Errorf("the file is not as in the contract:\n%s", text)
	}
	for name, mode := range map[string]os.FileMode{"": 0o700 | os.ModeDir, ".lock": 0o600, "allocations.json": 0o600, "journal.jsonl": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode() != mode {
			t.Errorf("%q has mode %v (%v), want %v", name, info.Mode(), err, mode)
		}
	}
	entries, err := journal.Open(dir, "test").Recent(t.Context(), 9, nil)
	if err != nil || len(entries) != 1 || entries[0].Action != "allocate" || entries[0].IP != "10.87.1.2" || entries[0].By != "plugin ADD" {
		t.Errorf("journal: %+v, %v", entries, err)
	}
}

func TestReadMakesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ipam")
	st, err := storeIn(dir).Read(t.Context())
	if err != nil || st.Len() != 0 || st.Subnet != pool().Subnet {
		t.Errorf("%+v, %v", st, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("reading made the directory: %v", err)
	}
}

func TestRefusedChangeLeavesAllAsItWas(t *testing.T) {
	dir := t.TempDir()
	s := storeIn(dir)
	if _, err := add(t.Context(), s, "aaaa", pool(), start); err != nil {
		t.Fatal(err)
	}
	before := files(t, dir)
	refused := errors.New("refused")
	err := s.Update(t.Context(), func(st *ipam.State) ([]journal.Entry, error) {
		ipam.ReleaseAttachment(st, "aaaa", "", "test", start)
		return []journal.Entry{{Action: "release"}}, refused
	})
	if !errors.Is(err, refused) {
		t.Fatal(err)
	}
	if after := files(t, dir); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// files gives all files of dir as one text.
func files(t *testing.T, dir string) string {
	t.Helper()
	names, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, n := range names {
		text, _ := os.ReadFile(filepath.Join(dir, n.Name()))
		fmt.Fprintf(&b, "== %s\n%s\n", n.Name(), text)
	}
	return b.String()
}

func TestOldFormIsReadAndUpgraded(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, `{"subnet":"10.87.1.0/24","gateway":"10.87.1.1","range_start":"10.87.1.2","range_end":"10.87.1.254",
		"allocations":{"aaaa":"10.87.1.2","bbbb":"10.87.1.7"}}`)
	s := storeIn(dir)
	st, err := s.Read(t.Context())
	if err != nil || st.Len() != 2 || leaseAt(st, addr("10.87.1.7")).ContainerID != "bbbb" {
		t.Fatalf("%+v, %v", st, err)
	}
	l, err := add(t.Context(), s, "aaaa", pool(), start)
	if err != nil || l.IP != addr("10.87.1.2") {
		t.Fatalf("the container of an old lease got %v, %v", l.IP, err)
	}
	text, _ := os.ReadFile(filepath.Join(dir, "allocations.json"))
	if !strings.HasPrefix(string(text), `{"version":2,`) || !strings.Contains(string(text), `"10.87.1.7":{"container_id":"bbbb"}`) {
		t.Errorf("not upgraded:\n%s", text)
	}
}

func put(t *testing.T, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "allocations.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestUnknownFieldsAreKept(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, `{"version":2,"subnet":"10.87.1.0/24","gateway":"10.87.1.1","range_start":"10.87.1.2","range_end":"10.87.1.7",
		"cluster":{"id":[1,2,{}]},"allocations":{"10.87.1.2":{"container_id":"old","color":"red"}},"recent":[]}`)
	if _, err := add(t.Context(), storeIn(dir), "new", pool(), start); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(filepath.Join(dir, "allocations.json"))
	for _, want := range []string{`"cluster":{"id":[1,2,{}]}`, `"color":"red"`, `"10.87.1.3"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is missing in:\n%s", want, text)
		}
	}
}

const head = `"subnet":"10.87.1.0/24","gateway":"10.87.1.1","range_start":"10.87.1.2","range_end":"10.87.1.7"`

func TestBadFiles(t *testing.T) {
	for name, text := range map[string]string{
		"empty":              "",
		"null":               "null",
		"empty object":       "{}",
		"zeros":              strings.Repeat("\x00", 300),
		"torn":               `{"version":2,` + head + `,"allocations":{"10.87.1.2":{"container_id":"aaaa","na`,
		"trailing":           `{"version":2,` + head + `,"allocations":{}} x`,
		"newer version":      `{"version":3,` + head + `,"allocations":{}}`,
		"no version":         `{` + head + `,"allocations":{"10.87.1.2":{"container_id":"aaaa"}}}`,
		"mixed forms":        `{"version":2,` + head + `,"allocations":{"aaaa":"10.87.1.3"}}`,
		"address twice":      `{"version":2,` + head + `,"allocations":{"10.87.1.2":{"container_id":"a"},"10.87.1.2":{"container_id":"b"}}}`,
		"old, address twice": `{` + head + `,"allocations":{"a":"10.87.1.2","b":"10.87.1.2"}}`,
		"allocations twice":  `{"version":2,` + head + `,"allocations":{},"allocations":{}}`,
		"no owner":           `{"version":2,` + head + `,"allocations":{"10.87.1.2":{}}}`,
		"not an address":     `{"version":2,` + head + `,"allocations":{"10.87.1.300":{"container_id":"a"}}}`,
		"outside":            `{"version":2,` + head + `,"allocations":{"10.99.1.3":{"container_id":"a"}}}`,
		"gateway":            `{"version":2,` + head + `,"allocations":{"10.87.1.1":{"container_id":"a"}}}`,
		"wrong type":         `{"version":2,` + head + `,"allocations":{"10.87.1.2":{"container_id":7}}}`,
		"bad time":           `{"version":2,` + head + `,"allocations":{"10.87.1.2":{"container_id":"a","allocated_at":"yesterday"}}}`,
		"bad recent":         `{"version":2,` + head + `,"allocations":{},"recent":[{}]}`,
		"not UTF-8":          "{\"version\":2," + head + ",\"allocations\":{\"10.87.1.2\":{\"container_id\":\"\xff\"}}}",
		"no subnet":          `{"version":2,"allocations":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, text)
			checkUnreadable(t, dir)
			checkRebuilt(t, dir, text)
		})
	}
}

// checkUnreadable looks that neither reading nor a change without Rebuild
// takes a bad file for an empty one.
func checkUnreadable(t *testing.T, dir string) {
	t.Helper()
	s := storeIn(dir)
	if st, err := s.Read(t.Context()); !errors.Is(err, ipam.ErrUnreadable) || core.Hint(err) == "" {
		t.Errorf("Read: %+v, %v", st, err)
	}
	if _, err := add(t.Context(), s, "x", pool(), start); !errors.Is(err, ipam.ErrUnreadable) {
		t.Errorf("Update without Rebuild: %v", err)
	}
}

func checkRebuilt(t *testing.T, dir, text string) {
	t.Helper()
	var reports []string
	s := storeIn(dir, func(o *ipam.Options) {
		o.Rebuild = func(context.Context) ([]ipam.Lease, error) {
			return []ipam.Lease{{IP: addr("10.87.1.4"), ContainerID: "living", IfName: "eth0"}}, nil
		}
		o.Report = func(text string) { reports = append(reports, text) }
	})
	if _, err := add(t.Context(), s, "new", pool(), start); err != nil {
		t.Fatal(err)
	}
	st, err := s.Read(t.Context())
	if err != nil || st.Len() != 2 || leaseAt(st, addr("10.87.1.4")).ContainerID != "living" {
		t.Errorf("after rebuilding: %+v, %v", st, err)
	}
	aside, _ := filepath.Glob(filepath.Join(dir, "allocations.json.bad-*"))
	if len(aside) != 1 {
		t.Fatalf("set aside: %v", aside)
	}
	if kept, _ := os.ReadFile(aside[0]); string(kept) != text {
		t.Errorf("the file set aside is %q, was %q", kept, text)
	}
	if all := strings.Join(reports, "\n"); !strings.Contains(all, "1 leases rebuilt") || !strings.Contains(all, filepath.Base(aside[0])) {
		t.Errorf("reported: %s", all)
	}
	entries, _ := journal.Open(dir, "test").Recent(t.Context(), 9, func(e journal.Entry) bool { return e.Action == "rebuild" })
	if len(entries) != 2 {
		t.Errorf("journalled: %+v", entries)
	}
}

// TestEditedFileIsCompleted: a lease that an edit left out is that of a living
// container, as the bridge shows. What the file does say stays.
func TestEditedFileIsCompleted(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, `{"version":2,`+head+`,"allocations":{"10.87.1.3":{"container_id":"moved"}}}`)
	calls := 0
	s := storeIn(dir, func(o *ipam.Options) {
		o.Rebuild = func(context.Context) ([]ipam.Lease, error) {
			calls++
			return []ipam.Lease{
				{IP: addr("10.87.1.2"), ContainerID: "living"}, {IP: addr("10.87.1.3"), ContainerID: "other"}, {IP: addr("10.99.1.2"), ContainerID: "stranger"},
			}, nil
		}
	})
	for i, want := range []string{"10.87.1.4", "10.87.1.5"} {
		if l, err := add(t.Context(), s, fmt.Sprintf("new-%d", i), pool(), start); err != nil || l.IP != addr(want) {
			t.Errorf("got %s, %v; want %s", l.IP, err, want)
		}
	}
	st, _ := s.Read(t.Context())
	if leaseAt(st, addr("10.87.1.2")).ContainerID != "living" || leaseAt(st, addr("10.87.1.3")).ContainerID != "moved" || st.Len() != 4 {
		t.Errorf("leases: %+v", slices.Collect(st.All()))
	}
	if entries, _ := journal.Open(dir, "test").Recent(t.Context(), 9, func(e journal.Entry) bool { return e.Action == "rebuild" }); len(entries) != 2 {
		t.Errorf("journalled: %+v", entries)
	}
	if calls != 1 {
		t.Errorf("the bridge was asked %d times: what is our own needs no second look", calls)
	}
}

// TestFieldsInOtherCase: encoding/json reads them as ours, so they are none of
// a newer version that would go on saying something else.
func TestFieldsInOtherCase(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, `{"version":2,`+head+`,"allocations":{"10.87.1.2":{"Container_ID":"before","container_id":"mine","IfName":"eth0"}}}`)
	s := storeIn(dir)
	if _, err := add(t.Context(), s, "other", pool(), start); err != nil {
		t.Fatal(err)
	}
	st, err := s.Read(t.Context())
	if l, ok := st.Find("mine", "eth0"); err != nil || !ok || l.ContainerID != "mine" {
		t.Errorf("found %+v, %v", l, err)
	}
}

func TestMissingFileIsRebuiltToo(t *testing.T) {
	dir := t.TempDir()
	s := storeIn(dir, func(o *ipam.Options) {
		o.Rebuild = func(context.Context) ([]ipam.Lease, error) {
			return []ipam.Lease{
				{IP: addr("10.87.1.2"), ContainerID: "living"},
				{IP: addr("10.87.1.2"), ContainerID: "second"},
				{IP: addr("10.99.1.2"), ContainerID: "stranger"},
			}, nil
		}
	})
	l, err := add(t.Context(), s, "new", pool(), start)
	if err != nil || l.IP != addr("10.87.1.3") {
		t.Errorf("got %s, %v; want the address beside the living container's", l.IP, err)
	}
	st, _ := s.Read(t.Context())
	if st.Len() != 2 || leaseAt(st, addr("10.87.1.2")).ContainerID != "living" {
		t.Errorf("leases: %+v", slices.Collect(st.All()))
	}
}

func TestFailedRebuildChangesNothing(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "torn")
	broken := errors.New("no netlink")
	s := storeIn(dir, func(o *ipam.Options) {
		o.Rebuild = func(context.Context) ([]ipam.Lease, error) { return nil, broken }
	})
	if _, err := add(t.Context(), s, "new", pool(), start); !errors.Is(err, broken) || !errors.Is(err, ipam.ErrUnreadable) {
		t.Errorf("error %v", err)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "allocations.json")); string(text) != "torn" {
		t.Errorf("the file became %q", text)
	}
}

func TestLockHeldSaysByWhom(t *testing.T) {
	dir := t.TempDir()
	lock, err := filelock.Acquire(t.Context(), filepath.Join(dir, ".lock"), "flatnet GC")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = add(ctx, storeIn(dir), "a", pool(), start)
	if !errors.Is(err, ipam.ErrLocked) || !errors.Is(err, context.DeadlineExceeded) ||
		!strings.Contains(err.Error(), fmt.Sprintf("flatnet GC (process %d)", os.Getpid())) {
		t.Errorf("error %v", err)
	}
	if _, err := storeIn(dir).Read(ctx); !errors.Is(err, ipam.ErrLocked) {
		t.Errorf("reading: %v", err)
	}
	lock.Release()
	if _, err := add(t.Context(), storeIn(dir), "a", pool(), start); err != nil {
		t.Errorf("after its release: %v", err)
	}
}

func TestNothingChangedWritesNothing(t *testing.T) {
	dir := t.TempDir()
	s := storeIn(dir)
	if _, err := add(t.Context(), s, "a", pool(), start); err != nil {
		t.Fatal(err)
	}
	before, _ := os.Stat(filepath.Join(dir, "allocations.json"))
	err := s.Update(t.Context(), func(st *ipam.State) ([]journal.Entry, error) {
		return ipam.ReleaseAttachment(st, "unknown", "eth0", "plugin DEL", start), nil
	})
	after, _ := os.Stat(filepath.Join(dir, "allocations.json"))
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("the file was replaced for nothing (%v)", err)
	}
}

func TestDir(t *testing.T) {
	for _, tt := range []struct{ network, want string }{
		{"flatnet", "/s"},
		{"other", "/s/networks/other"},
		{"a.b-c_d", "/s/networks/a.b-c_d"},
		{"", ""},
		{"..", ""},
		{"a/b", ""},
		{".hidden", ""},
		{"a\x00", ""},
		{strings.Repeat("a", 256), ""},
	} {
		got, err := ipam.Dir("/s", "flatnet", tt.network)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("Dir of %q: %q, %v; want %q", tt.network, got, err, tt.want)
		}
	}
}
