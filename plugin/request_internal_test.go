package plugin

import (
	"errors"
	"testing"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"

	"flatnet/core/attach"
	"flatnet/core/config"
)

// FuzzRequest reads what a runtime may send: it is refused in the right form,
// or it is a request that can be.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"cniVersion":"1.0.0","name":"flatnet","type":"flatnet"}`), "IgnoreUnknown=1;K8S_POD_NAME=web;IP=10.87.1.9;MAC=02:00:00:00:00:01")
	f.Add([]byte(`{"runtimeConfig":{"ips":["10.87.1.9/24"],"mac":"02:00:00:00:00:01"},"prevResult":{"cniVersion":"1.0.0","ips":[{"address":"10.87.1.9/24"}]}}`), "")
	f.Add([]byte(`{"cniVersion":"0.4.0","prevResult":{"interfaces":[{"name":"eth0","sandbox":"x"}],"ips":[{"version":"4","address":"::1/0","interface":7}]}}`), "IP=")
	f.Fuzz(func(t *testing.T, stdin []byte, args string) {
		n, err := parseNetConf(stdin)
		if err != nil {
			return
		}
		asked := &skel.CmdArgs{ContainerID: "fuzz", IfName: "eth0", Args: args, StdinData: stdin}
		r, err := parseRequest(asked, n)
		if err != nil && !errors.Is(err, attach.ErrRequest) {
			t.Errorf("args %q, list %q: %v is no error about the request", args, stdin, err)
		}
		if err == nil && r.IP.IsValid() && !r.IP.Is4() {
			t.Errorf("args %q, list %q: address %s", args, stdin, r.IP)
		}
		var failure *types.Error
		if _, err := expected(n, asked); err != nil && !errors.As(err, &failure) {
			t.Errorf("list %q: %v is no CNI error", stdin, err)
		}
		_, _, _ = config.LoadNetConf(stdin)
	})
}
