package ports_test

import (
	"errors"
	"strings"
	"testing"

	"flatnet/core/ports"
)

func TestTextAndBack(t *testing.T) {
	for _, text := range []string{
		"", "8080:80/tcp", "53:53/udp", "192.0.2.1:8000-8010:80-90/udp", "1-65535:1-65535/tcp",
		"8080:80/tcp 8443:443/tcp 127.0.0.1:5353:53/udp",
	} {
		all, err := ports.Parse(text)
		if err != nil || ports.Text(all) != text {
			t.Errorf("%q became %q, %v", text, ports.Text(all), err)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, text := range []string{
		"80", "80:80", "80:80/sctp", "0:80/tcp", "80:0/tcp", "65536:80/tcp", "8000-8010:80/tcp", "8000-8010:80-91/tcp",
		"8010-8000:90-80/tcp", "::1:80:80/tcp", "x:80:80/tcp", "a:80/tcp", "1:2:3:4/tcp", "-80:80/tcp", "0-65535:0-65535/tcp",
		strings.Repeat("80:80/tcp ", ports.MaxMappings+1),
	} {
		if all, err := ports.Parse(text); !errors.Is(err, ports.ErrInvalid) {
			t.Errorf("%.40q is taken for %v, %v", text, all, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("192.0.2.1:8000-8010:80-90/udp 80:80/tcp")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ports.Parse(text)
		if err != nil {
			return
		}
		again, err := ports.Parse(ports.Text(all))
		if err != nil || ports.Text(again) != ports.Text(all) {
			t.Errorf("%q: %v is not read back: %v, %v", text, all, again, err)
		}
	})
}
