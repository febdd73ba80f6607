// Command flatnet-windows stands in for Windows' programs where there is no
// Windows: linked as route.exe, ping.exe, … it is that program, told apart by
// its first argument. What it answers from is the state file beside it.
package main

import (
	"fmt"
	"os"

	"flatnet/testdata/windows/standin"
)

func main() {
	if status, ours := standin.Main(os.Args); ours {
		os.Exit(status)
	}
	if len(os.Args) != 3 || os.Args[1] != "install" {
		fmt.Fprintln(os.Stderr, "usage: flatnet-windows install ROOT\nputs the stand-ins of Windows' programs below ROOT, with the state of a lab")
		os.Exit(2)
	}
	self, err := os.Executable()
	if err == nil {
		err = standin.Install(os.Args[2], self, standin.Lab())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "flatnet-windows:", err)
		os.Exit(1)
	}
}
