package bundle_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"flatnet/core"
	"flatnet/core/bundle"
	"flatnet/core/config"
	"flatnet/core/gateway"
	"flatnet/core/health"
	"flatnet/core/journal"
	"flatnet/core/kernel"
	"flatnet/core/podman"
)

var at = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// example is a bundle with something of everything in it.
func example() bundle.Bundle {
	c := config.Default()
	c.Gateway.Sites = []config.Site{{Host: "web.local", Container: "web", Port: 3000, Headers: map[string]string{"X-Frame": "hush-header"}}}
	c.Gateway.HealthURL = "http://admin:hush-url@127.0.0.1/health"
	f := health.Facts{Time: at, Version: "v1", Config: c}
	f.Podman = health.Look(at, health.Podman{Containers: []podman.Container{{
		ID: "ab12", Name: "web", State: "running",
		Labels: map[string]string{"flatnet.host": "web.local", "org.example.db_password": "hush-label", "owner": "hush-owner"},
	}}}, nil)
	f.Gateway = health.Look(at, gateway.Status{Sites: []gateway.SiteStatus{{Host: "web.local", Upstreams: []gateway.ServerStatus{{Address: netip.MustParseAddrPort("10.87.1.2:3000")}}}}}, nil)
	return bundle.Bundle{
		Made: at, Facts: f, Findings: health.Evaluate(f), Versions: bundle.Versions{Flatnet: "v1", Go: "go1.26"},
		Paths:   []health.Path{{Host: "web.local", Broken: -1, Hops: []health.Hop{{Name: "name", State: health.LinkGood}}}},
		Links:   []kernel.Link{{Name: "flatnet-br0", Type: "bridge", MTU: 1500}},
		Journal: []journal.Entry{{Time: at, Action: "allocate", IP: "10.87.1.2"}},
		Texts:   map[string]string{"iptables-save": "*filter\n-A FORWARD -j FLATNET-FORWARD\nCOMMIT\n"},
	}
}

func written(t *testing.T, b bundle.Bundle) string {
	t.Helper()
	var out bytes.Buffer
	if err := bundle.Write(&out, b); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	text := written(t, example())
	got, err := bundle.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := example()
	if got.Facts.Config.Network != want.Facts.Config.Network || !reflect.DeepEqual(got.Facts.Gateway, want.Facts.Gateway) {
		t.Errorf("facts differ: %+v", got.Facts)
	}
	if !reflect.DeepEqual(got.Paths, want.Paths) || !reflect.DeepEqual(got.Texts, want.Texts) || !reflect.DeepEqual(got.Journal, want.Journal) {
		t.Errorf("%+v", got)
	}
	if !reflect.DeepEqual(got.Findings, want.Findings) {
		t.Errorf("judged otherwise:\n%+v\n%+v", got.Findings, want.Findings)
	}
	if _, ok := got.PathTo("web.local"); !ok {
		t.Error("the path is lost")
	}
	if _, ok := got.PathTo("other.local"); ok {
		t.Error("a path that nobody followed")
	}
}

func TestSecretsAreTakenOut(t *testing.T) {
	b := example()
	b.Texts["nginx.conf"] = `
    add_header X-Api-Key "hush-1";
    proxy_set_header Authorization "Basic aHVzaDpodXNo";
    add_header X-Flatnet-Generation 4;
    proxy_pass http://user:hush-2@10.87.1.2:3000;
    auth_basic_user_file F:/flatnet/htpasswd;
`
	b.Texts["log"] = `10.0.0.1 "GET /reset?token=hush-3&next=/ HTTP/1.1" 200
Authorization: Bearer hush-4.hush-5
Cookie: session=hush-6
password = "hush-7"
api_key: hush-8
DB_PASSWORD=hush-9
-----BEGIN RSA PRIVATE KEY-----
hush-10
-----END RSA PRIVATE KEY-----
10.87.1.2 is attached`
	b.Journal = append(b.Journal, journal.Entry{Time: at, Action: "edit", Text: "set secret_token = hush-11"})
	b.Journal = append(b.Journal, journal.Entry{Time: at, Action: "edit-config", Before: "[gateway.site.headers]\nX-Mine = 'hush-13'", After: "hush-14"})
	b.Facts.Probes = health.Look(at, []health.Probe{{Name: "x", Target: "https://u:hush-12@example.local/"}}, nil)
	text := written(t, b)
	if i := strings.Index(text, "hush"); i >= 0 {
		t.Errorf("a secret is left: …%s…", text[max(0, i-60):min(len(text), i+40)])
	}
	for _, kept := range []string{
		"X-Flatnet-Generation 4", "10.87.1.2:3000", "10.87.1.2 is attached", "flatnet.host", "web.local", "htpasswd", "FLATNET-FORWARD",
	} {
		if !strings.Contains(text, kept) {
			t.Errorf("%q was taken out, too", kept)
		}
	}
	if _, err := bundle.Read(strings.NewReader(text)); err != nil {
		t.Errorf("it cannot be read any more: %v", err)
	}
}

func TestSizesAreBounded(t *testing.T) {
	b := example()
	b.Texts["flatnet.log"] = strings.Repeat("old\n", bundle.MaxText) + "the newest line"
	for i := range 2 * bundle.MaxJournal {
		b.Journal = append(b.Journal, journal.Entry{Text: fmt.Sprint("entry ", i)})
	}
	for range 2 * bundle.MaxPaths {
		b.Paths = append(b.Paths, health.Path{Host: "x"})
	}
	got, err := bundle.Read(strings.NewReader(written(t, b)))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got.Texts["flatnet.log"]); n > bundle.MaxText+100 || !strings.HasSuffix(got.Texts["flatnet.log"], "the newest line") {
		t.Errorf("the log has %d bytes", n)
	}
	if len(got.Journal) != bundle.MaxJournal || got.Journal[len(got.Journal)-1].Text != fmt.Sprint("entry ", 2*bundle.MaxJournal-1) {
		t.Errorf("%d entries", len(got.Journal))
	}
	if len(got.Paths) != bundle.MaxPaths {
		t.Errorf("%d paths", len(got.Paths))
	}
}

func TestOtherFilesAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"empty":       "",
		"no JSON":     "PK\x03\x04",
		"other JSON":  `{"schema":1,"findings":[]}`,
		"no schema":   `{"kind":"flatnet-bundle"}`,
		"newer":       `{"kind":"flatnet-bundle","schema":99}`,
		"wrong types": `{"kind":"flatnet-bundle","schema":1,"facts":[]}`,
		"half":        `{"kind":"flatnet-bundle","schema":1,"facts":{`,
		// A few MiB that would be gigabytes in memory.
		"swollen": `{"kind":"flatnet-bundle","schema":1,"facts":{"leases":{"value":[` + strings.Repeat("{},", 1<<20) + `{}]}}}`,
		"hollow":  `{"kind":"flatnet-bundle","schema":1,"facts":{"leases":{"value":[` + strings.Repeat("null,", 1<<20) + `null]}}}`,
		"deep":    `{"kind":"flatnet-bundle","schema":1,"facts":` + strings.Repeat("[", 1<<18),
	} {
		_, err := bundle.Read(strings.NewReader(text))
		if !errors.Is(err, bundle.ErrNotBundle) || core.Hint(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	var out bytes.Buffer
	if err := bundle.Write(&out, example()); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add([]byte(`{"kind":"flatnet-bundle","schema":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := bundle.Read(bytes.NewReader(text))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := bundle.Write(&again, b); err != nil {
			t.Fatal(err)
		}
		if !json.Valid(again.Bytes()) {
			t.Error("what was read is written as no JSON")
		}
	})
}
