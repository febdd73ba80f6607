package command_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"flatnet/core/health"
	"flatnet/core/names"
	"flatnet/core/resolver"
)

// answerNames runs the resolver as watch does, until it is stopped.
func (r *rig) answerNames() {
	r.t.Helper()
	boot, err := r.kernel.BootID(r.t.Context())
	r.must(err)
	ready := make(chan struct{})
	begun := sync.OnceFunc(func() { close(ready) })
	names := resolver.New(resolver.Options{
		Config: r.config(), Boot: boot, Holder: "test", Containers: r.podman.Containers, ResolvConf: r.resolvConf(),
		Report: func(line string) {
			if strings.Contains(line, "are answered") {
				begun()
			} else {
				r.t.Log(line)
			}
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { names.Run(ctx) })
	r.stopNames = sync.OnceFunc(func() { cancel(); running.Wait() })
	r.t.Cleanup(r.stopNames)
	<-ready
}

func (r *rig) resolvConf() string { return filepath.Join(r.dir, "resolv.conf") }

func (r *rig) namesLock() string { return filepath.Join(r.config().IPAM.StateDir, names.LockName) }

func namesFaults() map[string]fault {
	var other net.PacketConn
	takePort := func(r *rig) {
		r.stopNames()
		var err error
		other, err = net.ListenPacket("udp4", "0.0.0.0:53")
		r.must(err)
	}
	leavePort := func(r *rig) {
		r.must(other.Close())
		r.answerNames()
	}
	always := func(r *rig) { r.edit("[log]", "[dns]\nenabled = true\n[log]") }
	return map[string]fault{
		"a lock of names that cannot be opened": {
			code: health.NamesUnseen, severity: health.Unknown,
			make: func(r *rig) {
				r.stopNames()
				lock := r.namesLock()
				r.must(os.Remove(lock))
				r.must(os.Symlink(lock, lock))
			},
			mend: func(r *rig) {
				r.must(os.Remove(r.namesLock()))
				r.answerNames()
			},
		},
		"port 53 taken": {
			code: health.ResolverPortTaken, severity: health.Warn, make: takePort, mend: leavePort,
		},
		"port 53 taken, and containers told to ask there": {
			code: health.ResolverPortTaken, severity: health.Fail,
			make: func(r *rig) { always(r); takePort(r) }, mend: leavePort,
		},
		"nobody answers where containers are told to ask": {
			code: health.ResolverOff, severity: health.Warn,
			make: func(r *rig) { always(r); r.stopNames() },
			mend: (*rig).answerNames,
		},
		"questions for names dropped": {
			code: health.ResolverSilent, severity: health.Fail,
			make: func(r *rig) { r.exec("iptables -A INPUT -i flatnet-br0 -p udp --dport 53 -j DROP") },
			mend: func(r *rig) { r.exec("iptables -I INPUT -i flatnet-br0 -p udp --dport 53 -j ACCEPT") },
		},
		"answers dropped on their way": {
			code: health.ResolverSilent, severity: health.Fail,
			make: func(r *rig) { r.exec("iptables -A OUTPUT -p udp --sport 53 -j DROP") },
			mend: func(r *rig) { r.exec("iptables -D OUTPUT -p udp --sport 53 -j DROP") },
		},
		"nobody to ask for other names": {
			code: health.ResolverAlone, severity: health.Warn,
			make: func(r *rig) { r.write(r.resolvConf(), "search example\n") },
			mend: func(r *rig) { r.write(r.resolvConf(), "nameserver 192.0.2.53\n") },
		},
	}
}
