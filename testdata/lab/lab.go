package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// labDir holds everything that the lab writes. /run is the lab's own.
const labDir = "/run/flatnet-lab"

// The lab's containers. The last one crashes after it was attached, so that
// there is a stale lease to release.
var cast = []struct {
	name   string
	port   int
	labels map[string]string
}{
	{"forgejo", 3000, nil},
	{"wiki", 8080, map[string]string{"flatnet.host": "wiki.local", "flatnet.port": "8080"}},
	{"registry", 5000, map[string]string{"flatnet.host": "registry.local", "flatnet.port": "5000"}},
	{"old-build", 8080, nil},
}

// lab is what stands while the console runs.
type lab struct {
	config     string
	plugin     string
	console    string
	containers []*container
	nginx      *exec.Cmd // nil where the machine has none
}

// openLab builds the lab in this process's namespaces, runs the console (or
// the command after "exec") on it, and gives its exit status.
func openLab(args []string) (int, error) {
	if err := prepare(); err != nil {
		return 1, err
	}
	l, err := build()
	if err != nil {
		return 1, err
	}
	defer l.close()
	return l.run(args)
}

func build() (*lab, error) {
	l := &lab{config: filepath.Join(labDir, "flatnet.toml")}
	var err error
	if l.plugin, err = program("flatnet"); err != nil {
		return nil, err
	}
	if l.console, err = program("flatnet-tui"); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(labDir, 0o755); err != nil {
		return nil, err
	}
	if err := connectWindows(); err != nil {
		return nil, err
	}
	nginx, _ := exec.LookPath("nginx")
	if err := writeConfig(l.config, nginx); err != nil {
		return nil, err
	}
	if err := install(l.plugin, l.config); err != nil {
		return nil, err
	}
	if err := l.startContainers(); err != nil {
		return nil, err
	}
	stand := podmanStandIn{l.containers}
	if err := stand.listen(filepath.Join(labDir, "podman.sock")); err != nil {
		return nil, err
	}
	if err := placeWindows(); err != nil {
		return nil, err
	}
	if nginx != "" {
		return l, l.startGateway(nginx)
	}
	return l, nil
}

func (l *lab) startContainers() error {
	for _, m := range cast {
		c, err := newContainer(m.name, m.port, m.labels)
		if err != nil {
			return err
		}
		l.containers = append(l.containers, c)
		if err := c.attach(l.plugin, l.config); err != nil {
			return err
		}
	}
	return l.containers[len(l.containers)-1].crash()
}

// run starts the console, or the command after "exec", and waits for it.
func (l *lab) run(args []string) (int, error) {
	name := l.console
	if len(args) > 1 && args[0] == "exec" {
		name, args = args[1], args[2:]
	}
	cmd := exec.Command(name, args...)
	cmd.Env = l.env()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	endWithLab(cmd)
	if err := startLocked(cmd); err != nil {
		return 1, err
	}
	forward(cmd.Process)
	status, err := waitFor(cmd)
	if len(args) == 0 && !isTerminal(os.Stdout) {
		return 0, err // printed once; what it found is no failure of the lab
	}
	return status, err
}

// endWithLab has cmd asked to end when the lab is gone, however that came: the
// console then restores the terminal, nginx ends its workers.
func endWithLab(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}

func (l *lab) env() []string {
	return append(os.Environ(),
		"FLATNET_CONFIG="+l.config, "CONTAINERS_CONF="+containersConf,
		"PATH="+filepath.Dir(l.console)+":"+filepath.Join(windowsDir, "bin")+":"+os.Getenv("PATH")+":/usr/sbin:/sbin")
}

// close ends the lab's processes; the kernel takes away the rest with them.
func (l *lab) close() {
	if l.nginx != nil {
		l.stopGateway()
	}
	for _, c := range l.containers {
		_ = c.server.Process.Kill()
		_ = c.server.Wait()
	}
}

func isTerminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0 && st.Mode()&os.ModeDevice != 0 && !isNull(st)
}

func isNull(st os.FileInfo) bool {
	null, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(st, null)
}

// startGateway runs the machine's nginx on the lab's port 80 and deploys the
// first configuration with the console's own command.
func (l *lab) startGateway(nginx string) error {
	conf := filepath.Join(gatewayDir, "nginx.conf")
	if err := os.WriteFile(conf, []byte(nginxConf), 0o644); err != nil {
		return err
	}
	l.nginx = exec.Command(nginx, "-c", conf, "-e", filepath.Join(gatewayDir, "error.log"))
	endWithLab(l.nginx)
	if err := startLocked(l.nginx); err != nil {
		return fmt.Errorf("start nginx: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	deploy := exec.CommandContext(ctx, l.console, "gateway", "apply", "--yes")
	deploy.Env = l.env()
	if out, err := deploy.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "flatnet-lab: the gateway's first configuration was not deployed (%v):\n%s", err, out)
	}
	return nil
}

// stopGateway ends nginx and its workers, which would outlive a killed master.
func (l *lab) stopGateway() {
	_ = l.nginx.Process.Signal(os.Interrupt)
	ended := make(chan struct{})
	go func() {
		_ = l.nginx.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(3 * time.Second):
		_ = l.nginx.Process.Kill()
	}
}
