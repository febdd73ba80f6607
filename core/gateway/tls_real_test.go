package gateway_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certificate writes a self-signed pair for a host.
func certificate(t *testing.T, dir, host string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return pair(t, dir, host, private)
}

// pair is certificate for a key.
func pair(t *testing.T, dir, host string, private crypto.Signer) (cert, key string) {
	t.Helper()
	template := x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, host+".crt"), filepath.Join(dir, host+".key")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestTLS(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world) {
		serve(t, "10.87.1.2:80", "safe")
		cert, key := certificate(t, w.nginx.Dir, "safe.local")
		broken := filepath.Join(w.nginx.Dir, "broken.crt")
		if err := os.WriteFile(broken, []byte("no certificate"), 0o644); err != nil {
			t.Fatal(err)
		}
		short, err := rsa.GenerateKey(rand.Reader, 1024)
		if err != nil {
			t.Fatal(err)
		}
		weak, weakKey := pair(t, w.nginx.Dir, "weak.local", short)
		w.run("weak", "10.87.1.2", "host=weak.local", "tls_cert="+weak, "tls_key="+weakKey) // nginx would refuse all
		w.run("safe", "10.87.1.2", "host=safe.local", "tls_cert="+cert, "tls_key="+key)
		w.run("broken", "10.87.1.2", "host=broken.local", "tls_cert="+broken, "tls_key="+key)
		w.run("plain", "10.87.1.2", "host=plain.local")
		w.nginx.Start(t)
		w.apply()
		if a := get(t, "safe.local", "/x?y=1"); a.Status != 301 || a.Header.Get("Location") != "https://safe.local/x?y=1" {
			t.Errorf("http: %d %s", a.Status, a.Header.Get("Location"))
		}
		if a := get(t, "plain.local", "/"); a.Status != 200 {
			t.Errorf("a site without a certificate: %d", a.Status)
		}
		body, names := overTLS(t, "safe.local")
		if body != "safe https" || names != "safe.local" {
			t.Errorf("https: %q by the certificate of %q\n%s", body, names, w.nginx.Log())
		}
		if s := w.look(); len(s.SetAside) != 2 || s.SetAside[0].Host != "broken.local" || s.SetAside[1].Host != "weak.local" {
			t.Errorf("set aside: %+v, want broken.local and weak.local", s.SetAside)
		}
		before := serialOf(t, "safe.local")
		certificate(t, w.nginx.Dir, "safe.local") // renewed
		if out := w.apply(); !out.Reloaded {
			t.Errorf("a renewed certificate: %+v, want a reload", out)
		}
		if serialOf(t, "safe.local") == before {
			t.Error("the old certificate is served")
		}
		c, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, ServerName: "plain.local"}}).DialContext(t.Context(), "tcp", "127.0.0.1:443")
		if err == nil {
			c.Close()
			t.Error("a name without a certificate is served by another's")
		}
	})
}

// serialOf is the number of the certificate that the host is served by.
func serialOf(t *testing.T, host string) string {
	t.Helper()
	d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, ServerName: host}}
	c, err := d.DialContext(t.Context(), "tcp", "127.0.0.1:443")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.String()
}

func overTLS(t *testing.T, host string) (body, names string) {
	t.Helper()
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, ServerName: host},
	}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://127.0.0.1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return string(text) + " " + resp.Header.Get("X-Seen-Proto"), resp.TLS.PeerCertificates[0].Subject.CommonName
}
