package tui

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"flatnet/core/journal"
	"flatnet/core/repair"
	"flatnet/core/say"
	"flatnet/testdata/example"
	"flatnet/testdata/terminal"
	"flatnet/tui/pane"
)

// The test binary itself is the program in the terminal: the console on the
// example network, with flaws as FLATNET_CONSOLE names them.
const consoleEnv = "FLATNET_CONSOLE"

func TestMain(m *testing.M) {
	if flaws, ok := os.LookupEnv(consoleEnv); ok {
		os.Exit(consoleProgram(flaws))
	}
	os.Exit(m.Run())
}

// consoleProgram is what flatnet-tui's main does, on the example network.
func consoleProgram(flaws string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	o := exampleOptions(true)
	o.Environ, o.Now = os.Environ(), time.Now
	switch flaws {
	case "slow":
		o.Sources.Windows = hang(example.Windows(true))
		o.Sources.Leases = hang(example.Leases())
	case "windows":
		o.Sources.Windows = hungWindows(os.Getenv("FLATNET_WINDOWS"))
	case "panic":
		o.Sources.Leases = nil
		o.Plans.Firewall = func(context.Context) (repair.Plan, error) { panic("a planner panics") }
	case "many":
		o.Sources.Leases = always(example.ManyLeases(10_000), nil)
	case "crash":
		go func() {
			time.Sleep(700 * time.Millisecond)
			panic("a goroutine of nobody's")
		}()
	case "idle":
		o.Config.TUI.Refresh, o.Now = 50*time.Millisecond, example.Now
	case "flip":
		o.Config.TUI.Refresh = 300 * time.Millisecond
		o.Sources.Leases, o.Now = flipping(), example.Now
		o.Sources.Bridge, o.Sources.Upstreams = always(pane.BridgeView{}, nil), always(pane.UpstreamsView{}, nil)
	case "config":
		o.Config.Path = os.Getenv("FLATNET_FILE")
	case "step":
		o.Plans.Firewall = slowRepair
	}
	if err := Run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// hang answers only when its time is up.
func hang[T any](v T) pane.Source[T] {
	return func(ctx context.Context) (T, error) {
		<-ctx.Done()
		return v, ctx.Err()
	}
}

// slowRepair has two steps of which each takes a while and leaves a mark
// before and after, in the file that FLATNET_MARKS names.
func slowRepair(context.Context) (repair.Plan, error) {
	p := repair.Plan{Title: "slow repair"}
	for _, name := range []string{"one", "two"} {
		p.Steps = append(p.Steps, repair.Step{Text: say.Data(name), Do: func(context.Context) ([]journal.Entry, error) {
			mark(name + " begins\n")
			time.Sleep(700 * time.Millisecond)
			mark(name + " ends\n")
			return nil, nil
		}})
	}
	return p, nil
}

func mark(s string) {
	f, err := os.OpenFile(os.Getenv("FLATNET_MARKS"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	_, _ = f.WriteString(s)
}

const patience = 20 * time.Second

// console starts the program in a terminal. sh keeps the terminal open after
// it, and says how it left it.
func console(t testing.TB, flaws string, width, height int, env ...string) *terminal.Terminal {
	t.Helper()
	cmd := exec.Command("sh", "-c", `before=$(stty -g); "$0" -test.run '^$'; status=$?
		[ "$(stty -g)" = "$before" ] && echo "left as found, status $status" || echo "terminal changed"; sleep 30`, os.Args[0])
	cmd.Env = append(os.Environ(), consoleEnv+"="+flaws)
	cmd.Env = append(cmd.Env, env...)
	term, err := terminal.Start(cmd, width, height)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(term.Close)
	return term
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestProgramInATerminal(t *testing.T) {
	term := console(t, "", 120, 40)
	must(t, term.WaitFor("FORWARD drops packets to the containers", patience))
	must(t, term.Type("2"))
	must(t, term.Type("\r"))
	must(t, term.WaitFor("Podman does not know the container", patience))
	must(t, term.Type("\x1b"))
	must(t, term.WaitGone("Podman does not know the container", patience))
	must(t, term.Resize(80, 24))
	must(t, term.WaitFor("[2 Leases", patience))
	must(t, term.Resize(40, 10))
	must(t, term.WaitFor("too small", patience))
	must(t, term.Resize(160, 50))
	must(t, term.WaitFor("Windows route", patience))
	must(t, term.Type("q"))
	must(t, term.WaitFor("left as found, status 0", patience))
}

// pid finds the console among the shell's children.
func pid(t testing.TB, term *terminal.Terminal) int {
	t.Helper()
	out, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", term.PID(), term.PID()))
	must(t, err)
	var n int
	if _, err := fmt.Sscan(string(out), &n); err != nil {
		t.Fatalf("no console under the shell: %q", out)
	}
	return n
}

func TestSignalsRestoreTheTerminal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			term := console(t, "", 100, 30)
			must(t, term.WaitFor("Bridge", patience))
			must(t, syscall.Kill(pid(t, term), sig))
			must(t, term.WaitFor("left as found", patience))
		})
	}
}

func TestPanicRestoresTheTerminal(t *testing.T) {
	term := console(t, "panic", 100, 30)
	must(t, term.WaitFor("F firewall", patience))
	must(t, term.Type("F"))
	must(t, term.WaitFor("left as found, status 1", patience))
}

// TestCrashRestoresTheTerminal: a panic that nothing in the program can catch.
func TestCrashRestoresTheTerminal(t *testing.T) {
	cmd := exec.Command("sh", "-c", `"$0" -test.run '^$'; sleep 0.5; stty -a | grep -q ' icanon' && echo "given back"; sleep 30`, os.Args[0])
	cmd.Env = append(os.Environ(), consoleEnv+"=crash")
	term, err := terminal.Start(cmd, 100, 30)
	must(t, err)
	defer term.Close()
	must(t, term.WaitFor("Windows route", patience))
	must(t, term.WaitFor("given back", patience))
	if s := term.Text(); !contains(s, "a goroutine of nobody's") || contains(s, "Windows route") {
		t.Errorf("after the crash:\n%s", s)
	}
}

// TestSlowSourcesHoldNothingUp: what has answered is there while others hang,
// and keys work.
func TestSlowSourcesHoldNothingUp(t *testing.T) {
	term := console(t, "slow", 120, 40)
	must(t, term.WaitFor("3 missing", patience))
	must(t, term.WaitFor("looking…", patience))
	must(t, term.Type("?"))
	must(t, term.WaitFor("Look closer", patience))
	must(t, term.Type("\x1b"))
	must(t, term.WaitGone("Look closer", patience))
	must(t, term.Type("q"))
	must(t, term.WaitFor("left as found, status 0", patience))
}

// TestSuspendAndResume: ctrl+z gives the terminal back, fg takes it again.
func TestSuspendAndResume(t *testing.T) {
	cmd := exec.Command("bash", "--norc", "--noprofile", "-i")
	cmd.Env = append(os.Environ(), consoleEnv+"=", "PS1=prompt> ", "HISTFILE=")
	term, err := terminal.Start(cmd, 100, 30)
	must(t, err)
	defer term.Close()
	must(t, term.WaitFor("prompt>", patience))
	must(t, term.Type(os.Args[0]+" -test.run '^$'\r"))
	must(t, term.WaitFor("Windows route", patience))
	must(t, term.WaitQuiet(300*time.Millisecond, patience)) // it has heard what the terminal answers to its questions
	must(t, term.Type("\x1a"))
	must(t, term.WaitFor("Stopped", patience))
	must(t, term.Type("fg\r"))
	must(t, term.WaitFor("Windows route", patience))
	must(t, term.Type("2\r"))
	must(t, term.WaitFor("Podman does not know the container", patience))
	must(t, term.Type("\x1b"))
	must(t, term.WaitGone("Podman does not know the container", patience))
	must(t, term.Type("q"))
	must(t, term.WaitFor("prompt>", patience))
}

// TestIdleSendsNothing: while nothing changes, not a byte is sent, however
// often everything is looked at.
func TestIdleSendsNothing(t *testing.T) {
	term := console(t, "idle", 120, 40)
	must(t, term.WaitFor("FORWARD drops packets to the containers", patience))
	must(t, term.WaitQuiet(500*time.Millisecond, patience))
	before := term.Bytes()
	time.Sleep(2 * time.Second) // forty looks
	if sent := term.Bytes() - before; sent != 0 {
		t.Errorf("%d bytes were sent while nothing changed", sent)
	}
}

// TestClosedConnectionEndsBetweenSteps: the terminal goes away during a
// repair; the step under way ends, the next one is not begun.
func TestClosedConnectionEndsBetweenSteps(t *testing.T) {
	marks := t.TempDir() + "/marks"
	cmd := exec.Command(os.Args[0], "-test.run", "^$")
	cmd.Env = append(os.Environ(), consoleEnv+"=step", "FLATNET_MARKS="+marks)
	term, err := terminal.Start(cmd, 100, 30)
	must(t, err)
	must(t, term.WaitFor("F firewall", patience))
	must(t, term.Type("F"))
	must(t, term.WaitFor("slow repair", patience))
	time.Sleep(500 * time.Millisecond) // the moment of grace
	must(t, term.Type("y"))
	must(t, term.WaitFor("step 1 of 2", patience))
	must(t, syscall.Kill(term.PID(), syscall.SIGHUP))
	_ = term.Wait(patience)
	term.Close()
	got, err := os.ReadFile(marks)
	must(t, err)
	if string(got) != "one begins\none ends\n" {
		t.Errorf("the steps were %q", got)
	}
}

// TestTenThousandLeases: lists of that length work.
func TestTenThousandLeases(t *testing.T) {
	term := console(t, "many", 120, 40)
	must(t, term.WaitFor("10000 active", patience))
	must(t, term.Type("2"))
	must(t, term.Type("\x1b[F")) // End
	must(t, term.WaitFor("10000/10000", patience))
	must(t, term.Type("/service-04242"))
	must(t, term.WaitFor("1/10000", patience))
	if s := term.Text(); !strings.Contains(s, "service-04242") {
		t.Errorf("the filter does not show its row:\n%s", s)
	}
}
