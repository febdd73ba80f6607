// Command flatnet-lab opens the console on a lab of its own: new user,
// network and mount namespaces in which the real plugin attaches real
// namespaces to a real bridge. What cannot be had in a lab stands in and says
// so: Windows, and Podman's list of containers. Nothing outside changes, and
// when the lab's processes end nothing is left.
//
// The same program is each of the lab's roles, told apart by its name or its
// first argument: the lab itself, one web server for each container, and the
// stand-ins of Windows' programs.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"flatnet/testdata/windows/standin"
)

// roleInside is the lab after it has entered its namespaces; roleServer a
// container's web server.
const (
	roleInside = "inside"
	roleServer = "server"
)

// The first thread is the process in /proc/self; it must not leave the lab.
func init() { runtime.LockOSThread() }

func main() {
	if status, ours := standin.Main(os.Args); ours {
		os.Exit(status)
	}
	status, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "flatnet-lab:", err)
	}
	os.Exit(status)
}

func run(args []string) (int, error) {
	if len(args) == 0 {
		args = []string{""}
	}
	switch args[0] {
	case roleServer:
		return 1, serve(args[1:])
	case roleInside:
		return openLab(args[1:])
	case "-h", "--help", "help":
		fmt.Println("usage: flatnet-lab [ARGUMENT OF flatnet-tui …]\n" +
			"Opens the console on a lab of its own; without a terminal it prints the status once.\n" +
			"flatnet-lab exec COMMAND … runs a command inside the lab instead of the console.")
		return 0, nil
	case "":
		return enter(nil)
	}
	return enter(args)
}

// program gives the path of a program that was built beside this one.
func program(name string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(self), name)
	if _, err := exec.LookPath(path); err != nil {
		return "", fmt.Errorf("%s is not built: run make build: %w", path, err)
	}
	return path, nil
}
