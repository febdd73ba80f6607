package gateway

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"time"

	"flatnet/core/config"
	"flatnet/core/say"
)

// HealthName is the server that answers /health (seed phase 1). Whoever asks
// by an address alone may reach a default server that is not Flatnet's.
const HealthName = "_health"

// The names that clients and tools rely on.
const (
	generationHeader = "X-Flatnet-Generation" // in its answer
	confName         = "flatnet.conf"         // the file in conf.d (seed 4.2)
	nowhereText      = "No site has this name here.\n"
	tlsPort          = "443"
)

// Modes of config.Gateway.
const (
	modeStatic = "static"
	modeLua    = "lua"
)

//go:embed template
var templates embed.FS

// Files is one generation's content, by file name. flatnet.conf is always in
// it; flatnet.lua and routes.json in lua mode.
type Files map[string][]byte

// Conf is the file that goes into conf.d.
func (f Files) Conf() []byte { return f[confName] }

// Render writes what serves the sites of g. It is pure: the same sites give the
// same bytes. Its error says which value cannot be written down, which no
// checked site has.
func Render(c config.Gateway, n config.Network, g Generation) (Files, error) {
	v := newView(c, g.Sites)
	v.Generation = g.Number
	if c.Mode == modeLua {
		v.DirectName = directName(n, nil) // flatnet.lua knows the closed ones
		return renderLua(c, v, g)
	}
	v.DirectName = directName(n, closed(g))
	conf, err := execute(modeStatic, v)
	if err != nil {
		return nil, err
	}
	return Files{confName: conf}, nil
}

// view is what the templates see.
type view struct {
	Generation        int
	GenerationHeader  string
	HealthName        string
	Listen, TLSListen string
	Nowhere           string
	NoContainer       string
	DirectName        string // a regular expression
	Hosts             []host
	BodyLimits        []string
	Lua               string // the Lua expression that is flatnet.lua's table; "" in static mode
}

// AnyTLS tells whether any host is served by https.
func (v view) AnyTLS() bool { return slices.ContainsFunc(v.Hosts, host.TLS) }

// host is all sites of one name.
type host struct {
	Host            string
	TLSCert, TLSKey string
	CertSum         string // hex, "" where it is not known
	Routes          []route
}

// TLS tells whether the host is served by https, and only so.
func (h host) TLS() bool { return h.TLSCert != "" }

// Whole tells whether every path of the host is some route's.
func (h host) Whole() bool {
	return slices.ContainsFunc(h.Routes, func(r route) bool { return slices.Contains(r.Prefixes(), "/") })
}

// route is one site as the templates see it.
type route struct {
	Site
	Upstream string
}

// Alive are the servers that are asked.
func (r route) Alive() []Server {
	return slices.DeleteFunc(slices.Clone(r.Servers), func(s Server) bool { return s.Down != "" })
}

// Proxied tells whether requests reach a server.
func (r route) Proxied() bool { return r.Redirect == "" && r.Page() == "" }

// Page is the 503 page that is all there is of the site now, or "".
func (r route) Page() string {
	if r.Maintenance {
		return page(busyWords(r.Site))
	}
	if since, down := r.Down(); down {
		return page(downWords(r.Site, sinceText(since)))
	}
	return ""
}

// NoAnswer is the page for a server that fails before anyone noticed.
func (r route) NoAnswer() string { return page(downWords(r.Site, noAnswerText)) }

func newView(c config.Gateway, sites []Site) view {
	v := view{
		GenerationHeader: generationHeader,
		HealthName:       HealthName,
		Listen:           c.Listen,
		TLSListen:        tlsListen(c.Listen),
		Nowhere:          nowhereText,
		NoContainer:      page(words{Title: "There is no answer", Message: "Nothing answers at this address.", Since: noAnswerText}),
	}
	for _, s := range sites {
		if len(v.Hosts) == 0 || v.Hosts[len(v.Hosts)-1].Host != s.Host {
			v.Hosts = append(v.Hosts, host{Host: s.Host})
		}
		h := &v.Hosts[len(v.Hosts)-1]
		if h.TLSCert == "" {
			h.TLSCert, h.TLSKey, h.CertSum = s.TLSCert, s.TLSKey, s.CertSum
		}
		h.Routes = append(h.Routes, route{Site: s, Upstream: upstreamName(s.Host, len(h.Routes))})
	}
	return v
}

// upstreamName is different for every host and route: no host begins with a
// digit and "_" in its place.
func upstreamName(host string, at int) string {
	if at == 0 {
		return "flatnet_" + host
	}
	return fmt.Sprintf("flatnet%d_%s", at+1, host)
}

// tlsListen is the https port at the same address.
func tlsListen(listen string) string {
	if h, _, err := net.SplitHostPort(listen); err == nil {
		return net.JoinHostPort(h, tlsPort)
	}
	return tlsPort
}

// closed are the addresses that are not to be had by address: what is there
// asks for a password or for certain clients, even where it is set aside.
func closed(g Generation) []netip.Addr {
	var all []netip.Addr
	for _, s := range g.Sites {
		if s.guarded() {
			all = append(all, s.addresses()...)
		}
	}
	for _, a := range g.SetAside {
		all = append(all, a.Closed...)
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return slices.Compact(all)
}

// parsed holds the templates: parsed once, when they are first needed.
var parsed = sync.OnceValues(func() (map[string]*template.Template, error) {
	all := map[string]*template.Template{}
	for _, mode := range []string{modeStatic, modeLua} {
		name := mode + ".conf.tmpl"
		t, err := template.New(name).Funcs(template.FuncMap{"q": quote, "limit": limit, "serverName": serverName}).
			ParseFS(templates, "template/shared.conf.tmpl", "template/"+name)
		if err != nil {
			return nil, err
		}
		all[mode] = t
	}
	return all, nil
})

// execute runs the template of a mode.
func execute(mode string, v view) ([]byte, error) {
	all, err := parsed()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := all[mode].Execute(&b, v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

var errUnquotable = say.New("this cannot be written into an nginx file")

// quote writes one parameter for nginx: within double quotes only these two
// are special, and "$", which has no escape, would be a variable. Trusted
// regular expressions end in "$" and pass.
func quote(s string) (string, error) {
	text := s
	if strings.HasPrefix(s, "~^") {
		text = strings.TrimSuffix(s, "$")
	}
	if strings.Contains(text, "$") {
		return "", say.Errorf("%w: %q", errUnquotable, s)
	}
	for _, r := range s {
		if r < ' ' && r != '\n' || r == 0x7f {
			return "", say.Errorf("%w: %q", errUnquotable, s)
		}
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`, nil
}

// limit writes a time limit, at least 1 ms.
func limit(d time.Duration) string {
	if d >= time.Second && d%time.Second == 0 {
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	}
	return strconv.FormatInt(max(d.Milliseconds(), 1), 10) + "ms"
}

// hashedName is the longest name that nginx's table of names takes with its
// default size of 64 bytes a bucket; one longer would make it refuse all.
const hashedName = 46

// serverName writes a host as a server's name: as it is, or as a regular
// expression where it is too long for the table.
func serverName(host string) string {
	if len(host) <= hashedName {
		return host
	}
	return `"~^` + strings.ReplaceAll(host, ".", `\.`) + `$"`
}

// directName matches <address>.flatnet.local for the addresses that containers
// can have, except the closed ones.
func directName(n config.Network, closed []netip.Addr) string {
	except := append(append(edges(n.Subnet), n.Gateway), closed...)
	texts := make([]string, len(except))
	for i, a := range except {
		texts[i] = strings.ReplaceAll(a.String(), ".", `\.`)
	}
	return `~^(?!(?:` + strings.Join(texts, "|") + `)\.)(?<flatnet_ip>` + subnetPattern(n.Subnet) + `)\.flatnet\.local$`
}

// subnetPattern matches the addresses of an IPv4 network and nothing else,
// each in its one usual form.
func subnetPattern(p netip.Prefix) string {
	e := edges(p)
	first, last := e[0].As4(), e[1].As4()
	octets := make([]string, 4)
	for i := range octets {
		octets[i] = octetPattern(int(first[i]), int(last[i]))
	}
	return strings.Join(octets, `\.`)
}

// octetPattern matches the numbers from low to high.
func octetPattern(low, high int) string {
	if low == 0 && high == 255 {
		return `(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])`
	}
	numbers := make([]string, 0, high-low+1)
	for i := low; i <= high; i++ {
		numbers = append(numbers, strconv.Itoa(i))
	}
	if len(numbers) == 1 {
		return numbers[0]
	}
	return "(?:" + strings.Join(numbers, "|") + ")"
}

// bytesOf is nginx's size in bytes: "20m". It was checked.
func bytesOf(size string) int64 {
	digits := strings.TrimRight(size, "kKmMgG")
	n, _ := strconv.ParseInt(digits, 10, 64)
	switch strings.ToLower(strings.TrimPrefix(size, digits)) {
	case "k":
		return n << 10
	case "m":
		return n << 20
	case "g":
		return n << 30
	}
	return n
}

// bodyLimits are the different limits that sites have, smallest first.
func bodyLimits(sites []Site) []string {
	var all []string
	for _, s := range sites {
		if limit := bodyLimit(s); limit != "" && !slices.Contains(all, limit) {
			all = append(all, limit)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Compare(bytesOf(a), bytesOf(b)) })
	return all
}

// bodyLimit is the site's limit in bytes, "" for none.
func bodyLimit(s Site) string {
	if n := bytesOf(s.MaxBody); n > 0 {
		return strconv.FormatInt(n, 10)
	}
	return ""
}
