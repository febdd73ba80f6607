package standin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// answerLimit bounds how long the stand-in waits for what it asks.
const answerLimit = time.Second

// wslinfo prints the networking mode.
func (p *program) wslinfo() int {
	if !slices.Equal(p.args, []string{"--networking-mode"}) || p.state.Mode == "" {
		return 1
	}
	fmt.Println(p.state.Mode)
	return 0
}

// whoami prints the groups that tell whether it is elevated.
func (p *program) whoami() int {
	level := `"Mandatory Label\Medium Mandatory Level","Label","S-1-16-8192",""`
	if p.state.Elevated {
		level = `"Mandatory Label\High Mandatory Level","Label","S-1-16-12288",""`
	}
	fmt.Print(`"Everyone","Well-known group","S-1-1-0","Mandatory group, Enabled by default, Enabled group"`, "\r\n", level, "\r\n")
	return 0
}

// powershell says that there is none.
func (p *program) powershell() int {
	fmt.Fprintln(os.Stderr, "stand-in powershell.exe: there is no PowerShell here; nothing was run")
	return 1
}

// schtasks is schtasks.exe: /query and /run of the registered tasks. The only
// task that there is sets the route as setup-route.ps1 would.
func (p *program) schtasks() int {
	at := slices.IndexFunc(p.args, func(a string) bool { return strings.EqualFold(a, "/tn") })
	if at < 0 || at+1 == len(p.args) || !slices.Contains(p.state.Tasks, p.args[at+1]) {
		fmt.Fprint(os.Stderr, "ERROR: The system cannot find the file specified.\r\n")
		return 1
	}
	if strings.EqualFold(p.args[0], "/run") {
		// Windows runs it apart, and this program does not wait for it.
		due := time.Now().Add(milliseconds(p.state.TaskDelay))
		if err := Change(p.root, func(s *State) { s.TaskDue = due }); err != nil {
			fmt.Fprintln(os.Stderr, "stand-in schtasks.exe:", err)
			return 1
		}
	}
	fmt.Print("SUCCESS\r\n")
	return 0
}

// finishTask does what a started task has done by now.
func (p *program) finishTask() {
	if p.state.TaskDue.IsZero() || time.Now().Before(p.state.TaskDue) {
		return
	}
	err := Change(p.root, func(s *State) {
		s.setRoute()
		s.TaskDue = time.Time{}
	})
	if err == nil {
		p.state, _ = Read(p.root)
	}
}

func (s *State) setRoute() {
	subnet := netip.MustParsePrefix("10.87.1.0/24")
	s.remove(subnet, netip.Addr{})
	s.add(Route{Destination: subnet, Gateway: s.WSLAddress, Metric: 1})
}

// ping is ping.exe. An address answers if the table leads it to WSL and,
// where the stand-in is live, somebody has it here.
func (p *program) ping() int {
	if len(p.args) == 0 {
		return 1
	}
	a, err := netip.ParseAddr(p.args[len(p.args)-1])
	if err != nil || !p.leadsToWSL(a) || slices.Contains(p.state.Dead, a.String()) || p.state.Live && !answers(a) {
		fmt.Print("Request timed out.\r\n")
		return 1
	}
	w := speak(p.state.Language)
	_, _ = os.Stdout.Write(w.encode("\r\n" + fmt.Sprintf(w.reply, a) + "\r\n\r\n"))
	return 0
}

// leadsToWSL takes the longest prefix, then the lowest metric.
func (p *program) leadsToWSL(a netip.Addr) bool {
	var best Route
	for _, r := range p.state.Active {
		longer := r.Destination.Bits() > best.Destination.Bits()
		cheaper := r.Destination.Bits() == best.Destination.Bits() && r.Metric < best.Metric
		if r.Destination.Contains(a) && (!best.Interface.IsValid() || longer || cheaper) {
			best = r
		}
	}
	return best.Gateway == p.state.WSLAddress
}

// answers asks by TCP: a refusal is an answer, too.
func answers(a netip.Addr) bool {
	const discard = 9
	c, err := net.DialTimeout("tcp", netip.AddrPortFrom(a, discard).String(), answerLimit)
	if err == nil {
		_ = c.Close()
	}
	return err == nil || errors.Is(err, syscall.ECONNREFUSED)
}

// curl is curl.exe with the flags that are used: it really asks, from here.
func (p *program) curl() int {
	url, host, limit := "", "", answerLimit
	for i, a := range p.args {
		switch {
		case a == "-H" && i+1 < len(p.args):
			host = strings.TrimPrefix(p.args[i+1], "Host: ")
		case a == "-m" && i+1 < len(p.args):
			if n, err := strconv.Atoi(p.args[i+1]); err == nil {
				limit = time.Duration(n) * time.Second
			}
		case i == len(p.args)-1:
			url = a
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		fmt.Print("000")
		return 3
	}
	req.Host = host
	a, err := netip.ParseAddr(req.URL.Hostname())
	if err != nil || !a.IsLoopback() && (!p.state.Live || !p.leadsToWSL(a) || slices.Contains(p.state.Dead, a.String())) {
		fmt.Print("000")
		return 28
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Print("000")
		return 28
	case err != nil:
		fmt.Print("000")
		return 7
	}
	_ = resp.Body.Close()
	fmt.Printf("%03d", resp.StatusCode)
	return 0
}
