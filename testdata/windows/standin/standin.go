// Package standin is a Windows that is not there: programs at the paths where
// Windows has them, which answer from a state file and fail as they are told.
// It says nothing about how Windows behaves beyond what its captures show.
package standin

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"
)

// Files beside the programs, in the system root.
const (
	stateFile = "state.json"
	callsFile = "calls.log"
)

// State is the stand-in Windows between two calls.
type State struct {
	Language   string     `json:"language"` // see languages: "en", "ja", …
	Elevated   bool       `json:"elevated"`
	Mode       string     `json:"mode"`        // what wslinfo prints
	WSLAddress netip.Addr `json:"wsl_address"` // what setup-route.ps1 would find
	Active     []Route    `json:"active"`
	Persistent []Route    `json:"persistent"`
	Tasks      []string   `json:"tasks,omitempty"`      // registered scheduled tasks
	TaskDelay  int        `json:"task_delay,omitempty"` // milliseconds until a started task has set the route
	TaskDue    time.Time  `json:"task_due,omitzero"`    // when the started one will have
	Dead       []string   `json:"dead,omitempty"`       // addresses that answer Windows nothing
	// Live: a ping and a page are asked for in the network that the stand-in
	// is in. Else every address but the dead answers a ping, and only
	// loopback a page: a test sends nothing anywhere.
	Live bool `json:"live,omitempty"`
	// Faults by program ("route.exe"), or "*" for all.
	Faults map[string]Fault `json:"faults,omitempty"`
}

// Route is one line of the table.
type Route struct {
	Destination netip.Prefix `json:"destination"`
	Gateway     netip.Addr   `json:"gateway"` // zero: on-link
	Interface   netip.Addr   `json:"interface"`
	Metric      int          `json:"metric"` // -1: the word for "default" (persistent ones)
}

// Call is one line of the call log: how a program was started.
type Call struct {
	Program string   `json:"program"`
	Args    []string `json:"args"`
	Dir     string   `json:"dir"`
	Stdin   string   `json:"stdin"`
	Interop string   `json:"interop"` // WSL_INTEROP
}

// The network of WSL in NAT mode, as in the captures.
var (
	windowsSide = netip.MustParseAddr("172.27.224.1")
	wslSide     = netip.MustParseAddr("172.27.224.53")
)

// Lab gives the state that the lab starts with: everything good.
func Lab() State {
	prefix, address := netip.MustParsePrefix, netip.MustParseAddr
	loopback, lan := address("127.0.0.1"), address("192.168.10.23")
	subnet := prefix("10.87.1.0/24")
	return State{
		Language: "en", Mode: "nat", WSLAddress: wslSide, Live: true,
		Active: []Route{
			{prefix("0.0.0.0/0"), address("192.168.10.1"), lan, 35},
			{subnet, wslSide, windowsSide, 16},
			{prefix("127.0.0.0/8"), netip.Addr{}, loopback, 331},
			{prefix("172.27.224.0/20"), netip.Addr{}, windowsSide, 5256},
			{prefix("172.27.224.1/32"), netip.Addr{}, windowsSide, 5256},
			{prefix("192.168.10.0/24"), netip.Addr{}, lan, 291},
			{prefix("224.0.0.0/4"), netip.Addr{}, loopback, 331},
		},
	}
}

// AfterRestart gives the state after WSL was started anew with another
// address: the route leads to the old one, and the scheduled task of
// register-tasks.ps1 takes a second to set it right.
func AfterRestart() State {
	s := Lab()
	for i, r := range s.Active {
		if r.Gateway == wslSide {
			s.Active[i].Gateway = netip.MustParseAddr("172.27.230.118")
		}
	}
	s.Tasks, s.TaskDelay = []string{Task}, 1000
	return s
}

// Task is the name of the scheduled task that can be started from WSL, as
// register-tasks.ps1 registers it.
const Task = `\Flatnet\route-now`

// programs are the paths below the root.
func programs() []string {
	return []string{
		"System32/route.exe", "System32/ping.exe", "System32/curl.exe", "System32/schtasks.exe", "System32/whoami.exe",
		"System32/WindowsPowerShell/v1.0/powershell.exe", "bin/wslinfo",
	}
}

// Install links program as each of Windows' programs below root, and wslinfo
// below root/bin, and writes the state.
func Install(root, program string, s State) error {
	for _, p := range programs() {
		path := filepath.Join(root, filepath.FromSlash(p))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := renameio.Symlink(program, path); err != nil {
			return err
		}
	}
	return write(root, s)
}

// Read gives the state below root.
func Read(root string) (State, error) {
	data, err := os.ReadFile(filepath.Join(root, stateFile))
	if err != nil {
		return State{}, err
	}
	var s State
	return s, json.Unmarshal(data, &s)
}

func write(root string, s State) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(root, stateFile), append(data, '\n'), 0o644)
}

// Change changes the state below root, alone.
func Change(root string, change func(*State)) error {
	lock := flock.New(filepath.Join(root, ".lock"))
	if err := lock.Lock(); err != nil {
		return err
	}
	defer func() { _ = lock.Unlock() }()
	s, err := Read(root)
	if err != nil {
		return err
	}
	change(&s)
	return write(root, s)
}

// Calls gives the calls so far.
func Calls(root string) ([]Call, error) {
	data, err := os.ReadFile(filepath.Join(root, callsFile))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var calls []Call
	for line := range strings.Lines(string(data)) {
		var c Call
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			return nil, err
		}
		calls = append(calls, c)
	}
	return calls, nil
}

// program is one call of one stand-in.
type program struct {
	root  string
	name  string
	args  []string
	state State
}

// Main is the whole program if argv names one of Windows' programs that is
// installed here; ours is false if it does not.
func Main(argv []string) (status int, ours bool) {
	if len(argv) == 0 {
		return 0, false
	}
	p := program{name: filepath.Base(argv[0]), args: argv[1:]}
	if run := p.run(); run != nil {
		var err error
		if p.root, err = rootOf(argv[0]); err == nil {
			p.state, err = Read(p.root)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "stand-in Windows:", err)
			return 1, true
		}
		p.log()
		p.finishTask()
		if status, failed := p.fail(); failed {
			return status, true
		}
		return run(), true
	}
	return 0, false
}

func (p *program) run() func() int {
	switch p.name {
	case "route.exe":
		return p.route
	case "ping.exe":
		return p.ping
	case "curl.exe":
		return p.curl
	case "schtasks.exe":
		return p.schtasks
	case "whoami.exe":
		return p.whoami
	case "powershell.exe":
		return p.powershell
	case "wslinfo":
		return p.wslinfo
	}
	return nil
}

// rootOf looks for the state file upwards from the program.
func rootOf(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	for dir := filepath.Dir(abs); dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, stateFile)); err == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("no %s beside or above %s", stateFile, abs)
}

func (p *program) log() {
	dir, _ := os.Getwd()
	stdin, _ := os.Readlink("/proc/self/fd/0")
	line, _ := json.Marshal(Call{Program: p.name, Args: p.args, Dir: dir, Stdin: stdin, Interop: os.Getenv("WSL_INTEROP")})
	f, err := os.OpenFile(filepath.Join(p.root, callsFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	_, _ = f.Write(append(line, '\n'))
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }
