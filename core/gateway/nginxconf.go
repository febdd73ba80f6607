package gateway

import (
	"fmt"
	"path"
	"strings"

	"flatnet/core/config"
	"flatnet/core/say"
)

// errNoHTTP says that nginx.conf has no http block to add to.
var errNoHTTP = say.New("it has no http block, or its braces and semicolons do not match")

// mainFile is what matters of an nginx.conf.
type mainFile struct {
	includes []token // their arguments
	httpEnd  int     // where the http block's closing brace is; 0: nowhere
}

// readMain finds the includes and the end of the http block.
func readMain(text []byte) (mainFile, error) {
	var m mainFile
	tokens, err := lex(text)
	if err != nil {
		return m, err
	}
	var blocks []string
	statement := 0
	for i, t := range tokens {
		switch {
		case t.is("{"):
			blocks = append(blocks, tokens[statement].text)
		case t.is("}"):
			if len(blocks) == 0 || i != statement { // unopened, or ";" is missing before it
				return m, errNoHTTP
			}
			if len(blocks) == 1 && blocks[0] == "http" {
				m.httpEnd = t.start
			}
			blocks = blocks[:len(blocks)-1]
		case t.is(";"):
			if i-statement == 2 && tokens[statement].is("include") {
				m.includes = append(m.includes, tokens[i-1])
			}
		case !t.quoted || i == statement || !strings.HasSuffix(tokens[statement].text, luaBlock):
			continue
		}
		statement = i + 1
	}
	if len(blocks) > 0 {
		return m, errNoHTTP
	}
	return m, nil
}

// covers tells whether an include takes in conf.d/flatnet.conf.
func (l layout) covers(arg string) bool {
	p := strings.ReplaceAll(arg, `\`, "/")
	if !strings.HasPrefix(p, "/") && drivePath.FindString(p) == "" {
		p = path.Join(l.nginx, p)
	}
	return matches(p, path.Join(l.nginx, confDir, confName))
}

// matches compares without case: Windows does.
func matches(pattern, name string) bool {
	ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(name))
	return ok && err == nil
}

// withInclude gives nginx.conf with the include of conf.d in its http block,
// at the end: what was the default server stays it. It gives text itself
// where the include is there.
func (l layout) withInclude(text []byte) ([]byte, error) {
	m, err := readMain(text)
	if err != nil {
		return nil, err
	}
	for _, i := range m.includes {
		if l.covers(i.text) {
			return text, nil
		}
	}
	if m.httpEnd == 0 {
		return nil, errNoHTTP
	}
	arg := l.include()
	if strings.Contains(arg, " ") {
		arg = `"` + arg + `"`
	}
	at := m.httpEnd
	for at > 0 && (text[at-1] == ' ' || text[at-1] == '\t') {
		at--
	}
	added := "\n    # Flatnet\n    include " + arg + ";\n"
	return []byte(string(text[:at]) + added + string(text[at:])), nil
}

// redirected gives nginx.conf with every include of conf.d/flatnet.conf
// replaced by one of the file to, and what they include of conf.d: "*.conf".
func (l layout) redirected(text []byte, to string) (conf []byte, pattern string, err error) {
	m, err := readMain(text)
	if err != nil {
		return nil, "", err
	}
	var b strings.Builder
	done := 0
	for _, i := range m.includes {
		if l.covers(i.text) {
			b.WriteString(string(text[done:i.start]) + `"` + to + `"`)
			done = i.end
			pattern = path.Base(strings.ReplaceAll(i.text, `\`, "/"))
		}
	}
	if done == 0 {
		return nil, "", say.Errorf("its include of %s was not found", l.include())
	}
	b.Write(text[done:])
	return []byte(b.String()), pattern, nil
}

// wholeMain is the nginx.conf of a gateway that has none.
func (l layout) wholeMain(c config.Gateway) []byte {
	base := path.Dir(l.nginx)
	modules, lua := "", ""
	if !strings.HasSuffix(c.Nginx, ".exe") {
		modules = "include /etc/nginx/modules-enabled/*.conf;\n"
		lua = "    lua_package_path \"/usr/share/lua/5.1/?.lua;;\";\n"
	}
	if c.Mode != modeLua {
		lua = ""
	}
	return fmt.Appendf(nil, mainText, modules, base, lua, l.include())
}

// mainText takes module includes, the folder above the configuration's, what
// Lua needs, and the include of conf.d.
const mainText = `# Made by flatnet-tui, once. It is yours to edit.
%[1]sworker_processes auto;
worker_shutdown_timeout 30s;
pid "%[2]s/logs/nginx.pid";
error_log "%[2]s/logs/error.log" warn;

events {
    worker_connections 1024;
}

http {
    access_log "%[2]s/logs/access.log";
    server_names_hash_max_size 4096;
    client_body_temp_path "%[2]s/temp/body";
    proxy_temp_path "%[2]s/temp/proxy";
    fastcgi_temp_path "%[2]s/temp/fastcgi";
    uwsgi_temp_path "%[2]s/temp/uwsgi";
    scgi_temp_path "%[2]s/temp/scgi";
%[3]s
    include "%[4]s";
}
`
