package config_test

import (
	"errors"
	"strings"
	"testing"

	"flatnet/core/config"
)

func TestProblems(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"unknown key", "[network]\nsubnett = \"10.0.0.0/24\"", `f:2:1: network.subnett: there is no such key; right is subnet`},
		{"unknown table", "[netwokr]\n", `f:1:1: netwokr: there is no such table; right is [network]`},
		{"other table", "\n[network]\n  sticky = true", `f:3:3: network.sticky: there is no such key here; right is sticky under [ipam]`},
		{"no table", "subnet = \"10.0.0.0/24\"", `f:1:1: subnet: it stands outside every table; right is subnet under [network]`},
		{"nothing near", "[tui]\nqqqqqq = 1", `f:2:1: tui.qqqqqq: there is no such key`},
		{"hostile key", "\"a\\u001b[2J\" = 1", `f:1:1: "a\x1b[2J": there is no such table`},
		{"wrong type", "[network]\nmtu = \"1500\"", `f:2:1: network.mtu: this is a string; right is 0, or a whole number from 576 to 65535`},
		{"mtu", "[network]\nmtu = 60", `f:2:1: network.mtu: 60 is out of range; right is 0, or a whole number from 576 to 65535`},
		{"table as value", "network = 3", `f:1:1: network: this is a whole number; right is a table, [network]`},
		{"list of tables", "[[network]]\nmtu = 1400", `f:1:1: network: this is a list; right is a table, [network]`},
		{"value as list", "[gateway]\nsite = \"x\"", `f:2:1: gateway.site: this is a string; right is tables, [[gateway.site]]`},
		{"subnet", "[network]\nsubnet = \"10.87.1.0/33\"", `f:2:1: network.subnet: "10.87.1.0/33" is not an IPv4 network; right is an IPv4 network such as "10.87.1.0/24", /8 to /30`},
		{"host bits", "[network]\nsubnet = \"10.87.1.5/24\"", `f:2:1: network.subnet: "10.87.1.5/24" is an address inside a network; the network is 10.87.1.0/24; right is`},
		{"IPv6", "[network]\nsubnet = \"fd00::/64\"", `is not an IPv4 network`},
		{"loopback", "[network]\nsubnet = \"127.0.0.0/8\"", `is reserved for other uses`},
		{"gateway outside", "[network]\ngateway = \"10.88.1.1\"\nrange_start=\"10.87.1.2\"\nrange_end=\"10.87.1.3\"", `f:2:1: network.gateway: 10.88.1.1 is no host's address in 10.87.1.0/24; right is an address from 10.87.1.1 to 10.87.1.254`},
		{"range backwards", "[network]\nrange_start = \"10.87.1.9\"\nrange_end = \"10.87.1.5\"", `f:3:1: network.range_end: the range ends at 10.87.1.5, before it begins at 10.87.1.9`},
		{"gateway in range", "[network]\ngateway = \"10.87.1.9\"\nrange_start = \"10.87.1.2\"", `f:2:1: network.gateway: 10.87.1.9 is in the range 10.87.1.2 to 10.87.1.254`},
		{"bridge too long", "[network]\nbridge = \"flatnet-bridge-0\"", `f:2:1: network.bridge: "flatnet-bridge-0" has 16 characters; right is an interface name of at most 15`},
		{"bridge with slash", "[network]\nbridge = \"a/b\"", `has the character '/'`},
		{"bridge wildcard", "[network]\nbridge = \"fn+\"", `has the character '+'`},
		{"Japanese host", "[[gateway.site]]\nhost = \"文書.local\"\ncontainer = \"a\"", `f:2:1: gateway.site[0].host: "文書.local" has the character '文'; right is a host name such as "forgejo.local"; names in other scripts in their ASCII form, "xn--…"`},
		{"host with brace", "[[gateway.site]]\nhost = \"a}\"\ncontainer = \"a\"", `has the character '}'`},
		{"second site", "[[gateway.site]]\nhost=\"a\"\ncontainer=\"a\"\n[[gateway.site]]\nhost=\"b\"\ncontainer=\"b\"\nport=0", `f:7:1: gateway.site[1].port: 0 is out of range`},
		{"no target", "[[gateway.site]]\nhost = \"a\"", `f:1:1: gateway.site[0].container: nothing says what serves the site`},
		{"two targets", "[[gateway.site]]\nhost = \"a\"\ncontainer = \"a\"\naddress = \"10.0.0.1\"", `f:4:1: gateway.site[0].address: it stands beside container`},
		{"certificate", "[[gateway.site]]\nhost=\"a\"\ncontainer=\"a\"\ntls_cert=\"F:/a.crt\"", `f:1:1: gateway.site[0].tls_key: it is missing`},
		{"path with dots", "[[gateway.site]]\nhost=\"a\"\ncontainer=\"a\"\npaths=[\"/a/../b\"]", `"/a/../b" is not as nginx compares it, without //, . and ..: /b`},
		{"path with two slashes", "[[gateway.site]]\nhost=\"a\"\ncontainer=\"a\"\npaths=[\"//a\"]", `is not as nginx compares it`},
		{"header that ends an answer", "[[gateway.site]]\nhost=\"a\"\ncontainer=\"a\"\nheaders={content-LENGTH=\"5\"}", `"content-LENGTH" says where an answer ends, which is nginx's to say; right is another header`},
		{"inline", "[gateway]\nsite = [\n {host=\"a\", container=\"a\"},\n {host=\"b\", container=\"b\", portt=1}]", `f:4:28: gateway.site[1].portt: there is no such key; right is port`},
		{"Windows path", "[windows]\nwindows_path = \"F:/flatnet\"", `does not begin with a drive`},
		{"PowerShell", "[windows]\nwindows_path = 'F:\\$(calc)'", `has the character '$'`},
		{"quote", "[windows]\nroot = \"/mnt/f/a'b\"", `has the character '\''`},
		{"root directory", "[ipam]\nstate_dir = \"//\"", `is the root directory`},
		{"dots", "[ipam]\nstate_dir = \"/var/../etc\"", `has ".." in it`},
		{"relative", "[log]\nfile = \"flatnet.log\"", `does not begin with /`},
		{"duration", "[probes]\ninterval = 10", `f:2:1: probes.interval: this is a whole number; right is a duration from "100ms" to "24h"`},
		{"duration range", "[probes]\ninterval = \"1ms\"", `"1ms" is out of range`},
		{"target's interval", "[[probes.target]]\nname=\"a\"\ntarget=\"10.0.0.1\"\ninterval=\"1ms\"", `f:4:1: probes.target[0].interval: "1ms" is out of range; right is "0s", or from "100ms"`},
		{"size", "[log]\nmax_size = \"10 parsecs\"", `f:2:1: log.max_size: "10 parsecs" is not a size`},
		{"size overflow", "[log]\nmax_size = \"9999999999999GiB\"", `is not a size`},
		{"choice", "[firewall]\nbackend = \"nft\"", `f:2:1: firewall.backend: "nft" is none of its values; right is "auto" or "iptables-nft" or "iptables-legacy"`},
		{"tristate", "[windows]\nenabled = \"yes\"", `"yes" is none of its values; right is "auto", true or false`},
		{"listen", "[gateway]\nlisten = 70000", `"70000" is neither a port nor an address and a port`},
		{"reservation twice", "[[ipam.reservation]]\nname=\"a\"\nip=\"10.87.1.5\"\n[[ipam.reservation]]\nname=\"b\"\nip=\"10.87.1.5\"", `f:6:1: ipam.reservation[1].ip: 10.87.1.5 is reserved already`},
		{"reservation of gateway", "[[ipam.reservation]]\nname=\"a\"\nip=\"10.87.1.1\"", `10.87.1.1 is the gateway's`},
		{"probe kind", "[[probes.target]]\nname=\"a\"\nkind=\"tcp\"\ntarget=\"10.0.0.1\"", `f:4:1: probes.target[0].target: "10.0.0.1" has no port`},
		{"status range", "[[probes.target]]\nname=\"a\"\nkind=\"http\"\ntarget=\"http://10.0.0.1/\"\nstatus_max=199", `f:5:1: probes.target[0].status_max: 199 is below status_min, 200`},
		{"body of a ping", "[[probes.target]]\nname=\"a\"\ntarget=\"10.0.0.1\"\nbody=\"x\"", `f:4:1: probes.target[0].body: it is for http, and the kind is icmp`},
		{"syntax", "[network]\nmtu = \n", `f:2:`},
		{"twice", "[network]\nmtu = 1400\nmtu = 1500", `f:3:`},
		{"not UTF-8", "a = \"\xff\"", `f:1:`},
		{"UTF-16", "\xff\xfe[\x00", `f:1:1: the file is in UTF-16; right is UTF-8`},
		{"many keys", strings.Repeat("[[a]]\n", 30_000), `f:1:1: 30000 keys and tables are too many; right is at most 20000`},
		{"deep", "a = " + strings.Repeat("[", 1<<20-10), `f:1:1: lists, tables or keys are nested too deep`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := config.Parse("f", []byte(test.text))
			var problems *config.Error
			if !errors.As(err, &problems) {
				t.Fatalf("error is %v", err)
			}
			if len(problems.Problems) != 1 || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got  %s\nwant %s", err, test.want)
			}
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, err := config.Parse("f", []byte("[tui]\nmouse = 1\n[network]\nmtu = 3\nbridge = \"\"\n[[gateway.site]]\nport = 3\n"))
	got := strings.Split(err.Error(), "\n")
	for i, want := range []string{"f:2:1: tui.mouse", "f:4:1: network.mtu", "f:5:1: network.bridge", "f:6:1: gateway.site[0].container", "f:6:1: gateway.site[0].host"} {
		if i >= len(got) || !strings.HasPrefix(got[i], want) {
			t.Errorf("line %d of\n%s\nwant %s", i, err, want)
		}
	}
}

func TestManyProblemsAreCut(t *testing.T) {
	_, err := config.Parse("f", []byte(strings.Repeat("[[x]]\n", 100)+strings.Join(manyKeys(5000), "\n")))
	var problems *config.Error
	if !errors.As(err, &problems) || len(problems.Problems) > 60 {
		t.Fatalf("%d problems", len(problems.Problems))
	}
	if last := problems.Problems[len(problems.Problems)-1].Text; !strings.HasSuffix(last.String(), "more problems") {
		t.Errorf("the last says %q", last)
	}
}

func manyKeys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = "[k" + strings.Repeat("a", i%200) + string(rune('a'+i%26)) + strings.Repeat("b", i/200) + "]"
	}
	return keys
}

// What is accepted can be shown and read again, and no accepted string has a
// character that means something to nginx, PowerShell or a shell.
func FuzzParse(f *testing.F) {
	f.Add([]byte(config.Sample()))
	f.Add([]byte(strings.ReplaceAll(config.Sample(), "\n#", "\n")))
	f.Add([]byte("[network]\nsubnet = \"10.0.0.0/8\"\n[[gateway.site]]\nhost = 'a'\ncontainer = 'b'\nheaders = {a = 'b'}\n"))
	f.Add([]byte("[gateway]\nsite = [{host=\"a\", paths=[\"/\"]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := config.Parse("f", data)
		if err != nil {
			var problems *config.Error
			if !errors.As(err, &problems) || len(problems.Problems) == 0 {
				t.Fatalf("%T: %v", err, err)
			}
			if strings.ContainsAny(err.Error(), "\x1b\r\b\x00") {
				t.Fatalf("control characters in %q", err)
			}
			return
		}
		for _, s := range config.Settings(c) {
			if s.Value == "" {
				continue
			}
			if err := config.CheckValue(s.Name, s.Value); err != nil {
				t.Errorf("%s = %s: %v", s.Name, s.Value, err)
			}
			if inner := strings.Trim(s.Value, `"'`); s.Type != "list" && s.Type != "table" && strings.ContainsAny(inner, "\"'`$;{}<>|\n\r\x00") {
				t.Errorf("%s = %s was taken", s.Name, s.Value)
			}
		}
	})
}
