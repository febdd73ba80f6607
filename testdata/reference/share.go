package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"flatnet/core/config"
)

// share gives what is installed below PREFIX/share, by its name there.
func share() (map[string][]byte, error) {
	r := root()
	files, err := manuals(r)
	var bash, zsh, fish bytes.Buffer
	err = errors.Join(err, r.GenBashCompletionV2(&bash, true), r.GenZshCompletion(&zsh), r.GenFishCompletion(&fish, true))
	files["man/man5/flatnet.toml.5"] = configurationManual()
	files["man/man8/flatnet.8"] = pluginManual()
	files["bash-completion/completions/flatnet-tui"] = bash.Bytes()
	files["zsh/site-functions/_flatnet-tui"] = zsh.Bytes()
	files["fish/vendor_completions.d/flatnet-tui.fish"] = fish.Bytes()
	files["flatnet/flatnet.toml"] = []byte(config.Sample())
	copyright, cerr := licences()
	files["doc/flatnet/copyright"] = copyright
	return files, errors.Join(err, cerr)
}

// manuals gives a manual page for each command.
func manuals(r *cobra.Command) (map[string][]byte, error) {
	pages := map[string][]byte{}
	var failed error
	each(r, func(c *cobra.Command) {
		if c.Name() == "help" {
			return
		}
		c.DisableAutoGenTag = true
		var b bytes.Buffer
		if err := doc.GenMan(c, header("1"), &b); err != nil {
			failed = err
			return
		}
		pages["man/man1/"+strings.ReplaceAll(c.CommandPath(), " ", "-")+".1"] = b.Bytes()
	})
	return pages, failed
}

// header has no date: a page changes when what it says does.
func header(section string) *doc.GenManHeader {
	when := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return &doc.GenManHeader{Section: section, Source: "Flatnet", Manual: "Flatnet", Date: &when}
}

// configurationManual is flatnet.toml(5).
func configurationManual() []byte {
	var b bytes.Buffer
	b.WriteString(`.TH "FLATNET.TOML" "5" "" "Flatnet" "Flatnet"
.SH NAME
flatnet.toml \- configuration of Flatnet
.SH SYNOPSIS
.B /etc/flatnet/flatnet.toml
.SH DESCRIPTION
The plugin
.BR flatnet (8)
and the console
.BR flatnet-tui (1)
read one TOML file.
Every key has a default, and no file at all is valid.
.B flatnet-tui config check
checks it.
`)
	for _, s := range config.Sections() {
		name := "[" + s.Name + "]"
		if s.Repeated {
			name = "[[" + s.Name + "]]"
		}
		fmt.Fprintf(&b, ".SS %s\n%s\n", roff(name), roff(s.Doc.String()))
		for _, k := range s.Keys {
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\nRight: %s.\n", roff(k.Name[strings.LastIndexByte(k.Name, '.')+1:]), roff(k.Doc.String()), roff(k.Want.String()))
			if k.Default != "" {
				fmt.Fprintf(&b, "Default: %s\n", roff(k.Default))
			}
		}
	}
	b.WriteString(".SH SEE ALSO\n.BR flatnet-tui (1),\n.BR flatnet (8)\n")
	return b.Bytes()
}

// pluginManual is flatnet(8).
func pluginManual() []byte {
	var b bytes.Buffer
	b.WriteString(`.TH "FLATNET" "8" "" "Flatnet" "Flatnet"
.SH NAME
flatnet \- puts containers of Podman on the Flatnet network
.SH SYNOPSIS
.B /opt/cni/bin/flatnet
.SH DESCRIPTION
Podman starts this program for each container on the network, Podman 4 as a CNI plugin (0.4.0, 1.0.0 and 1.1.0),
Podman 5 through netavark.
It gives the container an address, a veth pair and routes, makes the bridge and the packet filter's rules where they are
missing, and takes back what it made if something fails.
Started by hand it says what it is.
People use
.BR flatnet-tui (1).
.SH FILES
.TP
.I /etc/flatnet/flatnet.toml
The configuration.
.TP
.I /etc/cni/net.d/flatnet.conflist
The network list.
.TP
.I /var/lib/flatnet/ipam/allocations.json
The leases.
.TP
.I /var/log/flatnet/flatnet.log
One line for each call.
.SH ERRORS
A failed call prints a code, what failed, and what to do.
`)
	for _, c := range pluginCodes() {
		fmt.Fprintf(&b, ".TP\n.B %d\n%s\n", c.Code, roff(c.Meaning))
	}
	b.WriteString(".SH SEE ALSO\n.BR flatnet-tui (1),\n.BR flatnet.toml (5)\n")
	return b.Bytes()
}

// roff takes the meaning from characters that have one in a manual page.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n", " ").Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}
