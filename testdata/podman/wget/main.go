// Command wget is the part of wget that the tests' containers use, as one
// static program: busybox's own crashes when it is linked statically.
package main

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

func main() {
	flag.Bool("q", true, "quiet; it always is")
	output := flag.String("O", "", "file to write, - for stdout")
	seconds := flag.Int("timeout", 5, "limit in seconds")
	flag.Parse()
	if err := get(flag.Arg(0), *output, time.Duration(*seconds)*time.Second); err != nil {
		fmt.Fprintln(os.Stderr, "wget:", err)
		os.Exit(1)
	}
}

func get(url, output string, limit time.Duration) error {
	client := http.Client{Timeout: limit}
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("server answered %s", response.Status)
	}
	to := os.Stdout
	if output != "-" {
		if to, err = os.Create(output); err != nil {
			return err
		}
	}
	_, err = io.Copy(to, response.Body)
	return err
}
