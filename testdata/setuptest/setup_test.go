// Package setuptest does what the pages say, in a fresh Debian 12 and 13: it
// follows the setup page literally, tries the commands of all other pages
// there, and installs and removes what make install and the Debian package
// put in place.
package setuptest

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"flatnet/testdata/handbook"
)

const project = "../.."

// step is one piece of shell, and how it is to end.
type step struct {
	where    string // the page and line it is from
	commands string
	want     []string // each is to be in the output; "…" in it stands for anything
	status   int
}

// TestSetup runs everything in one Debian after the other, 12 with Podman 4
// and CNI, 13 with Podman 5 and netavark: packages first, the rest with the
// network cut off.
func TestSetup(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a Debian in a folder needs root")
	}
	pages, err := handbook.Pages(project)
	if err != nil {
		t.Fatal(err)
	}
	for _, release := range []string{"bookworm", "trixie"} {
		t.Run(release, func(t *testing.T) {
			t.Parallel() // they share nothing
			d := newDebian(t, release)
			d.stageSource()
			d.stagePackages()
			get, rest := follow(t, pages)
			d.run(append(get, someUser), "", "--mount")
			d.run(slices.Concat(rest, packageSteps(), takeoverSteps()), prelude, "--mount", "--net", "--pid", "--fork")
		})
	}
}

// follow gives the steps that get packages, which need a network, and those
// that do not: the setup page's, with every other page's commands tried on the
// machine that it has set up, before it is taken down.
func follow(t *testing.T, pages []handbook.Page) (get, rest []step) {
	t.Helper()
	setup := pages[slices.IndexFunc(pages, func(p handbook.Page) bool { return p.Name == setupPage })]
	var before, after []step
	for _, b := range setup.Blocks() {
		s := step{where: fmt.Sprintf("%s:%d", setup.Name, b.Line), commands: b.Commands, want: b.Want}
		if strings.Contains(b.Commands, "make install") {
			before = append(before, step{where: "before it is installed", commands: snapshot + " >/root/before"})
		}
		switch {
		case strings.Contains(b.Commands, "apt-get"):
			p, r := s.split()
			get, before = append(get, p), append(before, r)
		case b.Section == "Taking it away":
			after = append(after, s)
		default:
			before = append(before, s)
		}
	}
	if len(before) < 10 || len(after) == 0 {
		t.Fatalf("the page has only %d and %d blocks of commands", len(before), len(after))
	}
	for _, c := range tried {
		before = append(before, step{c.doc, c.command(), c.want, c.status})
	}
	before = append(before, integrationTest)
	return get, slices.Concat(before, after, uninstalled)
}

// someUser may use the real sudo.
var someUser = step{where: "a user", commands: `apt-get install -y -qq --no-install-recommends sudo
useradd someone
echo 'someone ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/someone`}

// integrationTest is the script as that user runs it, who finds the real sudo
// first. What a start costs is a figure on a machine that does nothing else.
var integrationTest = step{
	where: "testdata/integration",
	commands: `cp testdata/integration/test-integration.sh /tmp/
su someone -c 'PATH=/usr/bin:/bin COST_LIMIT=60000 bash /tmp/test-integration.sh'`,
	want: []string{"[OK] HTTP to 10.87.1.… through the gateway at 127.0.0.1", "=== Done ==="},
}

// split takes the lines that get packages apart from the others.
func (s step) split() (packages, rest step) {
	packages, rest = s, s
	packages.commands, rest.commands, packages.want = "", "", nil
	for l := range strings.SplitSeq(s.commands, "\n") {
		if strings.Contains(l, "apt-get") {
			packages.commands += l + "\n"
		} else {
			rest.commands += l + "\n"
		}
	}
	return packages, rest
}

// snapshot lists everything that a person would call the machine, with modes,
// owners, sizes and times.
const snapshot = `find / -xdev \( -path /root -o -path /tmp -o -path /var/tmp -o -path /var/lib/containers -o -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /script \) -prune \
  -o -type d -printf '%p %M %u:%g\n' -o -printf '%p %M %u:%g %s %T@ %l\n' | sort`
