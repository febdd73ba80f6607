package podmantest

import (
	"strings"
	"testing"

	"flatnet/testdata/podman"
)

// TestNetworkCreate has Podman 5 make and remove networks of ours.
func TestNetworkCreate(t *testing.T) {
	p := podman.NewNetavark(t, podman.Options{})
	shown := p.Run("network", "inspect", "flatnet", "--format", "{{.NetworkInterface}} {{.IPAMOptions.driver}} {{range .Subnets}}{{.Subnet}} {{.Gateway}}{{end}}")
	if want := "flatnet-br0 none 10.87.1.0/24 10.87.1.1"; shown != want {
		t.Errorf("the network is %q, want %q", shown, want)
	}
	p.Run("network", "rm", "flatnet")
	create := []string{"network", "create", "--driver", "flatnet", "--opt", "config=" + p.Config}
	for want, args := range map[string][]string{
		"10.87.1.0/24 in the configuration": {"--subnet", "10.9.0.0/24", "flatnet"},
		"--internal":                        {"--internal", "flatnet"},
		"IPv6":                              {"--ipv6", "flatnet"},
		`"vlan"`:                            {"--opt", "vlan=7", "flatnet"},
		"--interface-name":                  {"--subnet", "10.88.0.0/24", "second"},
	} {
		if _, err := p.Try(append(create, args...)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want something about %s", args, err, want)
		}
	}
	p.AddNetwork("flatnet", `{}`)
	web(p, "web")
	fetch(t, "http://"+p.IP("web", "flatnet")+"/")
	p.Run("rm", "--force", "--time", "0", "web")
	p.Run("network", "rm", "flatnet")
	nothingLeft(t, p)
}

// TestBesideNetavarksOwn publishes ports on our network and on one of
// netavark's bridge driver at once.
func TestBesideNetavarksOwn(t *testing.T) {
	p := podman.NewNetavark(t, podman.Options{})
	p.Run("network", "create", "--subnet", "10.99.0.0/24", "theirs")
	p.Run("run", "--detach", "--name", "theirs", "--network", "theirs", "--publish", "8090:80", podman.Nginx)
	web(p, "ours", "--publish", "8091:80")
	both := func() {
		t.Helper()
		fetch(t, "http://127.0.0.1:8090/")
		fetch(t, "http://127.0.0.1:8091/")
	}
	both()
	p.Run("restart", "--time", "1", "theirs")
	both()
	p.Run("restart", "--time", "1", "ours")
	both()
	p.Run("rm", "--force", "--time", "0", "ours")
	fetch(t, "http://127.0.0.1:8090/")
	p.Run("rm", "--force", "--time", "0", "theirs")
	nothingLeft(t, p)
}
