package config

import (
	"net/netip"
	"strconv"
	"time"

	"flatnet/core/say"
)

// table is one [table] of the file, bound to its place in a Config.
type table struct {
	name   string
	doc    say.Text
	fields []field
	lists  []list
}

// list is one [[table.list]], bound to its place in a Config.
type list struct {
	name  string
	doc   say.Text
	most  int              // entries at most
	add   func() []field   // appends an entry with the defaults, and binds it
	bound func() [][]field // binds every entry that is there
	blank []field          // an entry of its own, for the reference
}

// schema declares every key of the file, once. Reading, the check, the
// reference, the sample file and the console's form all follow it.
func schema(c *Config) []table {
	return []table{
		networkTable(&c.Network),
		ipamTable(&c.IPAM),
		{
			name: "podman", doc: "Podman, from which the console learns which containers there are.",
			fields: []field{textField("socket", &c.Podman.Socket, pathRule(), "Podman's API socket. Where nothing answers at the usual one, the podman command is asked; a socket elsewhere is another Podman's, whose containers are then not known.")},
		},
		{
			name: "firewall", doc: "The rules that let packets through to the containers.",
			fields: []field{choiceField("backend", &c.Firewall.Backend, []string{"auto", "iptables-nft", "iptables-legacy"}, `Which iptables to use; "auto" takes the one whose rules are in force.`)},
		},
		dnsTable(&c.DNS),
		logTable(&c.Log),
		windowsTable(&c.Windows),
		gatewayTable(&c.Gateway),
		probesTable(&c.Probes),
		tuiTable(&c.TUI),
	}
}

func networkTable(n *Network) table {
	return table{name: "network", doc: "The network that containers are put on. A network list's entry may say the same keys and wins.", fields: []field{
		textField("name", &n.Name, nameRule(63), "Its name, as in podman run --network NAME; the name of a network list wins."),
		textField("bridge", &n.Bridge, interfaceRule(), "The bridge, made if it is missing."),
		prefixField("subnet", &n.Subnet, "Its addresses; must overlap no other network that this machine or Windows reaches."),
		addrField("gateway", &n.Gateway, "The bridge's own address. Unless set, the first of the subnet."),
		addrField("range_start", &n.RangeStart, "First address that containers get. Unless set, the first beside the gateway."),
		addrField("range_end", &n.RangeEnd, "Last address that containers get. Unless set, the last of the subnet."),
		mtuField("mtu", &n.MTU),
		boolField("masquerade", &n.Masquerade, "Whether what containers send elsewhere leaves with this machine's address."),
		boolField("hairpin", &n.Hairpin, "Whether a container reaches itself by a port published on the host."),
	}}
}

// mtuField has a gap: 0 follows, and IPv4 allows none below 576.
func mtuField(name string, p *int) field {
	const low, high = 576, 65535
	want := say.F("0, or a whole number from %d to %d", low, high)
	return numberField(name, p, want, "Size of packets in bytes; 0 follows the link of the default route.",
		func(n int64) bool { return n == 0 || n >= low && n <= high })
}

func ipamTable(i *IPAM) table {
	return table{name: "ipam", doc: "Who gets which address. A network list's entry may say the same keys under \"ipam\" and wins.", fields: []field{
		textField("state_dir", &i.StateDir, dirRule(), "Where the leases are kept."),
		boolField("sticky", &i.Sticky, "Whether a container gets its last address again, if nobody has it."),
		durationField("quarantine", &i.Quarantine, 0, 30*24*time.Hour, "How long a freed address stays out of use."),
	}, lists: []list{listOf("reservation", "An address kept for the container of that name.", 4096, &i.Reservations, func() Reservation { return Reservation{} }, reservationFields)}}
}

func reservationFields(r *Reservation) []field {
	return []field{
		textField("name", &r.Name, nameRule(253), "The container's name."),
		addrField("ip", &r.IP, "Its address, in the subnet."),
	}
}

// listOf binds a slice of a Config to the repeated table called name.
func listOf[T any](name string, doc say.Text, most int, slice *[]T, blank func() T, fields func(*T) []field) list {
	empty := blank()
	return list{
		name: name, doc: doc, most: most, blank: fields(&empty),
		add: func() []field {
			*slice = append(*slice, blank())
			return fields(&(*slice)[len(*slice)-1])
		},
		bound: func() [][]field {
			all := make([][]field, len(*slice))
			for i := range *slice {
				all[i] = fields(&(*slice)[i])
			}
			return all
		},
	}
}

func dnsTable(d *DNS) table {
	return table{name: "dns", doc: "Names between containers, answered at the bridge's address by flatnet-tui watch.", fields: []field{
		tristateField("enabled", &d.Enabled, `Whether names are answered; "auto" tells a container of it only if they are when it starts.`),
		textField("domain", &d.Domain, domainRule(), "Containers are found by their name alone, and by their name in this domain."),
	}}
}

func logTable(l *Log) table {
	return table{name: "log", doc: "The plugin's log: one line for each call.", fields: []field{
		textField("file", &l.File, pathRule(), "The log file; it is rotated beside itself."),
		choiceField("level", &l.Level, []string{"debug", "info", "warn", "error"}, "What is worth a line."),
		sizeField("max_size", &l.MaxSize, 64<<10, 1<<30, "Size at which it is rotated."),
		intField("keep", &l.Keep, 0, 100, "Rotated files that are kept."),
	}}
}

func windowsTable(w *Windows) table {
	return table{name: "windows", doc: "Windows around WSL: the route to the containers, and the drive of the gateway.", fields: []field{
		tristateField("enabled", &w.Enabled, `Whether there is a Windows; "auto" looks for route.exe under system_root.`),
		textField("system_root", &w.SystemRoot, dirRule(), "Windows' own directory, as this machine sees it."),
		textField("root", &w.Root, dirRule(), "Flatnet's directory on a Windows drive, as this machine sees it."),
		textField("windows_path", &w.WindowsPath, windowsRule(), "The same directory by its Windows name. Unless set, it follows from root."),
		durationField("timeout", &w.Timeout, 100*time.Millisecond, time.Minute, "Longest wait for a Windows program; the first look waits at most 3 s."),
	}}
}

func gatewayTable(g *Gateway) table {
	return table{name: "gateway", doc: "The nginx (OpenResty) in front, which answers browsers.", fields: []field{
		textField("config_dir", &g.ConfigDir, dirRule(), "Its configuration, as this machine sees it. Unless set, config under windows.root."),
		textField("windows_path", &g.WindowsPath, nginxPathRule("F:/flatnet/config"), "The same directory as nginx sees it. Unless set, it follows from config_dir."),
		textField("nginx", &g.Nginx, pathRule(), "The program, as this machine sees it. Unless set, openresty/nginx.exe under windows.root."),
		listenField("listen", &g.Listen),
		choiceField("mode", &g.Mode, []string{"static", "lua"}, `"static" reloads nginx for each change; "lua" reads a table that is swapped, and needs the Lua module.`),
		textField("health_url", &g.HealthURL, urlRule("auto", "off"), `Where the gateway answers for its health; "auto" is /health at Windows' address, or at this machine's where nginx runs here.`),
		intField("generations", &g.Generations, 1, 100, "Deployed configurations that are kept for a rollback."),
	}, lists: []list{listOf("site", "A host name and what serves it, beside those that containers name by labels.", 2000, &g.Sites, NewSite, siteFields)}}
}

// listenField takes a bare port as a number too.
func listenField(name string, p *string) field {
	f := textField(name, p, listenRule(), "Where nginx listens.")
	set := f.set
	f.set = func(v any) error {
		if n, ok := v.(int64); ok {
			v = strconv.FormatInt(n, 10)
		}
		return set(v)
	}
	return f
}

// NewSite is a site with the defaults of [[gateway.site]].
func NewSite() Site {
	return Site{
		Port:           80,
		WebSocket:      true,
		MaxBody:        "0",
		ConnectTimeout: 5 * time.Second,
		ReadTimeout:    time.Hour,
	}
}

func siteFields(s *Site) []field {
	return []field{
		textField("host", &s.Host, hostRule(), "The name that browsers ask for."),
		textField("container", &s.Container, nameRule(253), "The container that serves it, by name."),
		listField("containers", nameRule(253), "Several containers that serve it together.", func(l []string) { s.Containers = l }, func() []string { return s.Containers }),
		addrField("address", &s.Address, "Or the address of what serves it."),
		intField("port", &s.Port, 1, 65535, "The port there."),
		listField("paths", prefixPathRule(), "Paths that are served; none means all.", func(l []string) { s.Paths = l }, func() []string { return s.Paths }),
		boolField("websocket", &s.WebSocket, "Whether WebSocket connections pass."),
		textField("max_body", &s.MaxBody, bodyRule(), `Largest upload; "0" is no limit.`),
		durationField("connect_timeout", &s.ConnectTimeout, 100*time.Millisecond, 5*time.Minute, "Longest wait for a connection to it."),
		durationField("read_timeout", &s.ReadTimeout, time.Second, 7*24*time.Hour, "Longest silence on a connection to it."),
		headersField("headers", &s.Headers),
		listField("allow", clientRule(), "Client networks that may ask; none means everyone.", func(l []string) { s.Allow = clients(l) }, func() []string { return prefixTexts(s.Allow) }),
		textField("auth_file", &s.AuthFile, nginxPathRule("F:/flatnet/config/htpasswd"), "User names and passwords for basic authentication."),
		textField("redirect", &s.Redirect, urlRule(), "Answer with a redirect to this URL instead."),
		textField("tls_cert", &s.TLSCert, nginxPathRule("F:/flatnet/config/site.crt"), "Certificate for https; with it http redirects there."),
		textField("tls_key", &s.TLSKey, nginxPathRule("F:/flatnet/config/site.key"), "The certificate's key."),
		boolField("maintenance", &s.Maintenance, "Whether it answers with the maintenance page."),
		textField("down_message", &s.DownMessage, sentenceRule(), "What the page says while it is down."),
	}
}

func clients(texts []string) []netip.Prefix {
	prefixes := make([]netip.Prefix, len(texts))
	for i, s := range texts {
		prefixes[i], _ = parseClients(s) // clientRule has let it pass
	}
	return prefixes
}

func prefixTexts(prefixes []netip.Prefix) []string {
	texts := make([]string, len(prefixes))
	for i, p := range prefixes {
		texts[i] = p.String()
	}
	return texts
}

// minInterval is the shortest time between two probes of a target.
const minInterval = 100 * time.Millisecond

func probesTable(p *Probes) table {
	return table{name: "probes", doc: "How reachability is watched.", fields: []field{
		durationField("interval", &p.Interval, minInterval, 24*time.Hour, "Time between two probes of a target."),
		durationField("timeout", &p.Timeout, 10*time.Millisecond, time.Minute, "Longest wait for an answer."),
	}, lists: []list{listOf("target", "One more thing to probe, beside the sites.", 2000, &p.Targets, func() ProbeTarget { return ProbeTarget{Kind: "icmp", Enabled: true} }, targetFields)}}
}

func targetFields(t *ProbeTarget) []field {
	return []field{
		textField("name", &t.Name, sentenceRule(), "What the console calls it."),
		choiceField("kind", &t.Kind, []string{"icmp", "tcp", "http"}, "How it is probed."),
		textField("target", &t.Target, targetRule(), "What is probed."),
		durationField("interval", &t.Interval, 0, 24*time.Hour, `Time between two probes, at least "100ms"; "0s" is that of [probes].`),
		boolField("enabled", &t.Enabled, "Whether it is probed."),
		textField("host", &t.Host, hostRule(), "http: the name to ask for, where it is not the URL's."),
		intField("status_min", &t.StatusMin, 0, 599, "http: the lowest status that is right; 0 is 200."),
		intField("status_max", &t.StatusMax, 0, 599, "http: the highest status that is right; 0 is 399."),
		textField("body", &t.Body, answerRule(), "http: text that the answer must hold, within its first 64 KiB."),
		boolField("follow_redirects", &t.FollowRedirects, "http: whether redirects are followed."),
	}
}

func tuiTable(t *TUI) table {
	return table{name: "tui", doc: "The console.", fields: []field{
		textField("theme", &t.Theme, themeRule(), `Its colours; "auto" follows the terminal's background.`),
		durationField("refresh", &t.Refresh, 100*time.Millisecond, time.Hour, "Time between two looks."),
		boolField("mouse", &t.Mouse, "Whether it takes the mouse; the terminal then selects text with Shift."),
		boolField("read_only", &t.ReadOnly, "Whether the keys that change something are taken away."),
		choiceField("language", &t.Language, []string{"auto", "en", "ja"}, `Its language; "auto" follows the locale.`),
	}}
}
