package ipam_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"flatnet/core/ipam"
	"flatnet/core/journal"
)

const workerEnv = "FLATNET_IPAM_WORKER"

// worker is this test binary as a process of its own that takes and gives
// back addresses. FLATNET_IPAM_WORKER is the directory; the arguments are a
// container id and how often. Each address that it has is printed.
func worker() bool {
	dir := os.Getenv(workerEnv)
	if dir == "" {
		return false
	}
	id := os.Args[1]
	times, err := strconv.Atoi(os.Args[2])
	for i := 0; err == nil && i < times; i++ {
		err = takeAndGiveBack(dir, fmt.Sprintf("%s-%d", id, i))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

func takeAndGiveBack(dir, id string) error {
	p := wide()
	s := ipam.OpenFile(dir, ipam.Options{Pool: p, Holder: "worker", Now: time.Now})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	l, err := add(ctx, s, id, p, time.Now())
	if err != nil {
		return err
	}
	fmt.Println(l.IP)
	return s.Update(ctx, func(st *ipam.State) ([]journal.Entry, error) {
		return ipam.ReleaseAttachment(st, id, "eth0", "plugin DEL", time.Now()), nil
	})
}

// wide is a pool with room for thousands.
func wide() ipam.Pool {
	p := pool()
	p.Subnet = prefix("10.87.0.0/16")
	p.RangeStart, p.RangeEnd = addr("10.87.2.0"), addr("10.87.255.254")
	return p
}
