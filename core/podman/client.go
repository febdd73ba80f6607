package podman

import (
	"context"
	"time"
)

// Why Podman could not be asked. All are ErrUnavailable too.
var (
	ErrNoSocket = unavailable("there is no API socket")
	ErrRefused  = unavailable("nobody answers at the API socket")
	ErrDenied   = unavailable("no permission to use the API socket")
	ErrTimeout  = unavailable("no answer in time")
	ErrReply    = unavailable("the answer makes no sense")
)

type unavailable string

func (u unavailable) Error() string        { return string(u) }
func (u unavailable) Is(target error) bool { return target == ErrUnavailable }

// Options says where Podman is and how long to wait for it.
type Options struct {
	Socket  string        // path of the API socket: "/run/podman/podman.sock"
	Program string        // asked where there is no socket: "podman"; "": no fallback
	Timeout time.Duration // for one answer; 0: 3 s
}

// New gives a Client for the Podman of o. It does not connect yet.
func New(o Options) Client { return &client{o: o} }

type client struct{ o Options }

func (c *client) Containers(context.Context) ([]Container, error) { return nil, ErrNoSocket }
func (c *client) Info(context.Context) (Info, error)              { return Info{}, ErrNoSocket }
func (c *client) Events(context.Context) (<-chan Event, error)    { return nil, ErrNoSocket }
