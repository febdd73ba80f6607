package kernel_test

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"flatnet/core/kernel"
	"flatnet/testdata/nettest"
)

// TestUserNamespace runs TestAnyRoot where the lab is: in a user namespace
// whose root is not the machine's.
func TestUserNamespace(t *testing.T) {
	nettest.Need(t)
	users, err := os.ReadFile("/proc/self/uid_map")
	must(t, err)
	if !strings.Contains(string(users), "4294967295") {
		return // all of these tests run in one already
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestAnyRoot$", "-test.v")
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "FLATNET_TEST_") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: 65534, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: 65534, Size: 1}},
		Credential:  &syscall.Credential{},
		Pdeathsig:   syscall.SIGKILL,
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestAnyRoot") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestAnyRoot does what must work for the machine's root and for that of a
// user namespace.
func TestAnyRoot(t *testing.T) {
	k, err := kernel.At(nettest.New(t))
	must(t, err)
	defer func() { _ = k.Close() }()
	must(t, k.AddBridge(ctx, "br0", 0))
	must(t, k.SetSysctl(ctx, "net.ipv4.ip_forward", "1"))
	for _, b := range []kernel.Backend{kernel.BackendNFT, kernel.BackendLegacy} {
		must(t, k.RestoreRules(ctx, b, someRules))
		saved, err := k.SaveRules(ctx, b)
		if err != nil || !strings.Contains(saved, "-A FORWARD -j OURS") || !strings.Contains(saved, "-A POSTROUTING -j OURS") {
			t.Errorf("%s: %v\n%s", b, err, saved)
		}
	}
}
