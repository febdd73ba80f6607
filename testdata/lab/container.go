package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const netnsDir = "/run/netns"

// container is one of the lab's containers: a process in a network namespace
// of its own, attached by the real plugin.
type container struct {
	ID      string
	Name    string
	Port    int
	Labels  map[string]string
	Created time.Time
	IP      string

	netns  string // path of the named namespace
	server *exec.Cmd
}

// newContainer starts the server in a new namespace and names the namespace,
// as a container runtime does.
func newContainer(name string, port int, labels map[string]string) (*container, error) {
	sum := sha256.Sum256([]byte("flatnet-lab " + name))
	id := hex.EncodeToString(sum[:])
	c := &container{
		ID: id, Name: name, Port: port, Labels: labels, Created: time.Now(),
		netns: filepath.Join(netnsDir, "cni-"+id[:12]),
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c.server = exec.Command(self, roleServer, name, fmt.Sprint(port))
	c.server.Stderr = os.Stderr
	c.server.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := startLocked(c.server); err != nil {
		return nil, fmt.Errorf("start the server of %s: %w", name, err)
	}
	if err := os.WriteFile(c.netns, nil, 0o600); err != nil {
		return nil, err
	}
	source := fmt.Sprintf("/proc/%d/ns/net", c.server.Process.Pid)
	if err := unix.Mount(source, c.netns, "", unix.MS_BIND, ""); err != nil {
		return nil, fmt.Errorf("name the namespace of %s: %w", name, err)
	}
	return c, nil
}

// startLocked starts cmd from a thread that lives as long as the process:
// Pdeathsig follows the thread, not the process.
func startLocked(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		started <- cmd.Start()
		select {} // holds the thread
	}()
	return <-started
}

// crash ends the container without telling the plugin: its lease stays.
func (c *container) crash() error {
	if err := c.server.Process.Kill(); err != nil {
		return err
	}
	_ = c.server.Wait()
	if err := unix.Unmount(c.netns, unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount %s: %w", c.netns, err)
	}
	return os.Remove(c.netns)
}

// running tells whether the container's process and namespace are there.
func (c *container) running() bool {
	if c.server.Process.Signal(syscall.Signal(0)) != nil {
		return false
	}
	var st unix.Statfs_t
	return unix.Statfs(c.netns, &st) == nil && st.Type == unix.NSFS_MAGIC
}

// attach has the real plugin put the container on the network.
func (c *container) attach(plugin, configPath string) error {
	netconf, err := json.Marshal(map[string]any{
		"cniVersion": "1.0.0", "name": "flatnet", "type": "flatnet", "config": configPath,
	})
	if err != nil {
		return err
	}
	cmd := exec.Command(plugin)
	cmd.Stdin = bytes.NewReader(netconf)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(),
		"CNI_COMMAND=ADD", "CNI_CONTAINERID="+c.ID, "CNI_NETNS="+c.netns, "CNI_IFNAME=eth0",
		"CNI_PATH="+filepath.Dir(plugin), "CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME="+c.Name)
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("attach %s: %w: %s", c.Name, err, out)
	}
	var result struct{ IPs []struct{ Address string } }
	if err := json.Unmarshal(out, &result); err != nil || len(result.IPs) == 0 {
		return fmt.Errorf("attach %s: the plugin answered %q", c.Name, out)
	}
	ip, _, err := net.ParseCIDR(result.IPs[0].Address)
	c.IP = ip.String()
	return err
}

// serve is the web server of one container.
func serve(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: flatnet-lab %s NAME PORT", roleServer)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s in the lab, asked for %s by %s\n", args[0], r.Host, r.RemoteAddr)
	})
	server := &http.Server{Addr: ":" + args[1], Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp4", server.Addr)
	if err != nil {
		return err
	}
	return server.Serve(l)
}
