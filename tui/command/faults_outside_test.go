package command_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"flatnet/core/health"
	"flatnet/core/kernel"
	"flatnet/testdata/windows/standin"
)

// say changes the stand-in Windows.
func (r *rig) say(change func(*standin.State)) { r.windows.Change(r.t, change) }

// sayAgain makes it the lab's again: what is done by hand on Windows.
func sayAgain(r *rig) { r.say(func(s *standin.State) { *s = standin.Lab() }) }

func windowsFaults() map[string]fault {
	subnet := netip.MustParsePrefix("10.87.1.0/24")
	lan := netip.MustParseAddr("192.168.10.23")
	route := func(change func(all []standin.Route) []standin.Route) func(*rig) {
		return func(r *rig) { r.say(func(s *standin.State) { s.Active = change(s.Active) }) }
	}
	return map[string]fault{
		"Windows cannot be asked": {
			code: health.WindowsUnseen, severity: health.Unknown,
			make: func(r *rig) {
				r.say(func(s *standin.State) { s.Faults = map[string]standin.Fault{"*": {Kind: standin.Broken}} })
			},
			mend: sayAgain,
		},
		"route gone": {
			code: health.RouteMissing, severity: health.Fail,
			make: route(func(all []standin.Route) []standin.Route { return without(all, subnet) }),
			mend: sayAgain,
		},
		"route to an old address": {
			code: health.RouteWrongGateway, severity: health.Fail,
			make: func(r *rig) { r.say(func(s *standin.State) { *s = standin.AfterRestart() }) },
			mend: sayAgain,
		},
		"VPN with a cheaper route": {
			code: health.RouteShadowed, severity: health.Fail,
			make: route(func(all []standin.Route) []standin.Route {
				return append(all, standin.Route{Destination: netip.MustParsePrefix("10.87.1.0/25"), Gateway: netip.MustParseAddr("192.168.10.1"), Interface: lan, Metric: 1})
			}),
			mend: sayAgain,
		},
		"a cheaper route besides": {
			code: health.RouteShadowed, severity: health.Fail, command: "route apply",
			make: func(r *rig) {
				r.say(func(s *standin.State) {
					s.Elevated = true // so that the repair can change the table by itself
					s.Active = append(s.Active, standin.Route{Destination: subnet, Gateway: netip.MustParseAddr("192.168.10.1"), Interface: lan, Metric: 2})
				})
			},
		},
		"a second route": {
			code: health.RouteDuplicate, severity: health.Warn,
			make: route(func(all []standin.Route) []standin.Route {
				return append(all, standin.Route{Destination: subnet, Gateway: netip.MustParseAddr("172.27.230.118"), Interface: netip.MustParseAddr("172.27.224.1"), Metric: 300})
			}),
			mend: sayAgain,
		},
		"a persistent route to an old address": {
			code: health.RouteAfterRestart, severity: health.Warn,
			make: func(r *rig) {
				r.say(func(s *standin.State) {
					s.Persistent = []standin.Route{{Destination: subnet, Gateway: netip.MustParseAddr("172.27.230.118"), Metric: 1}}
				})
			},
			mend: sayAgain,
		},
		"mirrored mode": {
			code: health.MirroredMode, severity: health.Fail,
			make: func(r *rig) { r.say(func(s *standin.State) { s.Mode = "mirrored" }) },
			mend: sayAgain,
		},
		"WSL without a default route": {
			code: health.RouteUnjudged, severity: health.Unknown,
			make: func(r *rig) {
				r.linux, r.windows.Options.Kernel = r.windows.Options.Kernel, kernel.NewFake()
			},
			mend: func(r *rig) { r.windows.Options.Kernel = r.linux },
		},
		"ping from Windows lost": {
			code: health.WindowsCannotReach, severity: health.Fail,
			make: func(r *rig) { r.say(func(s *standin.State) { s.Dead = []string{"10.87.1.1"} }) },
			mend: sayAgain,
		},
	}
}

func without(all []standin.Route, p netip.Prefix) []standin.Route {
	var rest []standin.Route
	for _, one := range all {
		if one.Destination != p {
			rest = append(rest, one)
		}
	}
	return rest
}

func gatewayFaults() map[string]fault {
	const apply = "gateway apply"
	return map[string]fault{
		"gateway's configuration unreadable": {
			code: health.GatewayUnseen, severity: health.Unknown,
			make: func(r *rig) { r.move(r.live(), r.live()+".away"); r.must(os.Mkdir(r.live(), 0o755)) },
			mend: func(r *rig) { r.remove(r.live()); r.move(r.live()+".away", r.live()) },
		},
		"gateway stopped": {
			code: health.GatewayDown, severity: health.Fail,
			make: func(r *rig) { r.nginx.Stop() },
			mend: func(r *rig) { r.nginx.Start(r.t) },
		},
		"gateway not reloaded": {
			code: health.GatewayOtherGeneration, severity: health.Fail, command: apply,
			make: func(r *rig) {
				first, err := os.ReadFile(r.live())
				r.must(err)
				r.edit("port = 3000", "port = 3000\nmax_body = \"20m\"")
				r.run("gateway", "apply", "--yes")
				r.write(r.live(), string(first))
			},
		},
		"gateway's drive not mounted": {
			code: health.GatewayUnseen, severity: health.Unknown,
			make: func(r *rig) { r.edit(fmt.Sprintf("config_dir = %q", r.nginx.Dir), `config_dir = "/mnt/q/flatnet"`) },
			mend: func(r *rig) { r.edit(`config_dir = "/mnt/q/flatnet"`, fmt.Sprintf("config_dir = %q", r.nginx.Dir)) },
		},
		"configuration edited by hand": {
			code: health.GatewayDrift, severity: health.Warn, command: apply,
			make: func(r *rig) {
				text, err := os.ReadFile(r.live())
				r.must(err)
				r.write(r.live(), string(text)+"\n# by hand\n")
			},
		},
		"site changed since": {
			code: health.GatewayDrift, severity: health.Warn, command: apply,
			make: func(r *rig) { r.edit("port = 3000", "port = 3000\nmax_body = \"20m\"") },
		},
		"host claimed twice": {
			code: health.SiteHostTwice, severity: health.Warn,
			make: func(r *rig) { r.db.labels = map[string]string{"flatnet.host": "web.local", "flatnet.port": "3000"} },
			mend: func(r *rig) { r.db.labels = nil },
		},
		"label that cannot be served": {
			code: health.SiteSetAside, severity: health.Warn,
			make: func(r *rig) { r.db.labels = map[string]string{"flatnet.host": "db.local", "flatnet.port": "many"} },
			mend: func(r *rig) { r.db.labels = nil },
		},
		"certificate ended": {
			code: health.SiteCertificate, severity: health.Fail, said: "sudo flatnet-tui gateway apply",
			make: func(r *rig) {
				r.certificate(-time.Hour)
				r.edit("port = 3000", fmt.Sprintf("port = 3000\ntls_cert = %q\ntls_key = %q", r.nginx.Dir+"/site.crt", r.nginx.Dir+"/site.key"))
				r.run("gateway", "apply", "--yes")
			},
			mend: func(r *rig) {
				r.certificate(365 * 24 * time.Hour)
				r.run("gateway", "apply", "--yes")
			},
		},
		"site's container stopped": {
			code: health.SiteWithoutContainer, severity: health.Fail, said: "sudo flatnet-tui gateway maintenance web.local on",
			make: func(r *rig) { r.stop(r.web) },
			mend: func(r *rig) { r.start(r.web) },
		},
	}
}

func upstreamFaults() map[string]fault {
	answer := func(h http.HandlerFunc) func(*rig) { return func(r *rig) { r.web.serve(h) } }
	well := answer(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "well again") })
	return map[string]fault{
		"server stopped inside its container": {
			code: health.UpstreamDown, severity: health.Fail, said: "sudo podman logs web",
			make: func(r *rig) { r.web.listener.Close() },
			mend: func(r *rig) { r.listen(r.web) },
		},
		"packets to the container dropped": {
			code: health.UpstreamDown, severity: health.Fail, said: "sudo podman logs web",
			make: func(r *rig) {
				r.edit(`timeout = "20s"`, `timeout = "1s"`)
				r.exec("iptables -I OUTPUT ! -p udp -d " + r.web.ip.String() + " -j DROP") // names are answered by udp
			},
			mend: func(r *rig) { r.exec("iptables -D OUTPUT ! -p udp -d " + r.web.ip.String() + " -j DROP") },
		},
		"server answers 500": {
			code: health.UpstreamWrongStatus, severity: health.Fail, said: "sudo podman logs web",
			make: answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }),
			mend: well,
		},
		"target without the text it must have": {
			code: health.UpstreamWrongStatus, severity: health.Fail,
			make: func(r *rig) {
				r.edit("[probes]", "[[probes.target]]\nname = \"greeting\"\nkind = \"http\"\ntarget = \"http://10.87.1.2:3000/\"\nbody = \"goodbye\"\n\n[probes]")
			},
			mend: answer(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello and goodbye") }),
		},
		"server hangs": {
			code: health.UpstreamUnknown, severity: health.Unknown,
			make: func(r *rig) {
				r.edit(`timeout = "20s"`, `timeout = "1s"`)
				r.web.serve(func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() })
			},
			mend: well,
		},
		"server slow": {
			code: health.UpstreamSlow, severity: health.Warn,
			make: answer(func(http.ResponseWriter, *http.Request) { time.Sleep(1100 * time.Millisecond) }),
			mend: well,
		},
		"a 502 from the gateway": {
			code: health.GatewayErrors, severity: health.Warn,
			make: func(r *rig) {
				r.web.listener.Close()
				if got := r.answers("web.local"); got != http.StatusServiceUnavailable { // Flatnet's page; nginx logs why
					r.t.Fatalf("the gateway answers %d", got)
				}
				r.listen(r.web)
			},
			mend: func(r *rig) { r.ahead = time.Hour },
		},
	}
}

// answers gives the status with which the gateway answers for a site.
func (r *rig) answers(host string) int {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, "http://127.0.0.1/", nil)
	r.must(err)
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	r.must(err)
	resp.Body.Close()
	return resp.StatusCode
}

// certificate writes a pair that ends so long from now.
func (r *rig) certificate(left time.Duration) {
	r.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	r.must(err)
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(left)}
	cert, err := x509.CreateCertificate(rand.Reader, &template, &template, private.Public(), private)
	r.must(err)
	key, err := x509.MarshalPKCS8PrivateKey(private)
	r.must(err)
	for name, block := range map[string]*pem.Block{"site.crt": {Type: "CERTIFICATE", Bytes: cert}, "site.key": {Type: "PRIVATE KEY", Bytes: key}} {
		r.write(filepath.Join(r.nginx.Dir, name), string(pem.EncodeToMemory(block)))
	}
}
