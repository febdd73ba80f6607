// Package podman5 gives tests the programs of Podman 5 with netavark, on
// machines that have an older Podman: a Debian 13 in a directory, which
// tree.sh makes.
package podman5

import (
	_ "embed"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"flatnet/testdata/nettest"
	"flatnet/testdata/program"
)

//go:embed tree.sh
var script string

// holder has the id of the process that holds the mount namespace whose root
// is the tree. Changing the root would not do: "podman exec" enters a
// container's mount namespace, and gets to that one's own root.
const holder = "/run/podman5/holder"

// Root is where Debian 13's files are seen from this machine once it was entered.
const Root = "/run/podman5/root"

// Enter gives the shell command that runs what follows on Debian 13. Programs
// there see this machine's /run, /proc, /sys and /dev; what they write
// elsewhere goes with the namespaces that nettest.Main made. Where the tree
// was not made the test is skipped with the reason; with FLATNET_ROOT=1 it
// fails.
func Enter(t testing.TB) string {
	t.Helper()
	if _, err := os.Stat(holder); err != nil {
		mount(t, tree(t), Root)
		hold(t, Root)
	}
	pid, err := os.ReadFile(holder)
	if err != nil {
		t.Fatal(err)
	}
	return "nsenter --mount=/proc/" + string(pid) + "/ns/mnt"
}

// hold starts a process in a mount namespace with this root. It ends with the
// tests' process.
func hold(t testing.TB, root string) {
	t.Helper()
	cmd := exec.Command("unshare", "--mount", "--propagation", "unchanged", "sh", "-ec", pivot, "sh", root)
	cmd.Stderr = os.Stderr
	ready, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		t.Fatalf("make a mount namespace with %s as its root: %v", root, err)
	}
	if err := os.WriteFile(holder, []byte(strconv.Itoa(cmd.Process.Pid)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// pivot makes $1 the root. What was there is let go of in private, so that
// nothing of it goes away elsewhere.
const pivot = `cd "$1"; mkdir -p old; pivot_root . old; mount --make-rprivate /old; umount -l /old; echo; exec sleep infinity`

func tree(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("bash", "-c", script, "tree.sh", "path").Output()
	if err != nil {
		t.Fatalf("tree.sh path: %v", err)
	}
	path := strings.TrimSpace(string(out))
	if _, err := os.Stat(path); err == nil {
		return path
	}
	const reason = "there is no Debian 13 with Podman 5 at %s; testdata/podman5/tree.sh make (as root) makes it"
	if os.Getenv("FLATNET_ROOT") == "1" {
		t.Fatalf(reason, path)
	}
	t.Skipf(reason, path)
	return ""
}

// mount lays a writable layer over the tree.
func mount(t testing.TB, tree, root string) {
	t.Helper()
	upper, work := filepath.Join(root, "../upper"), filepath.Join(root, "../work")
	for _, dir := range []string{root, upper, work} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	options := "lowerdir=" + tree + ",upperdir=" + upper + ",workdir=" + work
	if err := unix.Mount("overlay", root, "overlay", 0, options); err != nil {
		t.Fatalf("lay a layer over %s: %v", tree, err)
	}
	for _, dir := range []string{"/proc", "/sys", "/dev"} {
		if err := unix.Mount(dir, root+dir, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			t.Fatalf("show %s in %s: %v", dir, root, err)
		}
	}
	// Its locks are not those of the other Podman.
	if err := unix.Mount("tmpfs", root+"/dev/shm", "tmpfs", 0, "mode=1777"); err != nil {
		t.Fatalf("cover /dev/shm in %s: %v", root, err)
	}
	// A container's namespace that is mounted later is seen in both places.
	err := errors.Join(
		unix.Mount(nettest.Dir, nettest.Dir, "", unix.MS_BIND|unix.MS_REC, ""),
		unix.Mount("", nettest.Dir, "", unix.MS_SHARED, ""),
		unix.Mount("/run", root+"/run", "", unix.MS_BIND|unix.MS_REC, ""),
	)
	if err != nil {
		t.Fatalf("show /run in %s: %v", root, err)
	}
}
