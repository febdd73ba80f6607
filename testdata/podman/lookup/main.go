// Command lookup prints the addresses of a name, as resolv.conf says whom to
// ask: busybox's nslookup asks by rules of its own, and crashes when it is
// linked statically.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	resolver := net.Resolver{PreferGo: true}
	found, err := resolver.LookupHost(ctx, os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "lookup:", err)
		os.Exit(1)
	}
	fmt.Println(strings.Join(found, " "))
}
