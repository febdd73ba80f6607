package setuptest

import (
	"os"
	"path/filepath"
)

// uninstalled looks at what make uninstall left on the machine of the setup
// page: the configuration that init wrote, leases and logs; with PURGE=1
// nothing.
var uninstalled = []step{
	{where: "after uninstall", commands: nothingLeft},
	{where: "after uninstall", commands: "! " + difference("/root/before") + ` | grep '^[<>]' | grep -vE '^> /(etc|var/lib|var/log)/flatnet[/ ]'`},
	{where: "install and uninstall with PURGE=1", commands: "make install; make uninstall PURGE=1; " + difference("/root/before")},
}

// nothingLeft looks for what an uninstalled Flatnet must not leave.
const nothingLeft = `left=0
for f in /opt/cni/bin/flatnet /usr/local/bin/flatnet-tui /usr/local/share/flatnet /etc/cni/net.d/flatnet.conflist /sys/class/net/flatnet-br0; do
  [ ! -e $f ] || { echo "left: $f"; left=1; }
done
iptables-save | grep -i flatnet && left=1
[ $left = 0 ]`

// notOurs are files that Podman, nginx and dpkg write.
const notOurs = `^/(var/lib/(cni|nginx|dpkg)|var/log/nginx|var/cache|var/log/dpkg.log|etc/containers/networks d)`

// difference compares the machine with a snapshot; its status is 1 where they
// differ.
func difference(before string) string {
	return "diff <(grep -vE '" + notOurs + "' " + before + ") <(" + snapshot + " | grep -vE '" + notOurs + "')"
}

// takeoverSteps put the Debian package over what make install put in place: it
// is said that there are two, and taking the first one away loses nothing.
func takeoverSteps() []step {
	var all []step
	for _, s := range []step{
		{commands: snapshot + " >/root/before-takeover"},
		{commands: "make install; flatnet-tui init --yes; flatnet-tui config edit network.mtu=1400 --yes", want: []string{"Done."}},
		{commands: "podman run -d --name kept --network flatnet " + image + "; flatnet-tui leases list", want: []string{"10.87.1.2 … kept"}},
		{commands: "flatnet-tui watch >/tmp/taken-over 2>&1 &"},
		// Enter at dpkg's questions about files that are there: keep them.
		{commands: "yes '' | dpkg -i /root/packages/flatnet_1.0.0_*.deb", want: []string{"from make install", "sudo make uninstall"}},
		{commands: "make install", want: []string{"sudo apt-get remove flatnet"}, status: 2},
		{commands: "make uninstall; ! find /usr/local | grep -i flatnet", want: []string{"flatnet-tui watch was stopped"}},
		{commands: "make uninstall PREFIX=/usr", want: []string{"sudo apt-get remove flatnet"}, status: 2},
		{commands: "command -v flatnet-tui; flatnet-tui config show --changed; flatnet-tui leases list", want: []string{"/usr/bin/flatnet-tui", "mtu = 1400", "10.87.1.2 … kept"}},
		{commands: "podman restart -t 0 kept; curl -sS --retry 5 --retry-connrefused http://10.87.1.2/; podman rm -f -t 0 kept", want: []string{"Welcome to nginx!"}},
		{commands: "dpkg -P flatnet; " + nothingLeftOfPackage},
		{commands: difference("/root/before-takeover")},
	} {
		s.where = "the package over make install"
		all = append(all, s)
	}
	return all
}

// packageSteps install, upgrade, remove and purge the Debian package.
func packageSteps() []step {
	var all []step
	for _, s := range []struct {
		commands string
		want     []string
	}{
		{snapshot + " >/root/before-package", nil},
		{"dpkg -i /root/packages/flatnet_1.0.0_*.deb", []string{"Next: sudo flatnet-tui init"}},
		{"flatnet-tui init --yes", []string{"Done."}},
		{"flatnet-tui config edit network.mtu=1400 --yes", []string{"Done."}},
		{"podman run -d --name kept --network flatnet " + image + "; flatnet-tui leases list", []string{"10.87.1.2 … kept"}},
		// Enter at dpkg's question about the edited file: keep it.
		{"echo | dpkg -i /root/packages/flatnet_2.0.0_*.deb", []string{"flatnet.toml"}},
		{"flatnet-tui config show --changed; grep newer /etc/sysctl.d/99-flatnet.conf", []string{"mtu = 1400", "# newer"}},
		{"flatnet-tui leases list; curl -sS --retry 5 --retry-connrefused http://10.87.1.2/", []string{"10.87.1.2 … kept", "Welcome to nginx!"}},
		{"podman rm -f -t 0 kept; dpkg -r flatnet; " + nothingLeftOfPackage, nil},
		{"ls /etc/flatnet/flatnet.toml /var/lib/flatnet/ipam/allocations.json", nil},
		{"dpkg -i /root/packages/flatnet_2.0.0_*.deb; flatnet-tui config show --changed", []string{"mtu = 1400"}},
		{"podman run -d --name kept --network flatnet " + image + "; flatnet-tui leases list; podman rm -f -t 0 kept", []string{"10.87.1.2 … kept"}},
		{"dpkg -P flatnet; " + nothingLeftOfPackage, nil},
		{difference("/root/before-package"), nil},
	} {
		all = append(all, step{where: "the package", commands: s.commands, want: s.want})
	}
	return all
}

const nothingLeftOfPackage = `[ ! -e /opt/cni/bin/flatnet ] && [ ! -e /usr/bin/flatnet-tui ] && [ ! -e /sys/class/net/flatnet-br0 ] && ! iptables-save | grep -i flatnet`

// stagePackages makes two Debian packages with make deb. The second one has
// newer files for /etc.
func (d debian) stagePackages() {
	d.t.Helper()
	source := filepath.Join(d.work, "upper", sourceDir)
	packages := filepath.Join(d.work, "upper/root/packages")
	tools, err := filepath.Abs(project + "/bin/tools")
	if err != nil {
		d.t.Fatal(err)
	}
	if err := os.MkdirAll(packages, 0o755); err != nil {
		d.t.Fatal(err)
	}
	// The programs are built already; the rest of "make build" has no sources here.
	d.sh(`cp -r "$1" "$1.deb" && cd "$1.deb"
make -s -o build deb TOOLS="$2" DEB_VERSION=1.0.0
mv dist/*.deb "$3/"
echo '# newer' | tee -a bin/share/flatnet/flatnet.toml >>core/setup/files/99-flatnet.conf
make -s -o build deb TOOLS="$2" DEB_VERSION=2.0.0
mv dist/*.deb "$3/"
rm -r "$1.deb"`, source, tools, packages)
}
