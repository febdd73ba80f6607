package podmantest

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"flatnet/testdata/podman"
)

const script = "../../testdata/integration/test-integration.sh"

// TestIntegrationScript is the seed's own script, as a user runs it.
func TestIntegrationScript(t *testing.T) {
	onBoth(t, podman.Options{}, func(t *testing.T, p *podman.Podman) {
		web(p, "bystander")
		out, err := runScript(p)
		if err != nil || strings.Contains(out, "[NG]") || strings.Count(out, "[OK]") < 16 || !strings.Contains(out, "[OK] A start takes ") {
			t.Errorf("the script failed: %v\n%s", err, out)
		}
		if left := p.Run("ps", "--all", "--format", "{{.Names}}"); left != "bystander" {
			t.Errorf("containers after the script: %q", left)
		}
	})
}

// TestIntegrationScriptThroughTheGateway finds the gateway that is deployed,
// and asks it for a container.
func TestIntegrationScriptThroughTheGateway(t *testing.T) {
	m := newMachine(t)
	out, err := runScript(m.p, "PATH="+filepath.Join(m.p.Dir, "bin")+":"+filepath.Dir(m.tui)+":"+os.Getenv("PATH"))
	if err != nil || !throughGateway.MatchString(out) {
		t.Errorf("the script did not get through the gateway: %v\n%s", err, out)
	}
}

var throughGateway = regexp.MustCompile(`(?m)^\[OK\] HTTP to 10\.87\.1\.\d+ through the gateway at 127\.0\.0\.1$`)

// TestIntegrationScriptFails shows that it can say no.
func TestIntegrationScriptFails(t *testing.T) {
	onBoth(t, podman.Options{TOML: "[network]\nbridge = \"lo\"\n"}, func(t *testing.T, p *podman.Podman) {
		out, err := runScript(p)
		if err == nil || !strings.Contains(out, "[NG] integ-web1 did not start") {
			t.Errorf("the script is content with a network that cannot be: %v\n%s", err, out)
		}
		nothingLeft(t, p)
	})
}

// TestIntegrationScriptMeets what may be on somebody's machine already.
func TestIntegrationScriptMeets(t *testing.T) {
	p := podman.New(t, podman.Options{})
	p.Run("tag", podman.Nginx, "localhost/other:1")
	p.Run("rmi", podman.Nginx)
	out, err := runScript(p)
	if err == nil || !strings.Contains(out, "cannot be had") || !strings.Contains(out, "localhost/other:1") {
		t.Errorf("without its image: %v\n%s", err, out)
	}
	if out, err := runScript(p, "IMAGE=localhost/other:1"); err != nil {
		t.Errorf("with another image: %v\n%s", err, out)
	}
	out, err = runScript(p, "NETWORK=none-such", "IMAGE=localhost/other:1")
	if err == nil || !strings.Contains(out, "[NG] Podman knows no network none-such") {
		t.Errorf("without its network: %v\n%s", err, out)
	}
	p.Run("run", "--detach", "--name", "integ-web2", "--network", "none", "localhost/other:1")
	out, err = runScript(p, "IMAGE=localhost/other:1")
	if err == nil || !strings.Contains(out, "[NG] a container named integ-web2 is there") {
		t.Errorf("with somebody's container of that name: %v\n%s", err, out)
	}
	if left := p.Run("ps", "--all", "--format", "{{.Names}}"); left != "integ-web2" {
		t.Errorf("containers after the scripts: %q", left)
	}
}

// TestIntegrationScriptInterrupted: Ctrl-C goes to everything in the terminal.
func TestIntegrationScriptInterrupted(t *testing.T) {
	p := podman.New(t, podman.Options{})
	cmd := scriptCommand(p)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "2.") { // the containers run
			if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
		t.Errorf("it ended with %v, want 130", cmd.ProcessState)
	}
	if left := p.Run("ps", "--all", "--format", "{{.Names}}"); left != "" {
		t.Errorf("containers after the script: %q", left)
	}
	nothingLeft(t, p)
}

// scriptCommand gives the script's run. What a start costs is a figure here: a
// machine that tests other things meanwhile proves nothing by it.
func scriptCommand(p *podman.Podman, env ...string) *exec.Cmd {
	cmd := exec.Command("bash", script)
	cmd.Env = append(append(p.Env(), "COST_LIMIT=60000"), env...)
	return cmd
}

func runScript(p *podman.Podman, env ...string) (string, error) {
	out, err := scriptCommand(p, env...).CombinedOutput()
	return string(out), err
}
