package command_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"flatnet/core/health"
	"flatnet/testdata/nginx"
	"flatnet/testdata/windows/standin"
)

func TestProbe(t *testing.T) {
	r := newRig(t)
	status, out := r.run("probe")
	if status != 0 {
		t.Errorf("exit status %d\n%s", status, out)
	}
	for _, name := range []string{"flatnet-br0", "gateway", "web.local"} {
		if !strings.Contains(out, "ok      "+name) {
			t.Errorf("%s is not ok:\n%s", name, out)
		}
	}
	r.web.listener.Close()
	status, out = r.run("probe", "web.local", "--json")
	var got struct {
		Schema int
		Probes []health.Probe
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if status != 1 || len(got.Probes) != 1 || got.Probes[0].State != health.Fail || got.Probes[0].Cause != "refused" || got.Schema != 1 {
		t.Errorf("exit status %d\n%s", status, out)
	}
	if status, out := r.run("probe", "nobody"); status != 2 || !strings.Contains(out, "web.local") {
		t.Errorf("exit status %d\n%s", status, out)
	}
}

// A Windows and an upstream that hang: doctor ends, and both are unknown.
func TestDoctorWhileWindowsAndAnUpstreamHang(t *testing.T) {
	r := newRig(t)
	r.edit(`timeout = "20s"`, `timeout = "1s"`)
	r.limit = 0 // as flatnet-tui has it
	r.say(func(s *standin.State) { s.Faults = map[string]standin.Fault{"*": {Kind: standin.Hang}} })
	r.web.serve(func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() })
	found := map[health.Code]health.Severity{}
	for _, f := range r.doctor() {
		found[f.Code] = f.Severity
	}
	if len(found) != 2 || found[health.WindowsUnseen] != health.Unknown || found[health.UpstreamUnknown] != health.Unknown {
		t.Errorf("%v", found)
	}
}

// A gateway that takes connections and says nothing: that is what is found, and
// nothing is said of its files.
func TestDoctorWhileTheGatewayHangs(t *testing.T) {
	r := newRig(t)
	r.edit(`timeout = "20s"`, `timeout = "1s"`)
	r.limit = 0 // as flatnet-tui has it
	r.nginx.Stop()
	defer nginx.Listen(t, "127.0.0.1:80").Close()
	found := r.doctor()
	if len(found) != 1 || found[0].Code != health.GatewayDown || found[0].Severity != health.Unknown || !strings.Contains(found[0].Detail.String(), "did not answer") {
		t.Error(describe(found))
	}
}
