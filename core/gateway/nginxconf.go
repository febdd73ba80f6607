package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"

	crossplane "github.com/nginxinc/nginx-go-crossplane"

	"flatnet/core/config"
)

// errNoPlace says that nginx.conf has no place where the include can go by
// itself.
var errNoPlace = errors.New("its http block has no closing brace on a line of its own")

// include is one include of an nginx.conf.
type include struct {
	line int // from 1
	arg  string
}

// mainFile is what matters of an nginx.conf.
type mainFile struct {
	includes []include
	httpEnd  int // line of the http block's closing brace; 0: none on a line of its own
	shutdown bool
}

// readMain finds the includes and the end of the http block. Lua blocks are
// passed over as Lua.
func readMain(text []byte) (mainFile, error) {
	var m mainFile
	lua := &crossplane.Lua{}
	tokens := crossplane.LexWithOptions(bytes.NewReader(text), crossplane.LexOptions{Lexers: []crossplane.RegisterLexer{lua.RegisterLexer()}})
	var statement []crossplane.NgxToken
	var blocks []string
	var failed error
	for t := range tokens { // to the end, else the lexer would wait
		switch {
		case t.Error != nil:
			failed = t.Error
		case !t.IsQuoted && strings.HasPrefix(t.Value, "#"):
		case t.IsQuoted || !strings.Contains("{};", t.Value) || t.Value == "":
			statement = append(statement, t)
		case t.Value == "{":
			blocks = append(blocks, first(statement))
			statement = nil
		case t.Value == "}":
			if len(blocks) == 1 && blocks[0] == "http" && aloneOn(text, t.Line) {
				m.httpEnd = t.Line
			}
			blocks = blocks[:max(len(blocks)-1, 0)]
			statement = nil
		default:
			m.take(statement)
			statement = nil
		}
	}
	return m, failed
}

func (m *mainFile) take(statement []crossplane.NgxToken) {
	switch {
	case first(statement) == "worker_shutdown_timeout":
		m.shutdown = true
	case first(statement) == "include" && len(statement) == 2:
		m.includes = append(m.includes, include{statement[1].Line, statement[1].Value})
	}
}

func first(statement []crossplane.NgxToken) string {
	if len(statement) == 0 || statement[0].IsQuoted {
		return ""
	}
	return statement[0].Value
}

func aloneOn(text []byte, line int) bool {
	lines := strings.SplitAfter(string(text), "\n")
	return line <= len(lines) && strings.HasPrefix(strings.TrimSpace(lines[line-1]), "}")
}

// covers tells whether an include takes in conf.d/flatnet.conf.
func (l layout) covers(arg string) bool {
	p := strings.ReplaceAll(arg, `\`, "/")
	if !strings.HasPrefix(p, "/") && drivePath.FindString(p) == "" {
		p = path.Join(l.nginx, p)
	}
	live := path.Join(l.nginx, confDir, confName)
	ok, err := path.Match(strings.ToLower(p), strings.ToLower(live))
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
		if l.covers(i.arg) {
			return text, nil
		}
	}
	if m.httpEnd == 0 {
		return nil, errNoPlace
	}
	lines := strings.SplitAfter(string(text), "\n")
	added := "\n    # Flatnet\n    include " + l.include() + ";\n"
	if strings.Contains(l.include(), " ") {
		added = "\n    # Flatnet\n    include \"" + l.include() + "\";\n"
	}
	at := m.httpEnd - 1
	return []byte(strings.Join(lines[:at], "") + added + strings.Join(lines[at:], "")), nil
}

// redirected gives nginx.conf with every include of conf.d/flatnet.conf
// replaced by one of the file to.
func (l layout) redirected(text []byte, to string) ([]byte, error) {
	m, err := readMain(text)
	if err != nil {
		return nil, err
	}
	lines := strings.SplitAfter(string(text), "\n")
	done := false
	for _, i := range m.includes {
		if !l.covers(i.arg) {
			continue
		}
		line := &lines[i.line-1]
		for _, form := range []string{`"` + i.arg + `"`, "'" + i.arg + "'", i.arg} {
			if strings.Contains(*line, form) {
				*line = strings.Replace(*line, form, `"`+to+`"`, 1)
				done = true
				break
			}
		}
	}
	if !done {
		return nil, fmt.Errorf("its include of %s was not found", l.include())
	}
	return []byte(strings.Join(lines, "")), nil
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
