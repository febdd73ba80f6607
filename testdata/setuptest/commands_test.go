package setuptest

import (
	"strings"
	"testing"

	"flatnet/testdata/handbook"
)

// setupPage is followed literally, block by block; the commands below are
// those of the other pages, and of its sentences.
const setupPage = "docs/setup/phase-2-setup.md"

// try is a command of a page, and what comes of it on the machine that the
// setup page has set up: containers web and wiki, nginx as the gateway, watch.
type try struct {
	doc    string   // as the page has it, without sudo
	run    string   // instead of doc: with names for placeholders, and an answer
	want   []string // in the output
	status int
}

func (c try) command() string {
	if c.run != "" {
		return c.run
	}
	return c.doc
}

// tried are in the order in which they run.
var tried = []try{
	{doc: "flatnet-tui", run: "flatnet-tui </dev/null | cat", want: []string{"10.87.1.1/24"}},
	{doc: "flatnet-tui status", want: []string{"flatnet-br0"}},
	{doc: "flatnet-tui doctor"},
	{doc: "flatnet-tui path web.local"},
	{doc: "flatnet-tui path HOST", run: "flatnet-tui path wiki.local"},
	{doc: "flatnet-tui path name", run: "flatnet-tui path web.local"},
	{doc: "flatnet-tui init --help", want: []string{"--subnet"}},
	{doc: "flatnet-tui init", run: "flatnet-tui init --yes"},
	{doc: "flatnet-tui leases list", want: []string{"10.87.1.2"}},
	{doc: "flatnet-tui leases list --history 10.87.1.7"},
	{doc: "flatnet-tui leases release --stale", run: "flatnet-tui leases release --stale --yes"},
	{doc: "flatnet-tui undo", run: "flatnet-tui undo --yes"},
	{doc: "flatnet-tui firewall diff"},
	{doc: "flatnet-tui firewall apply", run: "flatnet-tui firewall apply --yes"},
	{doc: "flatnet-tui bridge apply", run: "flatnet-tui bridge apply --yes"},
	{doc: "flatnet-tui route show"},
	{doc: "flatnet-tui route show --json"},
	{doc: "flatnet-tui route script", want: []string{"10.87.1.0"}},
	{doc: "flatnet-tui route apply", run: "flatnet-tui route apply --yes"},
	{doc: "flatnet-tui config check", want: []string{"is good"}},
	{doc: "flatnet-tui config edit", run: "flatnet-tui config edit probes.interval=3s --yes", want: []string{"Done."}},
	{doc: "podman run -d --name forgejo --network flatnet --label flatnet.host=forgejo.local --label flatnet.port=3000 …", run: forgejo},
	{doc: "podman run -d --name forgejo --network flatnet --label flatnet.host=forgejo.local --label flatnet.port=3000 IMAGE", run: "podman rm -f -t 0 forgejo; " + forgejo},
	{doc: "podman start", run: "podman stop -t 0 web; podman start web; curl -sS --retry 5 --retry-connrefused http://10.87.1.2/", want: []string{"Welcome to nginx!"}},
	{doc: "podman logs NAME", run: "podman logs web"},
	{doc: "podman run --ip 10.87.1.50", run: "podman run --rm --network flatnet --ip 10.87.1.50 " + image + " /bin/busybox ip addr", want: []string{"10.87.1.50"}},
	{doc: "podman run -p", run: "podman run -d --name published --network flatnet -p 8088:80 " + image + "; curl -sS --retry 5 --retry-connrefused http://10.87.1.1:8088/; podman rm -f -t 0 published", want: []string{"Welcome to nginx!"}},
	{doc: "podman run -p 3000:3000 …", run: "podman run -d --name published --network flatnet -p 3000:80 " + image + "; curl -sS --retry 5 --retry-connrefused http://127.0.0.1:3000/; podman rm -f -t 0 published", want: []string{"Welcome to nginx!"}},
	{doc: "curl http://10.87.1.2:3000/", run: "curl -sS http://10.87.1.2:80/", want: []string{"Welcome to nginx!"}},
	{doc: "flatnet-tui gateway render", want: []string{"server_name web.local"}},
	{doc: "flatnet-tui gateway hosts ADDRESS", run: "flatnet-tui gateway hosts 192.168.1.10", want: []string{"192.168.1.10  forgejo.local"}},
	{doc: "flatnet-tui gateway hosts 192.168.1.10", want: []string{"192.168.1.10  forgejo.local"}},
	{doc: "flatnet-tui gateway maintenance HOST on", run: "flatnet-tui gateway maintenance web.local on --yes", want: []string{"Done."}},
	{doc: "flatnet-tui gateway maintenance HOST off", run: "flatnet-tui gateway maintenance web.local off --yes", want: []string{"Done."}},
	{doc: "flatnet-tui gateway maintenance forgejo.local on", run: "flatnet-tui gateway maintenance forgejo.local on --yes", want: []string{"Done."}},
	{doc: "flatnet-tui gateway list", want: []string{"*"}},
	{doc: "flatnet-tui gateway rollback", run: "flatnet-tui gateway rollback --yes", want: []string{"Done."}},
	{doc: "flatnet-tui gateway apply", run: "flatnet-tui gateway apply --yes", want: []string{"Done."}},
	{doc: "flatnet-tui watch", run: "flatnet-tui watch >/tmp/second & until grep 'another flatnet-tui follows the containers' /tmp/second; do sleep 0.1; done; kill $!"},
	{doc: "podman rm", run: "podman rm -f -t 0 forgejo"},
	{doc: "flatnet-tui bundle FILE", run: "flatnet-tui bundle /tmp/incident"},
	{doc: "flatnet-tui --replay FILE", run: "flatnet-tui --replay /tmp/incident </dev/null | cat", want: []string{"flatnet-br0"}},
	{doc: "sysctl net.ipv4.ip_forward", run: "cat /proc/sys/net/ipv4/ip_forward", want: []string{"1"}},
	{doc: "iptables -L INPUT -n -v", want: []string{"Chain INPUT"}},
	{doc: "iptables -L FORWARD -n -v", want: []string{"FLATNET-FORWARD"}},
	{doc: "tail -f /var/log/flatnet/flatnet.log | jq -r '[.time, .level, .msg, .name, .result] | @tsv'", run: "tail -n 100 /var/log/flatnet/flatnet.log | jq -r '[.time, .level, .msg, .name, .result] | @tsv'", want: []string{"forgejo"}},
	{doc: "flock -s /var/lib/flatnet/ipam/.lock cp -a /var/lib/flatnet/ipam /root/flatnet-ipam-backup", run: "flock -s /var/lib/flatnet/ipam/.lock cp -a /var/lib/flatnet/ipam /root/flatnet-ipam-backup; cmp /var/lib/flatnet/ipam/allocations.json /root/flatnet-ipam-backup/allocations.json"},
	{doc: "podman run -d --name db --network flatnet IMAGE", run: "podman run -d --name db --network flatnet " + image},
	{doc: "podman run -d --name forgejo --network flatnet IMAGE", run: "podman run --rm --network flatnet " + image + " /bin/busybox cat /etc/resolv.conf; podman rm -f -t 0 db", want: []string{"search flatnet", "nameserver 10.87.1.1"}},
	{doc: "make install"},
}

const (
	image   = "docker.io/library/nginx:alpine"
	forgejo = "podman run -d --name forgejo --network flatnet --label flatnet.host=forgejo.local --label flatnet.port=3000 " + image
)

const migrates = "core/setup, TestMigrate: it needs a Podman 5 after a Podman 4"

// others are run by a test of their own, named, or cannot run in a folder
// without systemd, Windows or network.
var others = map[string]string{
	"make run":       "testdata/lab",
	"make test":      "what runs this",
	"make bench":     "benchmarks, by hand",
	"make fuzz":      "by hand; its seeds are tests",
	"make reference": "testdata/reference, TestCurrent",
	"make build":     "needs Go; stageSource does it outside",
	"make deb":       "stagePackages does it outside",
	"make uninstall": "uninstalled",

	"flatnet-tui migrate":                            migrates,
	"flatnet-tui migrate --dry-run":                  migrates,
	"flatnet-tui migrate --yes":                      migrates,
	"make uninstall PURGE=1":                         "uninstalled",
	"podman rm -f -t 0 CONTAINER…":                   "the setup page's last block has it with names",
	"podman network create --driver flatnet flatnet": "init runs it where Podman is 5; on 4 it is no command",
	"apt-get install ./flatnet_VERSION_ARCH.deb":     "packageSteps installs it with dpkg: apt wants its network",
	"apt-get install ./flatnet_*.deb":                "packageSteps installs it with dpkg: apt wants its network",
	"apt-get remove flatnet":                         "packageSteps removes it with dpkg",
	"apt-get purge flatnet":                          "packageSteps purges it with dpkg",
	"journalctl -u flatnet":                          "no systemd runs in a folder",
	"mount -t drvfs F: /mnt/f":                       "only WSL has drvfs",
	"podman":                                         "the name of a program",
	"ls -l":                                          "changes and shows nothing of ours",
	"hwclock -s":                                     "sets the clock of the machine",
	"systemctl enable --now podman.socket":           "no systemd runs in a folder",
	"podman network rm lab":                          "of an example; of ours nothing is asked by it",
	"flatnet-tui --config lab.toml bridge remove":    "of an example; make uninstall does the same to the first network",
	"podman stats NAME":                              "asks for cgroups that a folder has not",
}

// onWindows are commands of Windows, which nobody has run.
func onWindows(c handbook.Command) bool {
	first, _, _ := strings.Cut(c.Text, " ")
	return c.Language == "powershell" || first == "wsl" || strings.HasSuffix(first, ".exe") || strings.HasSuffix(first, ".ps1")
}

// TestEveryCommandIsTried holds the pages to the list, and the list to the
// pages.
func TestEveryCommandIsTried(t *testing.T) {
	pages, err := handbook.Pages(project)
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]bool{}
	known := map[string]bool{}
	for _, c := range tried {
		known[c.doc], left[c.doc] = true, true
	}
	for doc := range others {
		known[doc], left[doc] = true, true
	}
	for _, p := range pages {
		// The Japanese page has the same commands: testdata/reference.
		followed := strings.HasSuffix(p.Name, "setup/phase-2-setup.md")
		for _, c := range p.Commands() {
			delete(left, c.Text)
			if !known[c.Text] && !onWindows(c) && (!followed || c.Language != "sh") {
				t.Errorf("%s:%d: nobody tries the command %q: put it into tried, or with a reason into others", p.Name, c.Line, c.Text)
			}
		}
	}
	for doc := range left {
		t.Errorf("no page has the command %q", doc)
	}
}
