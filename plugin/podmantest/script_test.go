package podmantest

import (
	"os/exec"
	"strings"
	"testing"

	"flatnet/testdata/podman"
)

const script = "../../testdata/integration/test-integration.sh"

// TestIntegrationScript is the seed's own script, as a user runs it.
func TestIntegrationScript(t *testing.T) {
	onBoth(t, podman.Options{}, func(t *testing.T, p *podman.Podman) {
		web(p, "bystander")
		out, err := runScript(p)
		if err != nil || strings.Contains(out, "[NG]") || strings.Count(out, "[OK]") < 15 {
			t.Errorf("the script failed: %v\n%s", err, out)
		}
		if left := p.Run("ps", "--all", "--format", "{{.Names}}"); left != "bystander" {
			t.Errorf("containers after the script: %q", left)
		}
	})
}

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

func runScript(p *podman.Podman) (string, error) {
	cmd := exec.Command("bash", script)
	cmd.Env = p.Env()
	out, err := cmd.CombinedOutput()
	return string(out), err
}
