package nettest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"flatnet/testdata/nettest"
)

func TestMain(m *testing.M) { nettest.Main(m) }

func TestNewIsEmptyAndApart(t *testing.T) {
	path := nettest.New(t)
	var dev []byte
	nettest.In(t, path, func() { dev, _ = os.ReadFile("/proc/thread-self/net/dev") })
	if got := strings.Count(string(dev), ":"); got != 1 {
		t.Errorf("a new namespace has %d interfaces, want only lo:\n%s", got, dev)
	}
	outside, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	var inside []byte
	nettest.In(t, path, func() { inside, err = exec.Command("readlink", "/proc/self/ns/net").Output() })
	if err != nil || strings.TrimSpace(string(inside)) == outside {
		t.Errorf("a program started by In is in %q (%v), outside is %q", inside, err, outside)
	}
}
