package windows_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"flatnet/core"
	"flatnet/core/kernel"
	"flatnet/core/windows"
	"flatnet/testdata/windows/standin"
	"flatnet/testdata/windows/windowstest"
)

func look(t *testing.T, w *windowstest.World) windows.Status {
	t.Helper()
	st, err := w.System.Look(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestLookInEveryLanguage(t *testing.T) {
	for _, language := range []string{"en", "ja", "de", "fr", "es", "zh", "ko", "ru"} {
		w := windowstest.New(t, func(s *standin.State) { s.Language = language })
		st := look(t, w)
		if st.State != windows.OK || st.Verdict.Kind != windows.Good {
			t.Errorf("%s: %+v", language, st)
		}
		if st.Facing != netip.MustParseAddr("172.27.224.1") || st.WindowsAddress != st.Facing {
			t.Errorf("%s: Windows is at %s, faces WSL with %s", language, st.WindowsAddress, st.Facing)
		}
	}
}

// The form that status --json promises.
func TestStatusAsJSON(t *testing.T) {
	w := windowstest.New(t, func(s *standin.State) { s.Persistent = []standin.Route{s.Active[1]} })
	data, err := json.Marshal(look(t, w))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		State      string `json:"state"`
		Mode       string `json:"mode"`
		WSLAddress string `json:"wsl_address"`
		Route      struct {
			Destination string `json:"destination"`
			Gateway     string `json:"gateway"`
			Metric      int    `json:"metric"`
			Persistent  bool   `json:"persistent"`
		} `json:"route"`
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if got.State != "ok" || got.Mode != "nat" || got.WSLAddress != "172.27.224.53" || got.Route.Destination != "10.87.1.0/24" ||
		got.Route.Gateway != "172.27.224.53" || got.Route.Metric != 16 || !got.Route.Persistent {
		t.Errorf("%s", data)
	}
}

// Whoever may not even look is not sent to an administrator.
func TestLookingNeedsNoAdministrator(t *testing.T) {
	w := windowstest.New(t, windowstest.Fault("route.exe", standin.Denied))
	st, err := w.System.Look(context.Background())
	if !errors.Is(err, windows.ErrDenied) || st.State != windows.Unknown || st.Trouble == nil {
		t.Fatalf("%v, %+v", err, st)
	}
	for _, remedy := range []string{st.Trouble.Remedy.String(), st.Verdict.Remedy.String(), core.Hint(err).String()} {
		if !strings.Contains(remedy, "needs no administrator") {
			t.Errorf("remedy %q", remedy)
		}
	}
}

// What was seen stays, with its age, and is never shown as good.
func TestTheLastTableIsKept(t *testing.T) {
	w := windowstest.New(t, nil)
	first := look(t, w)
	w.Change(t, windowstest.Fault("*", standin.Broken))
	w.Clock.At = w.Clock.At.Add(time.Minute)
	st, err := w.System.Look(context.Background())
	if err == nil || st.State != windows.Unknown || st.Verdict.Kind != windows.Undecided {
		t.Fatalf("%v, %+v", err, st)
	}
	if len(first.Reach) == 0 || len(st.Reach) != 0 {
		t.Errorf("an old ping is still shown: %+v", st.Reach)
	}
	if st.Route == nil || *st.Route != *first.Route || !st.ReadAt.Equal(w.Clock.At.Add(-time.Minute)) {
		t.Errorf("route %+v read at %s, want the one from a minute ago", st.Route, st.ReadAt)
	}
}

func TestTheRouteIsShownThoughItCannotBeJudged(t *testing.T) {
	w := windowstest.New(t, func(s *standin.State) { s.Mode = "mirrored" })
	if st := look(t, w); st.State != windows.Fail || st.Verdict.Kind != windows.Mirrored || st.Route == nil || len(st.Changes) > 0 {
		t.Errorf("mirrored: %+v", st)
	}
	w = windowstest.New(t, nil)
	w.Options.Kernel = kernel.NewFake()
	w.System = windows.New(w.Options)
	if st := look(t, w); st.State != windows.Unknown || st.Route == nil || !strings.Contains(st.Reason.String(), "default route") {
		t.Errorf("no default route: %+v", st)
	}
}

// Without wslinfo, or with one that says nothing usable, the mode is not known
// and the route is judged all the same.
func TestAnUnknownMode(t *testing.T) {
	for _, kind := range []string{standin.Garbage, standin.Silent, standin.Denied} {
		w := windowstest.New(t, windowstest.Fault("wslinfo", kind))
		if st := look(t, w); st.Mode != "" || st.Verdict.Kind != windows.Good {
			t.Errorf("wslinfo %s: mode %q, %+v", kind, st.Mode, st.Verdict)
		}
	}
}

func TestTheBridgeIsPingedNowAndThen(t *testing.T) {
	w := windowstest.New(t, nil)
	pings := func() int { return len(w.Calls(t, "ping.exe")) }
	for range 3 {
		look(t, w)
	}
	if pings() != 1 {
		t.Errorf("three looks at one time: %d pings, want 1", pings())
	}
	w.Clock.At = w.Clock.At.Add(30 * time.Second)
	w.Change(t, func(s *standin.State) { s.Dead = []string{"10.87.1.1"} })
	st := look(t, w)
	if pings() != 2 || st.State != windows.Warn || !strings.Contains(st.Reason.String(), "10.87.1.1") {
		t.Errorf("%d pings, %s: %q; want a warning that the bridge does not answer", pings(), st.State, st.Reason)
	}
	w.Change(t, func(s *standin.State) { s.Dead, s.Language = nil, "de" })
	look(t, w)
	if pings() != 2 {
		t.Errorf("%d pings: after a failure it is tried again at once", pings())
	}
	w.Clock.At = w.Clock.At.Add(5 * time.Second)
	if st := look(t, w); st.State != windows.OK {
		t.Errorf("it answers again: %s, %q", st.State, st.Reason)
	}
}

// What else a good route is tried with, and within what time.
func TestAGoodRouteIsTriedWithItsTargets(t *testing.T) {
	w := windowstest.New(t, windowstest.Fault("curl.exe", standin.Hang))
	w.Options.ReachLimit = hurry
	w.Options.Targets = func(context.Context) []windows.Target {
		return []windows.Target{{Kind: windows.HTTP, Name: "forgejo.local", URL: "http://127.0.0.1:1/"}}
	}
	w.System = windows.New(w.Options)
	st := look(t, w)
	if len(st.Reach) != 2 || st.Reach[1].State != windows.Unknown || st.Reach[1].Name != "forgejo.local" {
		t.Errorf("%+v", st.Reach)
	}
	if detail := st.Reach[1].Detail.String(); !strings.Contains(detail, "did not come to it") {
		t.Errorf("detail %q", detail)
	}
	if _, err := w.System.Look(context.Background()); err != nil {
		t.Errorf("a trial without patience keeps Windows from being asked: %v", err)
	}
}

func TestReach(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Host != "forgejo.local" {
			rw.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer site.Close()
	w := windowstest.New(t, func(s *standin.State) { s.Dead = []string{"10.87.1.9"} })
	targets := []windows.Target{
		{Kind: windows.Ping, Name: "web1", Addr: netip.MustParseAddr("10.87.1.9")},
		{Kind: windows.HTTP, Name: "forgejo.local", URL: site.URL, Host: "forgejo.local"},
		{Kind: windows.HTTP, Name: "no site", URL: site.URL},
		{Kind: windows.HTTP, Name: "nobody", URL: "http://127.0.0.1:1/"},
		{Kind: windows.HTTP, Name: "option", URL: "--upload-file"},
		{Kind: "telnet", Name: "other"},
	}
	want := []windows.State{
		windows.Fail, windows.OK, windows.Fail, windows.Fail, windows.Unknown, windows.Unknown,
	}
	for i, r := range w.System.Reach(context.Background(), targets) {
		if r.State != want[i] || r.Detail == "" || !r.At.Equal(w.Clock.At) {
			t.Errorf("%s: %+v, want %s", targets[i].Name, r, want[i])
		}
	}
	if st := look(t, w); len(st.Reach) != len(targets) || st.State != windows.Warn {
		t.Errorf("the next look is %s with %d results, want a warning with %d", st.State, len(st.Reach), len(targets))
	}
	w.Change(t, windowstest.Fault("curl.exe", standin.Broken))
	if r := w.System.Reach(context.Background(), targets[1:2]); r[0].State != windows.Unknown {
		t.Errorf("Windows cannot be asked: %+v, want unknown", r[0])
	}
}
