package health_test

import (
	"testing"
	"time"

	"flatnet/core/gateway"
	"flatnet/core/health"
)

func TestCertificates(t *testing.T) {
	for left, want := range map[time.Duration]health.Severity{
		-time.Hour: health.Fail, 13 * 24 * time.Hour: health.Warn, 15 * 24 * time.Hour: health.OK,
	} {
		f := good()
		f.Gateway.Value.Sites = []gateway.SiteStatus{{Host: "web.local", State: gateway.OK, CertUntil: f.Time.Add(left)}}
		got := health.OK
		for _, found := range health.Evaluate(f) {
			if found.Code == health.SiteCertificate {
				got = found.Severity
			}
		}
		if got != want {
			t.Errorf("%s before its end: %q, want %q", left, got, want)
		}
	}
}
