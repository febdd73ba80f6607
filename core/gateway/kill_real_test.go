package gateway_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flatnet/core/config"
	"flatnet/testdata/nginx"
)

// TestKilledDeployment kills a process that deploys again and again, at random
// moments, and has nginx judge what it left each time.
func TestKilledDeployment(t *testing.T) {
	const kills = 40
	bothModes(t, func(t *testing.T, w *world) {
		w.nginx.Start(t)
		w.run("web", "10.87.1.2", "host=web.local")
		w.apply()
		known := map[string]bool{}
		cut := 0
		for i := range kills {
			cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestHelperDeploys$")
			cmd.Env = append(os.Environ(), helperDir+"="+w.nginx.Dir, helperMode+"="+w.config.Gateway.Mode)
			said, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			for begun := bufio.NewScanner(said); begun.Scan(); {
				if begun.Text() == deploying+fmt.Sprint(i%4/3) { // within the first, sometimes the second
					break
				}
			}
			time.Sleep(time.Duration(i*9) * time.Millisecond)
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			if said, err := exec.CommandContext(t.Context(), nginx.Program, "-t", "-c", filepath.Join(w.nginx.Dir, "nginx.conf")).CombinedOutput(); err != nil {
				t.Fatalf("after kill %d nginx refuses what is there: %s", i, said)
			}
			s := w.look()
			for _, d := range s.Drift {
				if strings.Contains(d.String(), "edited") {
					t.Fatalf("after kill %d what is there is no generation: %s", i, d)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(w.nginx.Dir, "flatnet", "generations", ".new")); len(left) > 0 {
				cut++
			}
			known[fmt.Sprint(s.Generation)] = true
		}
		if len(known) < 3 {
			t.Errorf("only generations %v were seen: the deployments were not cut within", known)
		}
		t.Logf("%d kills, %d different generations left deployed, %d cut while one was written", kills, len(known), cut)
		w.run("last", "10.87.1.2", "host=last.local")
		if out := w.apply(); !out.Confirmed {
			t.Errorf("after all kills: %+v", out)
		}
	})
}

const (
	helperDir  = "FLATNET_TEST_GATEWAY_DIR"
	helperMode = "FLATNET_TEST_GATEWAY_MODE"
	deploying  = "deploying "
)

// TestHelperDeploys is the process that TestKilledDeployment kills.
func TestHelperDeploys(t *testing.T) {
	dir := os.Getenv(helperDir)
	if dir == "" {
		return
	}
	w := &world{t: t, nginx: &nginx.Server{Dir: dir}, config: config.Default(), now: time.Now()}
	c := &w.config.Gateway
	c.ConfigDir, c.WindowsPath, c.Nginx, c.Listen, c.Mode = dir, dir, nginx.Program, "127.0.0.1:80", os.Getenv(helperMode)
	for i := range 1000 {
		labels := []string{fmt.Sprintf("host=h%d-%d.local", os.Getpid(), i)}
		if i%2 == 1 {
			labels = append(labels, "max_body=5m") // lua mode's file changes too
		}
		fmt.Println(deploying + fmt.Sprint(i))
		w.containers = nil
		w.run("c", "10.87.1.2", labels...)
		_, _ = w.tryApply() // a generation that the killed one left half done may be in the way
	}
}
