package gateway

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"path"
	"slices"

	"flatnet/core/config"
)

// Files of lua mode.
const (
	luaName    = "flatnet.lua"
	routesName = "routes.json"
)

// hashLen is how many hex digits name one content.
const hashLen = 12

// renderLua writes the fixed configuration, Flatnet's Lua and the table that
// it reads. The configuration names the folder of the other two by its own
// hash, so a new configuration never reads an old one's table.
func renderLua(c config.Gateway, v view, g Generation) (Files, error) {
	code, err := templates.ReadFile("template/" + luaName)
	if err != nil {
		return nil, err
	}
	v.BodyLimits = bodyLimits(g.Sites)
	v.Lua = "flatnet"
	plain, err := execute(modeLua, v)
	if err != nil {
		return nil, err
	}
	sum := hashOf(plain, code)
	v.Lua = luaExpression(sum, path.Join(c.WindowsPath, ownDir, luaDir, sum))
	conf, err := execute(modeLua, v)
	if err != nil {
		return nil, err
	}
	routes, err := routesJSON(v, closed(g))
	return Files{confName: conf, luaName: code, routesName: routes}, err
}

// luaExpression gives flatnet.lua's table, and loads it the first time.
func luaExpression(sum, home string) string {
	return fmt.Sprintf(`(package.loaded["flatnet_%s"] or assert(loadfile("%s/%s"))("flatnet_%s", "%s"))`, sum, home, luaName, sum, home)
}

func hashOf(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d\n", len(p))
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil))[:hashLen]
}

// table is routes.json. Generation and Sum come first: flatnet.lua compares
// the file's first bytes to see whether it is another one.
type table struct {
	Generation       int                  `json:"generation"`
	Sum              string               `json:"sum"`
	GenerationHeader string               `json:"generation_header"`
	Page             string               `json:"page"`
	Nowhere          string               `json:"nowhere"`
	Closed           map[string]bool      `json:"closed"`
	Hosts            map[string]tableHost `json:"hosts"`
}

type tableHost struct {
	TLS    bool         `json:"tls"`
	Routes []tableRoute `json:"routes"` // longest path first
}

type tableRoute struct {
	Path           string            `json:"path"`
	Servers        []tableServer     `json:"servers"`
	WebSocket      bool              `json:"websocket"`
	MaxBody        int64             `json:"max_body"` // bytes; 0: no limit
	BodyLimit      string            `json:"body_limit"`
	ConnectTimeout float64           `json:"connect_timeout"` // seconds
	ReadTimeout    float64           `json:"read_timeout"`    // seconds
	Headers        map[string]string `json:"headers"`
	Allow          []tableNetwork    `json:"allow"`
	Auth           string            `json:"auth"`
	Redirect       string            `json:"redirect"`
	Maintenance    bool              `json:"maintenance"`
	DownTitle      string            `json:"down_title"` // these five are HTML
	DownMessage    string            `json:"down_message"`
	Since          string            `json:"since"` // "" : Lua knows
	BusyTitle      string            `json:"busy_title"`
	BusyMessage    string            `json:"busy_message"`
}

type tableServer struct {
	Address string     `json:"address"`
	IP      netip.Addr `json:"ip"`
	Port    uint16     `json:"port"`
}

type tableNetwork struct {
	Bytes []int `json:"bytes"` // 4 or 16
	Bits  int   `json:"bits"`
}

func routesJSON(v view, closed []netip.Addr) ([]byte, error) {
	t := table{
		Generation: v.Generation, GenerationHeader: generationHeader,
		Page: pageTemplate(), Nowhere: nowhereText,
		Closed: map[string]bool{}, Hosts: map[string]tableHost{},
	}
	for _, a := range closed {
		t.Closed[a.String()] = true
	}
	for _, h := range v.Hosts {
		t.Hosts[h.Host] = tableHost{TLS: h.TLS(), Routes: tableRoutes(h)}
	}
	content, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	t.Sum = hashOf(content)
	return json.Marshal(t)
}

func tableRoutes(h host) []tableRoute {
	var all []tableRoute
	for _, r := range h.Routes {
		for _, p := range r.Prefixes() {
			one := tableRouteOf(r.Site)
			one.Path = p
			all = append(all, one)
		}
	}
	slices.SortStableFunc(all, func(a, b tableRoute) int { return cmp.Compare(len(b.Path), len(a.Path)) })
	return all
}

// tableRouteOf keeps every server that has an address: lua mode looks itself
// which of them answer, so a site comes back without a new table.
func tableRouteOf(s Site) tableRoute {
	down, busy := downWords(s, ""), busyWords(s)
	r := tableRoute{
		Servers: []tableServer{}, WebSocket: s.WebSocket,
		MaxBody: bytesOf(s.MaxBody), BodyLimit: bodyLimit(s),
		ConnectTimeout: s.ConnectTimeout.Seconds(), ReadTimeout: s.ReadTimeout.Seconds(),
		Headers: s.Headers, Allow: []tableNetwork{}, Auth: s.AuthFile, Redirect: s.Redirect, Maintenance: s.Maintenance,
		DownTitle: escape(down.Title), DownMessage: escape(down.Message),
		BusyTitle: escape(busy.Title), BusyMessage: escape(busy.Message),
	}
	if r.Headers == nil {
		r.Headers = map[string]string{}
	}
	for _, srv := range s.Servers {
		if a := srv.Address; a.IsValid() {
			r.Servers = append(r.Servers, tableServer{a.String(), a.Addr(), a.Port()})
		}
	}
	if since, down := s.Down(); down && len(r.Servers) == 0 {
		r.Since = sinceText(since)
	}
	for _, p := range s.Allow {
		n := tableNetwork{Bits: p.Bits()}
		for _, b := range p.Addr().AsSlice() {
			n.Bytes = append(n.Bytes, int(b))
		}
		r.Allow = append(r.Allow, n)
	}
	return r
}
