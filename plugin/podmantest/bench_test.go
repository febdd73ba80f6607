package podmantest

import (
	"fmt"
	"testing"
	"time"

	"flatnet/testdata/podman"
)

// BenchmarkPodmanRun starts and removes containers with Podman 5, on a network
// of ours and on one of netavark's own bridge driver in turn.
func BenchmarkPodmanRun(b *testing.B) {
	p := podman.NewNetavark(b, podman.Options{})
	p.Run("network", "create", "--subnet", "10.99.0.0/24", "netavark")
	took := map[string]time.Duration{}
	run := func(network string, i int) {
		name := fmt.Sprintf("%s%d", network, i)
		begin := time.Now()
		p.Run("run", "--detach", "--name", name, "--network", network, podman.Postgres)
		took[network] += time.Since(begin)
		p.Run("rm", "--force", "--time", "0", name)
	}
	for _, network := range []string{"flatnet", "netavark"} {
		run(network, -1) // makes bridge and rules
	}
	clear(took)
	for i := 0; b.Loop(); i++ {
		run("flatnet", i)
		run("netavark", i)
	}
	b.ReportMetric(0, "ns/op") // the sum of both says nothing
	for _, network := range []string{"flatnet", "netavark"} {
		b.ReportMetric(float64(took[network].Microseconds())/1000/float64(b.N), network+"-ms")
	}
	b.ReportMetric(float64(took["flatnet"])/float64(took["netavark"]), "flatnet/netavark")
}
