package resolver

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"flatnet/core/podman"
)

// How long Podman is waited for, and how long it is left alone after it was
// asked about a container that it does not know.
const (
	podmanLimit = time.Second
	podmanPause = 5 * time.Second
)

// people is what only Podman knows of the containers.
type people struct {
	containers func(context.Context) ([]podman.Container, error)

	asking sync.Mutex // held while Podman is asked

	mu    sync.Mutex
	known map[string]podman.Container // by id
	next  time.Time                   // not asked before
}

// newPeople gives people of whom nothing is known yet.
func newPeople(containers func(context.Context) ([]podman.Container, error)) *people {
	return &people{containers: containers}
}

// find gives a container that was heard of already; of another one it tells
// whether Podman may be asked.
func (p *people) find(id string) (c podman.Container, mayAsk bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, known := p.known[id]
	return c, !known && p.containers != nil && !time.Now().Before(p.next)
}

// ask asks Podman about all containers, unless that was just done.
func (p *people) ask(ctx context.Context, id string) podman.Container {
	p.asking.Lock()
	defer p.asking.Unlock()
	c, mayAsk := p.find(id)
	if !mayAsk {
		return c
	}
	ctx, cancel := context.WithTimeout(ctx, podmanLimit)
	defer cancel()
	all, err := p.containers(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = time.Now().Add(podmanPause)
	if err != nil {
		return podman.Container{}
	}
	p.known = make(map[string]podman.Container, len(all))
	for _, one := range all {
		if one.Running() {
			p.known[one.ID] = one
		}
	}
	if _, known := p.known[id]; known {
		p.next = time.Time{} // the next unknown one is a new one
	}
	return p.known[id]
}

// servers gives the name servers that a container was started with: where
// Podman tells the container of ours instead (netavark), ours stands in for
// them, as netavark's own does.
func (p *people) servers(ctx context.Context, id string) []netip.Addr {
	if id == "" {
		return nil
	}
	c, mayAsk := p.find(id)
	if mayAsk {
		c = p.ask(ctx, id)
	}
	return c.NameServers
}
