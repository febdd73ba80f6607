package repair_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flatnet/core/config"
	"flatnet/core/gateway"
	"flatnet/core/podman"
	"flatnet/core/repair"
	"flatnet/testdata/nginx"
)

// front is a gateway with a real nginx and one labelled container.
type front struct {
	*gateway.Gateway
	dir      string // gateway.config_dir
	ip       netip.Addr
	reloaded func() // beside the real reload; may be nil
	health   string
}

// Run implements gateway.Runner.
func (f *front) Run(ctx context.Context, args ...string) ([]byte, error) {
	out, err := gateway.NewRunner(nginx.Program).Run(ctx, args...)
	if args[len(args)-1] == "reload" && f.reloaded != nil {
		f.reloaded()
	}
	return out, err
}

func newFront(t *testing.T) *front {
	t.Helper()
	n := nginx.New(t)
	c := config.Default()
	c.Gateway.ConfigDir, c.Gateway.WindowsPath, c.Gateway.Nginx, c.Gateway.Listen = n.Dir, n.Dir, nginx.Program, "127.0.0.1:80"
	f := &front{dir: n.Dir, ip: netip.MustParseAddr("10.87.1.2"), health: "http://127.0.0.1/health"}
	f.Gateway = gateway.New(gateway.Options{
		Config: c.Gateway, Network: c.Network, Runner: f, Now: time.Now,
		HealthURL: func(context.Context) string { return f.health },
		Containers: func(context.Context) ([]podman.Container, error) {
			return []podman.Container{{
				ID: "one", Name: "one", State: "running", Labels: map[string]string{"flatnet.host": "one.local"},
				Networks: map[string]podman.Attachment{"flatnet": {IP: f.ip}},
			}}, nil
		},
	})
	n.Start(t)
	return f
}

func TestGatewayPlanIsJournalled(t *testing.T) {
	f, d := newFront(t), &diary{}
	p, err := repair.Gateway(t.Context(), f.Gateway)
	if err != nil || len(p.Steps) != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	s := p.Steps[0]
	for _, part := range []string{"Make ", "write nginx.conf", "test generation 1"} {
		if !strings.Contains(s.Text.String(), part) {
			t.Errorf("the step says %q, want %q in it", s.Text, part)
		}
	}
	if !strings.Contains(s.Diff, "+    include ") || !strings.Contains(s.Diff, "+    server_name one.local;") || !strings.Contains(s.Command, " -t && ") {
		t.Errorf("command %q, diff:\n%s", s.Command, s.Diff)
	}
	if _, err := repair.Apply(t.Context(), p, repair.Options{By: "test", Journal: d, Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	if all := *d; len(all) != 1 || all[0].Action != repair.GatewayID || all[0].After != "1" || all[0].By != "test" {
		t.Errorf("journal: %+v", all)
	}
	p, err = repair.Gateway(t.Context(), f.Gateway)
	if err != nil || len(p.Steps) != 0 || !strings.Contains(p.Notes[0].String(), "is what it ought to be") {
		t.Errorf("a second time: %+v, %v", p, err)
	}
}

func TestGatewayPlanThatNoLongerFits(t *testing.T) {
	f := newFront(t)
	p, err := repair.Gateway(t.Context(), f.Gateway)
	if err != nil {
		t.Fatal(err)
	}
	f.ip = netip.MustParseAddr("10.87.1.3")
	if _, err := repair.Apply(t.Context(), p, repair.Options{}); !errors.Is(err, repair.ErrChanged) {
		t.Errorf("got %v, want that the plan has changed", err)
	}
}

func TestGatewayMaintenancePlan(t *testing.T) {
	f := newFront(t)
	apply := func(p repair.Plan, err error) {
		t.Helper()
		if err == nil {
			_, err = repair.Apply(t.Context(), p, repair.Options{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	apply(repair.Gateway(t.Context(), f.Gateway))
	for _, on := range []bool{true, false} {
		apply(repair.GatewayToggle(t.Context(), f.Gateway, "one.local"))
		s, err := f.Look(t.Context())
		if err != nil || s.Sites[0].Maintenance != on {
			t.Errorf("maintenance %v, want %v (%v)", s.Sites[0].Maintenance, on, err)
		}
	}
	if _, err := repair.GatewayMaintenance(t.Context(), f.Gateway, "two.local", true); !errors.Is(err, gateway.ErrNoSite) {
		t.Errorf("an unknown site: %v", err)
	}
	apply(repair.GatewayRollback(t.Context(), f.Gateway, 1))
	if s, err := f.Look(t.Context()); err != nil || s.Generation != 1 || s.Held == "" {
		t.Errorf("rolled back: %+v, %v", s, err)
	}
}

// beforeMaintenance gives a deployed gateway, and the plan that puts its site
// into maintenance.
func beforeMaintenance(t *testing.T) (*front, repair.Plan) {
	t.Helper()
	f := newFront(t)
	p, err := repair.Gateway(t.Context(), f.Gateway)
	if err == nil {
		_, err = repair.Apply(t.Context(), p, repair.Options{})
	}
	if err == nil {
		p, err = repair.GatewayMaintenance(t.Context(), f.Gateway, "one.local", true)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f, p
}

// TestStoppedDeployment: who stops a deployment that waits for the server finds
// everything as it was, also that the site is in no maintenance.
func TestStoppedDeployment(t *testing.T) {
	f, p := beforeMaintenance(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	f.health = "http://" + silent.Addr().String()
	f.reloaded = func() { f.reloaded = nil; cancel(repair.ErrStopped) }
	_, err = repair.Apply(ctx, p, repair.Options{})
	f.health = "http://127.0.0.1/health"
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "stopped, and what was there before was put back") || strings.Contains(err.Error(), "cancel") {
		t.Errorf("got %v", err)
	}
	s, err := f.Look(t.Context())
	if err != nil || s.Generation != 1 || s.Sites[0].Maintenance || len(s.Drift) > 0 {
		t.Errorf("after it: %+v, %v", s, err)
	}
}

// TestMaintenanceThatCannotBeKept says once why.
func TestMaintenanceThatCannotBeKept(t *testing.T) {
	f, p := beforeMaintenance(t)
	if err := os.Mkdir(filepath.Join(f.dir, "flatnet", "maintenance.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := repair.Apply(t.Context(), p, repair.Options{}); err == nil || strings.Count(err.Error(), "maintenance.json") != 1 {
		t.Errorf("got %v", err)
	}
}
