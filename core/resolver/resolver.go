// Package resolver answers containers that ask for each other by name, at the
// bridge's address on port 53, and asks this machine's own name servers for
// every other name. It answers nobody but the containers and this machine.
//
// Which names there are is said by core/names. It keeps no answers, signs
// nothing, and serves no zone to anybody else.
package resolver

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"flatnet/core/config"
	"flatnet/core/names"
	"flatnet/core/podman"
)

// The pace of looking for networks, and of trying again.
const (
	lookEvery = 2 * time.Second
	tryAgain  = 5 * time.Second
)

// Bounds of what goes on at once, for all clients and for each.
const (
	maxAsking, maxAskingEach = 512, 64
	maxOpen, maxOpenEach     = 256, 16
)

// Options of New.
type Options struct {
	Config config.Config
	Boot   string // the id of this boot
	Holder string // who takes the locks, for whoever looks: "flatnet-tui watch"
	// Containers asks Podman for the name servers that a container was started
	// with. May be nil.
	Containers func(context.Context) ([]podman.Container, error)
	// ResolvConf says whom to ask for other names; "": names.ResolvConf.
	ResolvConf string
	// Report takes what a person should know, a line each.
	Report func(string)
}

// Resolver answers on all networks.
type Resolver struct {
	o         Options
	zone      zone
	people    *people
	source    *names.Source
	forwarder *forwarder
	asking    *limiter // questions that others are asked
	open      *limiter // TCP connections

	mu       sync.Mutex
	gateways map[netip.Addr]int
	said     map[netip.Addr]string
}

// New gives a resolver, which does nothing yet.
func New(o Options) *Resolver {
	r := &Resolver{
		o: o, zone: zone{strings.ToLower(o.Config.DNS.Domain) + "."}, people: newPeople(o.Containers),
		source: names.NewSource(o.Config, o.Boot),
		asking: newLimiter(maxAsking, maxAskingEach), open: newLimiter(maxOpen, maxOpenEach),
		gateways: map[netip.Addr]int{}, said: map[netip.Addr]string{},
	}
	r.forwarder = &forwarder{conf: cmp.Or(o.ResolvConf, names.ResolvConf), own: r.isOwn}
	return r
}

// isOwn tells whether we answer at an address.
func (r *Resolver) isOwn(ip netip.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gateways[ip] > 0
}

// Run answers until ctx ends: at the gateway of each network that there is,
// also of one that is made meanwhile.
func (r *Resolver) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ticks := time.NewTicker(lookEvery)
	defer ticks.Stop()
	ends := map[names.Place]context.CancelFunc{}
	for {
		r.follow(ctx, ends, func(one context.Context, p names.Place) {
			running.Go(func() { r.keep(one, p) })
		})
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

// follow starts what is to be answered now, and ends what is not any more.
func (r *Resolver) follow(ctx context.Context, ends map[names.Place]context.CancelFunc, start func(context.Context, names.Place)) {
	now := r.source.Places(ctx)
	for p, end := range ends {
		if !slices.Contains(now, p) {
			end()
			delete(ends, p)
		}
	}
	for _, p := range now {
		if ends[p] == nil {
			var one context.Context
			one, ends[p] = context.WithCancel(ctx)
			start(one, p)
		}
	}
}

// keep answers at one gateway, and tries again where that fails.
func (r *Resolver) keep(ctx context.Context, p names.Place) {
	r.serves(p.Gateway, 1)
	defer r.serves(p.Gateway, -1)
	s := &server{Resolver: r, place: p}
	for ctx.Err() == nil {
		r.say(p.Gateway, s.run(ctx))
		select {
		case <-ctx.Done():
		case <-time.After(tryAgain):
		}
	}
}

// serves counts what is, or is to be, answered at an address.
func (r *Resolver) serves(ip netip.Addr, more int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gateways[ip] += more
}

// say reports why names are not answered, once.
func (r *Resolver) say(at netip.Addr, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := ""
	if err != nil {
		text = "Names cannot be answered at " + at.String() + ": " + err.Error() + ". sudo flatnet-tui doctor says more."
	}
	if text != "" && text != r.said[at] {
		r.o.Report(text)
	}
	r.said[at] = text
}
