package gateway

import (
	"cmp"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"slices"
	"strings"
	"time"

	"flatnet/core/say"
)

// checkFiles sets aside the sites whose files are missing or no certificates:
// nginx would refuse the whole configuration for one of them.
func (g *Gateway) checkFiles(sites []Site, refused []SetAside) ([]Site, []SetAside) {
	var good []Site
	for _, s := range sites {
		if err := g.siteFiles(s); err != nil {
			refused = append(refused, aside(s, say.Of(err)))
			continue
		}
		s.CertSum = g.certSum(s)
		good = append(good, s)
	}
	slices.SortStableFunc(refused, func(a, b SetAside) int { return cmp.Compare(a.Host, b.Host) })
	return good, refused
}

func (g *Gateway) siteFiles(s Site) error {
	if auth, ok := g.layout.reach(s.AuthFile); ok && s.AuthFile != "" {
		if _, err := readFile(auth); err != nil {
			return say.Errorf("%s: %w", "auth_file", err)
		}
	}
	cert, ok1 := g.layout.reach(s.TLSCert)
	key, ok2 := g.layout.reach(s.TLSKey)
	if s.TLSCert != "" && ok1 && ok2 {
		if err := g.certificate(cert, key); err != nil {
			return say.Errorf("tls_cert and tls_key: %w", err)
		}
	}
	return nil
}

// errWeak says what OpenSSL's security level 2, Debian's default, refuses.
var errWeak = say.New("nginx refuses RSA keys of less than 2048 bits, and signatures with SHA-1 or MD5")

// weakest is the smallest RSA key, in bits.
const weakest = 2048

// certificate says why nginx would refuse a pair. How strict the one on Windows
// is, is not known here.
func (g *Gateway) certificate(cert, key string) error {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil || strings.HasSuffix(g.o.Config.Nginx, ".exe") {
		return err
	}
	for _, der := range pair.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			continue // of the chain: OpenSSL takes some that Go does not
		}
		public, isRSA := c.PublicKey.(*rsa.PublicKey)
		oldHash := slices.Contains([]x509.SignatureAlgorithm{x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1}, c.SignatureAlgorithm)
		selfSigned := slices.Equal(c.RawIssuer, c.RawSubject)
		if isRSA && public.N.BitLen() < weakest || oldHash && !selfSigned {
			return errWeak
		}
	}
	return nil
}

// certText reads the site's certificate; nil where it has none, or it cannot be
// read from here.
func (g *Gateway) certText(s Site) []byte {
	file, ok := g.layout.reach(s.TLSCert)
	if s.TLSCert == "" || !ok {
		return nil
	}
	text, err := readFile(file)
	if err != nil {
		return nil
	}
	return text
}

// certSum tells the site's certificate from another one; "" where certText has
// none.
func (g *Gateway) certSum(s Site) string {
	text := g.certText(s)
	if text == nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// certUntil is when the site's certificate ends; zero where certText has none.
func (g *Gateway) certUntil(s Site) time.Time {
	block, _ := pem.Decode(g.certText(s))
	if block == nil {
		return time.Time{}
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}
	}
	return c.NotAfter
}
