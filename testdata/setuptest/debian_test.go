package setuptest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"flatnet/testdata/program"
)

// debian is a Debian in a folder, with a layer of its own over a base that
// is kept from run to run.
type debian struct {
	t          *testing.T
	base, work string
}

// sourceDir is where the source is there: some people's homes have such names.
const sourceDir = "/root/ソース of Flatnet"

// newDebian makes the base at the first use, which takes a minute, below the
// user's cache directory.
func newDebian(t *testing.T, release string) debian {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = "/var/cache"
	}
	base := filepath.Join(cache, "flatnet-test", release)
	if _, err := os.Stat(filepath.Join(base, "etc/debian_version")); err != nil {
		t.Logf("making a Debian in %s", base)
		making := base + ".new"
		if err := os.RemoveAll(making); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(making), 0o755); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("debootstrap", "--variant=minbase", "--include=ca-certificates,iproute2", release, making).CombinedOutput()
		if err != nil {
			t.Fatalf("debootstrap: %v\n%s", err, tail(out))
		}
		if err := os.Rename(making, base); err != nil {
			t.Fatal(err)
		}
	}
	work, err := os.MkdirTemp("", "setup-page-") // t.TempDir cannot be removed while a kill is under way
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(work) })
	for _, dir := range []string{"upper" + sourceDir, "upper/usr/local/bin", "upper/usr/sbin", "upper/etc/containers/containers.conf.d", "layer", "root"} {
		if err := os.MkdirAll(filepath.Join(work, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return debian{t, base, work}
}

// stageSource puts the source directory after make build in place, and the
// few things that a folder is not a machine without.
func (d debian) stageSource() {
	d.t.Helper()
	upper := filepath.Join(d.work, "upper")
	source := filepath.Join(upper, sourceDir)
	d.sh(`mkdir -p "$1/bin" "$1/core" "$1/testdata"
cp -r ../../core/setup "$1/core/" && cp ../../Makefile "$1/" && cp -r ../integration "$1/testdata/"
export CGO_ENABLED=0
go build -o "$1/bin/" flatnet/plugin/flatnet flatnet/tui/flatnet-tui
go run flatnet/testdata/reference share "$1/bin/share"`, source)
	for name, text := range map[string]string{
		"usr/local/bin/sudo":                              "#!/bin/sh\nexec \"$@\"\n",
		"usr/sbin/policy-rc.d":                            "#!/bin/sh\nexit 101\n", // packages start nothing
		"etc/containers/containers.conf.d/00-folder.conf": folderConf,
	} {
		if err := os.WriteFile(filepath.Join(upper, name), []byte(text), 0o755); err != nil {
			d.t.Fatal(err)
		}
	}
}

func (d debian) sh(script string, args ...string) {
	d.t.Helper()
	out, err := exec.Command("sh", append([]string{"-euc", script, "sh"}, args...)...).CombinedOutput()
	if err != nil {
		d.t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// folderConf is what containers need where cgroups and limits are another
// machine's.
const folderConf = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
`

// prelude stands in for what is not there without a network: the image, with
// busybox for its web server.
const prelude = `ip link set lo up
mkdir -p /tmp/image/bin /tmp/image/www /tmp/image/tmp
cp /bin/busybox.host /tmp/image/bin/busybox
ln -sf busybox /tmp/image/bin/httpd
echo 'Welcome to nginx!' >/tmp/image/www/index.html
tar -C /tmp/image -c . | podman import -q --change 'CMD ["/bin/httpd","-f","-p","80","-h","/www"]' - docker.io/library/nginx:alpine >/dev/null
`

// enter mounts the folder's layers and what every machine has, then goes in.
const enter = `mount --make-rprivate /
mount -t overlay overlay -o lowerdir=$BASE,upperdir=$WORK/upper,workdir=$WORK/layer $WORK/root
cd $WORK/root
cp /bin/busybox bin/busybox.host
cp -L /etc/resolv.conf etc/resolv.conf
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs tmpfs dev/shm
mkdir -p var/lib/containers
mount -t tmpfs tmpfs var/lib/containers
mount -t tmpfs -o mode=755 tmpfs run
mkdir -p /sys/fs/cgroup
exec env -i HOME=/root TERM=dumb LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin chroot . /bin/bash -c "cd '` + sourceDir + `' && exec bash /script"
`

// run runs steps one after the other in one set of namespaces.
func (d debian) run(all []step, before string, namespaces ...string) {
	d.t.Helper()
	var script strings.Builder
	script.WriteString("set -u\n" + before)
	for i, b := range all {
		fmt.Fprintf(&script, "echo '@@ %d'\n(\nset -e\n%s\n) 2>&1\necho \"@@ status $?\"\n", i, b.commands)
	}
	if err := os.WriteFile(filepath.Join(d.work, "upper/script"), []byte(script.String()), 0o755); err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(d.t.Context(), 15*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", append(namespaces, "--kill-child", "sh", "-euc", enter)...)
	if !strings.Contains(strings.Join(namespaces, " "), "--fork") {
		cmd = exec.CommandContext(ctx, "unshare", append(namespaces, "sh", "-euc", enter)...)
	}
	cmd.Env = append(os.Environ(), "BASE="+d.base, "WORK="+d.work)
	cmd.WaitDelay = time.Second // watch, in the background, holds the output open
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := program.Start(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil && !strings.Contains(err.Error(), "WaitDelay") {
		d.t.Errorf("the commands did not end well: %v", err)
	}
	d.compare(all, out.String())
}

var marker = regexp.MustCompile(`(?m)^@@ (\d+)$`)

// compare holds what each step printed to what it is to print.
func (d debian) compare(all []step, out string) {
	d.t.Helper()
	places := marker.FindAllStringSubmatchIndex(out, -1)
	if len(places) != len(all) {
		d.t.Errorf("%d of %d steps were run:\n%s", len(places), len(all), out)
	}
	for i, at := range places {
		end := len(out)
		if i+1 < len(places) {
			end = places[i+1][0]
		}
		n, _ := strconv.Atoi(out[at[2]:at[3]])
		printed := out[at[1]:end]
		s := all[n]
		ok := strings.Contains(printed, fmt.Sprintf("@@ status %d\n", s.status))
		for _, want := range s.want {
			ok = ok && says(printed, want)
		}
		if !ok {
			d.t.Errorf("%s:\n%s\nprinted:\n%s\nwanted, with status %d:\n%s", s.where, s.commands, printed, s.status, strings.Join(s.want, "\n"))
		}
	}
}

// says tells whether one line has want, in which "…" stands for anything.
func says(printed, want string) bool {
	for line := range strings.SplitSeq(printed, "\n") {
		found := true
		for part := range strings.SplitSeq(want, "…") {
			_, after, ok := strings.Cut(line, part)
			found, line = found && ok, after
		}
		if found {
			return true
		}
	}
	return false
}

func tail(out []byte) []byte { return out[max(0, len(out)-2000):] }
