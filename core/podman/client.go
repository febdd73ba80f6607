package podman

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"
)

// Options says where Podman is and how long to wait for it.
type Options struct {
	Socket  string        // path of the API socket: "/run/podman/podman.sock"
	Program string        // asked where nobody answers there, of the same store: "podman"; "": no fallback
	Timeout time.Duration // for one question; 0: 3 s
}

// New gives a Client for the Podman of o. It does not connect yet.
func New(o Options) Client {
	if o.Timeout <= 0 {
		o.Timeout = 3 * time.Second
	}
	return &client{o: o, api: newAPI(o.Socket), command: command{program: o.Program}, places: map[string]place{}}
}

// source is a way to ask Podman.
type source interface {
	list(ctx context.Context) ([]listed, error)
	// inspect gives what the list lacks of each of the containers that are
	// still there, by id.
	inspect(ctx context.Context, ids []string) (map[string]details, error)
	info(ctx context.Context) (Info, error)
}

type client struct {
	o       Options
	api     *api
	command command

	mu     sync.Mutex
	places map[string]place // by container id, of the last Containers
}

// place is what inspecting a container gave, and what it gave it for: while
// neither its start nor its networks change, its addresses do not.
type place struct {
	key string
	details
}

// ask puts a question to the socket and, where nobody listens there, to the
// command. The command is root's alone: another user's Podman would answer,
// rightly, that it has no such containers.
func (c *client) ask(ctx context.Context, limit time.Duration, question func(context.Context, source) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := question(ctx, c.api)
	if err == nil {
		return nil
	}
	err = failure(c.o.Socket, err)
	nobody := errors.Is(err, ErrNoSocket) || errors.Is(err, ErrRefused)
	if !nobody || c.o.Program == "" || os.Geteuid() != 0 {
		return err
	}
	if fallback := question(ctx, c.command); fallback != nil {
		return errors.Join(err, failure(c.o.Program, fallback))
	}
	return nil
}

func (c *client) Containers(ctx context.Context) ([]Container, error) {
	var all []Container
	err := c.ask(ctx, c.o.Timeout, func(ctx context.Context, s source) error {
		found, err := s.list(ctx)
		if err != nil {
			return err
		}
		all, err = c.placed(ctx, s, found)
		return err
	})
	return all, err
}

// placed looks up the addresses of running containers, and only where
// something changed since the last time. A container that went between the
// two questions was there for the first one, and is kept without addresses.
func (c *client) placed(ctx context.Context, s source, found []listed) ([]Container, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ask []string
	for _, l := range found {
		if l.hasAddress() && c.places[l.id].key != l.key() {
			ask = append(ask, l.id)
		}
	}
	answers, err := s.inspect(ctx, ask)
	if err != nil {
		return nil, err
	}
	places := make(map[string]place, len(found))
	all := make([]Container, 0, len(found))
	for _, l := range found {
		d, known := answers[l.id]
		if last := c.places[l.id]; !known && last.key == l.key() {
			d, known = last.details, true
		}
		if !known || !l.hasAddress() {
			all = append(all, l.container(details{networks: l.without()}))
			continue
		}
		places[l.id] = place{l.key(), d}
		all = append(all, l.container(d))
	}
	c.places = places
	return all, nil
}

// Info gets more time than other questions: Podman starts half a dozen
// programs to answer it.
func (c *client) Info(ctx context.Context) (Info, error) {
	var info Info
	err := c.ask(ctx, c.o.Timeout*5/3, func(ctx context.Context, s source) (err error) {
		info, err = s.info(ctx)
		return err
	})
	return info, err
}
