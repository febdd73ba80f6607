package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// podmanStandIn answers the part of Podman's API that the console asks, from
// the lab's real processes and namespaces. It says in its version what it is.
type podmanStandIn struct{ containers []*container }

func (p podmanStandIn) listen(socket string) error {
	l, err := net.Listen("unix", socket)
	if err != nil {
		return fmt.Errorf("listen as Podman: %w", err)
	}
	server := &http.Server{Handler: p, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(l); err != nil {
			fmt.Fprintln(os.Stderr, "flatnet-lab: Podman's stand-in ended:", err)
		}
	}()
	return nil
}

// ServeHTTP answers by the end of the path: the version before it may be any.
func (p podmanStandIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/_ping"):
		fmt.Fprint(w, "OK")
	case strings.HasSuffix(r.URL.Path, "/containers/json"):
		reply(w, p.list())
	case strings.HasSuffix(r.URL.Path, "/info"):
		reply(w, map[string]any{
			"host":    map[string]any{"networkBackend": "cni"},
			"version": map[string]any{"Version": "4.3.1-stand-in"},
		})
	case strings.HasSuffix(r.URL.Path, "/version"):
		reply(w, map[string]any{"Version": "4.3.1-stand-in", "ApiVersion": "1.41"})
	case strings.HasSuffix(r.URL.Path, "/events"):
		p.events(w, r)
	case strings.HasSuffix(r.URL.Path, "/json") && strings.Contains(r.URL.Path, "/containers/"):
		p.inspect(w, r)
	default:
		http.Error(w, `{"message":"not in the lab's stand-in"}`, http.StatusNotFound)
	}
}

// events sends nothing until the client goes: nothing happens in the lab by
// itself.
func (p podmanStandIn) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	<-r.Context().Done()
}

func (p podmanStandIn) list() []map[string]any {
	all := []map[string]any{}
	for _, c := range p.containers {
		if !c.running() {
			continue // a crashed one was removed as well
		}
		all = append(all, map[string]any{
			"Id": c.ID, "Names": []string{c.Name}, "State": "running", "Labels": c.Labels,
			"Created": c.Created.Format(time.RFC3339Nano), "CreatedAt": "",
			"StartedAt": c.Created.Unix(), "Pid": c.server.Process.Pid,
			"Networks": []string{"flatnet"}, "Image": "localhost/lab:1",
		})
	}
	return all
}

func (p podmanStandIn) inspect(w http.ResponseWriter, r *http.Request) {
	for _, c := range p.containers {
		if !strings.Contains(r.URL.Path, c.ID) && !strings.Contains(r.URL.Path, "/"+c.Name+"/") {
			continue
		}
		reply(w, map[string]any{
			"Id": c.ID, "Name": c.Name, "Created": c.Created.Format(time.RFC3339Nano),
			"State":  map[string]any{"Status": "running", "Running": c.running(), "Pid": c.server.Process.Pid},
			"Config": map[string]any{"Labels": c.Labels},
			"NetworkSettings": map[string]any{"SandboxKey": c.netns, "Networks": map[string]any{
				"flatnet": map[string]any{"IPAddress": c.IP, "IPPrefixLen": 24, "Gateway": "10.87.1.1"},
			}},
		})
		return
	}
	http.Error(w, `{"message":"no such container"}`, http.StatusNotFound)
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		fmt.Fprintln(os.Stderr, "flatnet-lab: answer as Podman:", err)
	}
}
