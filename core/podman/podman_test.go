package podman_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"flatnet/core/podman"
	"flatnet/testdata/nettest"
)

func TestMain(m *testing.M) { nettest.Main(m) }

var byValue = cmpopts.EquateComparable(netip.Addr{})

var id = strings.Repeat("ab", 32)

// serve answers on a socket of the test's own.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "podman") // t.TempDir can be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close(); <-done; _ = os.RemoveAll(dir) })
	return socket
}

// answers gives each path, after the version, its text.
func answers(texts map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/v4.0.0/libpod/")
		text, ok := texts[path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, text)
	}
}

func TestContainers(t *testing.T) {
	other, third := strings.Repeat("cd", 32), strings.Repeat("ef", 32)
	socket := serve(t, answers(map[string]string{
		"containers/json": `[
			{"Id":"` + id + `","Names":["web"],"State":"running","Labels":{"flatnet.host":"a.local"},"Created":"2026-11-23T20:37:27.5Z","StartedAt":5,"Networks":["flatnet","podman"]},
			{"Id":"` + other + `","Names":["off"],"State":"exited","Labels":null,"Created":"2026-11-23T20:37:27Z","Networks":["flatnet"]},
			{"Id":"` + third + `","Names":null,"State":"running","Created":1795466253,"Networks":["flatnet"],"Future":{"x":1}}]`,
		"containers/" + id + "/json": `{"Id":"` + id + `","NetworkSettings":{"Networks":{"flatnet":{"IPAddress":"10.87.1.2"},"podman":{"IPAddress":""}}}}`,
	}))
	got, err := podman.New(podman.Options{Socket: socket}).Containers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []podman.Container{
		{
			ID: id, Name: "web", State: "running", Labels: map[string]string{"flatnet.host": "a.local"}, CreatedAt: time.Date(2026, 11, 23, 20, 37, 27, 5e8, time.UTC),
			Networks: map[string]podman.Attachment{"flatnet": {IP: netip.MustParseAddr("10.87.1.2")}, "podman": {}},
		},
		{ID: other, Name: "off", State: "exited", CreatedAt: time.Date(2026, 11, 23, 20, 37, 27, 0, time.UTC), Networks: map[string]podman.Attachment{"flatnet": {}}},
		// Gone before it could be inspected.
		{ID: third, State: "running", CreatedAt: time.Unix(1795466253, 0).UTC(), Networks: map[string]podman.Attachment{"flatnet": {}}},
	}
	if diff := cmp.Diff(want, got, byValue); diff != "" {
		t.Error(diff)
	}
}

// An address is looked up again only when the container was started again.
func TestAddressesAreKept(t *testing.T) {
	var inspections atomic.Int64
	var started atomic.Int64
	socket := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "containers/json") {
			fmt.Fprintf(w, `[{"Id":%q,"Names":["a"],"State":"running","StartedAt":%d,"Networks":["flatnet"]}]`, id, started.Load())
			return
		}
		fmt.Fprintf(w, `{"Id":%q,"NetworkSettings":{"Networks":{"flatnet":{"IPAddress":"10.87.1.%d"}}}}`, id, inspections.Add(1))
	})
	c := podman.New(podman.Options{Socket: socket})
	for i, want := range []string{"10.87.1.1", "10.87.1.1", "10.87.1.2"} {
		if i == 2 {
			started.Store(9)
		}
		all, err := c.Containers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := all[0].Networks["flatnet"].IP.String(); got != want {
			t.Errorf("look %d: %s, want %s", i, got, want)
		}
	}
}

func TestInfo(t *testing.T) {
	for text, want := range map[string]podman.Info{
		`{"host":{"networkBackend":"netavark"},"version":{"Version":"5.4.2"}}`: {Version: "5.4.2", NetworkBackend: "netavark"},
		`{"host":{},"version":{"Version":"3.4.4"}}`:                            {Version: "3.4.4", NetworkBackend: "cni"},
	} {
		socket := serve(t, answers(map[string]string{"info": text}))
		if got, err := podman.New(podman.Options{Socket: socket}).Info(t.Context()); err != nil || got != want {
			t.Errorf("%s gives %+v, %v", text, got, err)
		}
	}
}

func TestWhyItCannotBeAsked(t *testing.T) {
	dead := filepath.Join(t.TempDir(), "dead")
	address, err := net.ResolveUnixAddr("unix", dead)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", address)
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	hang := make(chan struct{})
	hanging := serve(t, func(http.ResponseWriter, *http.Request) { <-hang })
	t.Cleanup(func() { close(hang) })
	for _, test := range []struct {
		name, socket string
		want         error
	}{
		{"no socket", filepath.Join(t.TempDir(), "none"), podman.ErrNoSocket},
		{"nobody listens", dead, podman.ErrRefused},
		{"hangs", hanging, podman.ErrTimeout},
		{"no permission", "/proc/1/mem/x", nil},
	} {
		c := podman.New(podman.Options{Socket: test.socket, Timeout: 100 * time.Millisecond})
		_, err := c.Containers(t.Context())
		if !errors.Is(err, podman.ErrUnavailable) || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
		if _, err := c.Info(t.Context()); !errors.Is(err, podman.ErrUnavailable) {
			t.Errorf("%s: info: %v", test.name, err)
		}
		if _, err := c.Events(t.Context()); !errors.Is(err, podman.ErrUnavailable) {
			t.Errorf("%s: events: %v", test.name, err)
		}
	}
}

// Whatever answers, the outcome is an error and never an empty list.
func TestGarbage(t *testing.T) {
	item := `{"Id":"` + id + `","Names":["a"],"State":"running","Networks":["flatnet"]}`
	for name, handler := range map[string]http.HandlerFunc{
		"nothing":        answers(map[string]string{"containers/json": ""}),
		"null":           answers(map[string]string{"containers/json": "null"}),
		"object":         answers(map[string]string{"containers/json": `{"message":"x"}`}),
		"cut":            answers(map[string]string{"containers/json": "[" + item}),
		"two":            answers(map[string]string{"containers/json": "[" + item + "] []"}),
		"wrong types":    answers(map[string]string{"containers/json": `[{"Id":5}]`}),
		"labels":         answers(map[string]string{"containers/json": `[{"Id":"ab","Labels":{"a":1}}]`}),
		"no id":          answers(map[string]string{"containers/json": `[{}]`}),
		"path as id":     answers(map[string]string{"containers/json": `[{"Id":"../../x"}]`}),
		"bad inspection": answers(map[string]string{"containers/json": "[" + item + "]", "containers/" + id + "/json": "[]"}),
		"no container":   answers(map[string]string{"containers/json": "[" + item + "]", "containers/" + id + "/json": "{}"}),
		"status": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, "[]")
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://example.invalid/", http.StatusFound)
		},
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			chunk := []byte("[" + strings.Repeat(" ", 1<<16))
			for range 1000 {
				if _, err := w.Write(chunk); err != nil {
					return
				}
				chunk[0] = ' '
			}
		},
		"short": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "[]")
		},
		"no HTTP": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				fmt.Fprint(conn, "SSH-2.0-OpenSSH\r\n")
				_ = conn.Close()
			}
		},
	} {
		c := podman.New(podman.Options{Socket: serve(t, handler)})
		if all, err := c.Containers(t.Context()); !errors.Is(err, podman.ErrUnavailable) || all != nil {
			t.Errorf("%s: %v, %v", name, all, err)
		}
		if info, err := c.Info(t.Context()); !errors.Is(err, podman.ErrUnavailable) {
			t.Errorf("%s: info %v, %v", name, info, err)
		}
	}
}

func TestEvents(t *testing.T) {
	event := func(action string) string {
		text, _ := json.Marshal(map[string]any{
			"Type": "container", "Action": action, "timeNano": 1795466249681002766,
			"Actor": map[string]any{"ID": id, "Attributes": map[string]string{"name": "web", "a": "b"}},
		})
		return string(text) + "\n"
	}
	socket := serve(t, answers(map[string]string{"_ping": "OK", "events": event("start") + event("died") + "garbage\n" + event("remove")}))
	events, err := podman.New(podman.Options{Socket: socket}).Events(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for e := range events {
		if e.ID != id || e.Name != "web" || e.Time.Unix() != 1795466249 {
			t.Errorf("event %+v", e)
		}
		got = append(got, e.Status)
	}
	if diff := cmp.Diff([]string{"start", "died"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestEventsEndWithTheContext(t *testing.T) {
	socket := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "_ping") {
			fmt.Fprint(w, "OK")
			return
		}
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	events, err := podman.New(podman.Options{Socket: socket}).Events(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for range events {
		t.Error("an event from nowhere")
	}
}

// Where nobody listens, the command is asked; its failure is told with why it
// was asked.
func TestCommand(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the command is root's")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "podman")
	script := func(body string) {
		if err := os.WriteFile(program, []byte("#!/bin/sh\n"+body), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c := podman.New(podman.Options{Socket: filepath.Join(dir, "none"), Program: program, Timeout: 10 * time.Second})
	script(`case $1 in
ps) echo '[{"Id":"` + id + `","Names":["a"],"State":"running","Created":1795466253,"Networks":["flatnet"]}]' ;;
container) echo '[{"Id":"` + id + `","NetworkSettings":{"Networks":{"flatnet":{"IPAddress":"10.87.1.9"}}}}]' ;;
info) echo '{"host":{"networkBackend":"cni"},"version":{"Version":"4.3.1"}}' ;;
esac`)
	all, err := c.Containers(t.Context())
	if err != nil || len(all) != 1 || all[0].Networks["flatnet"].IP.String() != "10.87.1.9" {
		t.Errorf("%+v, %v", all, err)
	}
	if info, err := c.Info(t.Context()); err != nil || info.Version != "4.3.1" {
		t.Errorf("%+v, %v", info, err)
	}
	script("echo one >&2; echo 'Error: no store' >&2; exit 125")
	_, err = c.Containers(t.Context())
	if !errors.Is(err, podman.ErrNoSocket) || !strings.Contains(err.Error(), "Error: no store") {
		t.Error(err)
	}
	script("exec yes")
	if _, err := c.Info(t.Context()); !errors.Is(err, podman.ErrUnavailable) {
		t.Error(err)
	}
}
