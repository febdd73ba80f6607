package bundle_test

import (
	"strings"
	"testing"

	"flatnet/core/health"
)

// TestSecretsByOtherNames: what secrets look like in files of others.
func TestSecretsByOtherNames(t *testing.T) {
	for _, line := range []string{
		`add_header X-Fastly-Auth hush;`,
		`proxy_set_header X-Forward-Auth "hush";`,
		`proxy_set_header Proxy-Authorization "Basic aHVzaDpodXNo hush";`,
		`more_set_headers "X-Api-Key: hush";`,
		`set $apikey hush;`,
		`auth_basic_password hush;`,
		`proxy_pass http://10.87.1.2/?sig=hush;`,
		`http://example.local/hook?key=hush&x=1`,
		`redis://:hush@db:6379/0`,
		`https://hush@example.local/`,
		`DB_PASS=hush`,
		`PGPASSWORD: hush`,
		`"password": "hush"`,
		`kh:$apr1$hush$abcdefghijklmnopqrstuv`,
		`kh:{SHA}hushhushhushhushhushhushhus=`,
		`-----BEGIN ENCRYPTED PRIVATE KEY-----` + "\nhush\n" + `-----END ENCRYPTED PRIVATE KEY-----`,
		`-----BEGIN PGP PRIVATE KEY BLOCK-----` + "\nhush\n" + `-----END PGP PRIVATE KEY BLOCK-----`,
		`eyJhbGciOiJIUzI1NiJ9.eyJodXNoIjoiaHVzaCJ9.hushhushhush`,
		`GET http://x/y?hush HTTP/1.1`,
		`upstream: "http://10.87.1.2:3000/reset?hush", host: "web.local", referrer: "http://web.local/?hush"`,
		`request: "PROPFIND /dav?hush HTTP/1.1"`,
	} {
		b := example()
		b.Texts["file"] = line
		b.Facts.Probes = health.Look(at, []health.Probe{{Name: "x", Target: "http://example.local/health?hush"}}, nil)
		if text := written(t, b); strings.Contains(text, "hush") {
			i := strings.Index(text, "hush")
			t.Errorf("%s\n leaves …%s…", line, text[max(0, i-60):min(len(text), i+30)])
		}
	}
}
