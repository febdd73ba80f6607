package gateway_test

import (
	"fmt"
	"testing"
	"time"

	"flatnet/core/gateway"
)

// manySites makes n labelled containers, each with its own host.
func (w *world) manySites(n int) {
	w.containers = nil
	for i := range n {
		w.run(fmt.Sprintf("c%d", i), fmt.Sprintf("10.87.1.%d", 2+i%250), fmt.Sprintf("host=site%d.local", i), fmt.Sprintf("port=%d", 3000+i/250))
	}
}

// BenchmarkResolveAndRender is the pure part for 500 sites.
func BenchmarkResolveAndRender(b *testing.B) {
	for _, mode := range []string{"static", "lua"} {
		b.Run(mode+"/500", func(b *testing.B) {
			w := newWorld(b, mode)
			w.manySites(500)
			in := gateway.Input{Config: w.config.Gateway, Network: w.config.Network, Containers: w.containers, Now: w.now}
			var size int
			for b.Loop() {
				sites, _ := gateway.Resolve(in)
				f, err := gateway.Render(in.Config, in.Network, gateway.Generation{Number: 1, Sites: sites})
				if err != nil || len(sites) != 500 {
					b.Fatal(len(sites), err)
				}
				size = len(f.Conf())
			}
			b.ReportMetric(float64(size)/1024, "KiB/flatnet.conf")
		})
	}
}

// BenchmarkDeploy is a whole deployment of 500 sites of which one has moved:
// rendered, kept, tested and reloaded where that is needed, and confirmed by
// the server for the 250 ms that tell that no old worker is left.
func BenchmarkDeploy(b *testing.B) {
	for _, mode := range []string{"static", "lua"} {
		b.Run(mode+"/500", func(b *testing.B) {
			w := newWorld(b, mode)
			w.manySites(500)
			w.nginx.Start(b)
			w.apply()
			i := 0
			var prepare, deploy time.Duration
			for b.Loop() {
				i++
				w.containers[7].Networks["flatnet"] = attachment(fmt.Sprintf("10.87.1.%d", 2+i%250))
				g, start := w.gateway(), time.Now()
				c, err := g.Prepare(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				prepared := time.Now()
				out, err := g.Deploy(b.Context(), c)
				if err != nil || !out.Confirmed {
					b.Fatal(out, err)
				}
				prepare, deploy = prepare+prepared.Sub(start), deploy+time.Since(prepared)
			}
			b.ReportMetric(float64(prepare.Milliseconds())/float64(i), "prepare-ms/op")
			b.ReportMetric(float64(deploy.Milliseconds())/float64(i), "deploy-ms/op")
		})
	}
}

// BenchmarkNginxTest is nginx -t alone on 500 sites: what a deployment in
// static mode cannot be faster than.
func BenchmarkNginxTest(b *testing.B) {
	w := newWorld(b, "static")
	w.manySites(500)
	w.nginx.Start(b)
	w.apply()
	runner := gateway.NewRunner(w.config.Gateway.Nginx)
	for b.Loop() {
		if said, err := runner.Run(b.Context(), "-t", "-c", w.nginx.Dir+"/nginx.conf"); err != nil {
			b.Fatalf("%v: %s", err, said)
		}
	}
}
