package layout_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flatnet/core/config/layout"
)

func TestRead(t *testing.T) {
	const text = `# a comment = 1
top = 1
[network] # [not.a.table]
subnet = "10.0.0.0/24" # why
"mtu" = 1400
'odd key' = '''
[fake]
'''
gateway.site = 1
[[gateway.site]]
host = "a"
paths = [
  "/x", # [
  "/y",
]
[gateway.site.headers]
a = "b"
[[gateway.site]]
headers = { x = "1", y = { z = [1, {q = 2}] } }
`
	items, err := layout.Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, item := range items {
		line, column := layout.Position([]byte(text), item.Start)
		got = append(got, fmt.Sprintf("%d:%d %s %q", line, column, item.Key, text[item.Value.Start:item.Value.End]))
	}
	want := []string{
		`2:1 top "1"`,
		`3:1 network ""`,
		`4:1 network.subnet "\"10.0.0.0/24\""`,
		`5:1 network.mtu "1400"`,
		`6:1 network."odd key" "'''\n[fake]\n'''"`,
		`9:1 network.gateway.site "1"`,
		`10:1 gateway.site[0] ""`,
		`11:1 gateway.site[0].host "\"a\""`,
		`12:1 gateway.site[0].paths "[\n  \"/x\", # [\n  \"/y\",\n]"`,
		`13:3 gateway.site[0].paths[0] "\"/x\""`,
		`14:3 gateway.site[0].paths[1] "\"/y\""`,
		`16:1 gateway.site[0].headers ""`,
		`17:1 gateway.site[0].headers.a "\"b\""`,
		`18:1 gateway.site[1] ""`,
		`19:1 gateway.site[1].headers "{ x = \"1\", y = { z = [1, {q = 2}] } }"`,
		`19:13 gateway.site[1].headers.x "\"1\""`,
		`19:22 gateway.site[1].headers.y "{ z = [1, {q = 2}] }"`,
		`19:28 gateway.site[1].headers.y.z "[1, {q = 2}]"`,
		`19:33 gateway.site[1].headers.y.z[0] "1"`,
		`19:36 gateway.site[1].headers.y.z[1] "{q = 2}"`,
		`19:37 gateway.site[1].headers.y.z[1].q "2"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadRefusesDepth(t *testing.T) {
	for _, text := range []string{
		"a = " + strings.Repeat("[", 100),
		"a = " + strings.Repeat("{a = ", 100),
		strings.Repeat("a.", 100) + "a = 1",
		"[" + strings.Repeat("a.", 100) + "a]",
	} {
		if _, err := layout.Read([]byte(text)); !errors.Is(err, layout.ErrDeep) {
			t.Errorf("%.20s: %v", text, err)
		}
	}
}

func TestFind(t *testing.T) {
	items, err := layout.Read([]byte("[gateway]\n[[gateway.site]]\nhost = \"a\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"gateway.site[0].host": "gateway.site[0].host",
		"gateway.site[0].port": "gateway.site[0]",
		"gateway.site[7].port": "gateway",
		"gateway.site":         "gateway.site[0]",
		"tui.theme":            "",
	} {
		if item, _ := layout.Find(items, key); item.Key != want {
			t.Errorf("%s finds %q, want %q", key, item.Key, want)
		}
	}
}
