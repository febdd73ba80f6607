package leases

import (
	"context"
	"errors"
	"slices"
	"strings"

	"flatnet/core/ipam"
	"flatnet/core/kernel"
	"flatnet/core/podman"
	"flatnet/core/say"
)

// podmanWitness is what Podman said, asked once.
type podmanWitness struct {
	network    string
	err        error
	containers map[string]podman.Container // by id
}

func askPodman(ctx context.Context, s Sources) *podmanWitness {
	p := &podmanWitness{network: s.Network, containers: make(map[string]podman.Container)}
	all, err := s.Podman.Containers(ctx)
	p.err = err
	for _, c := range all {
		p.containers[c.ID] = c
	}
	return p
}

// see tells whether Podman has the container running with this attachment.
func (p *podmanWitness) see(l ipam.Lease) (ipam.Testimony, podman.Container) {
	if p.err != nil {
		return ipam.Testimony{Says: ipam.Unclear, Text: say.F("Podman could not be asked (%v)", p.err)}, podman.Container{}
	}
	c, known := p.containers[l.ContainerID]
	if !known {
		return ipam.Testimony{Says: ipam.Gone, Text: "Podman does not know the container"}, c
	}
	if !c.Running() {
		return ipam.Testimony{Says: ipam.Gone, Text: say.F("the container is %s", c.State)}, c
	}
	a, attached := c.Networks[p.network]
	switch {
	case len(c.Networks) > 0 && !attached:
		return ipam.Testimony{Says: ipam.Gone, Text: say.F("the container runs, but is not on network %s", p.network)}, c
	case a.IP.IsValid() && a.IP != l.IP:
		return ipam.Testimony{Says: ipam.Gone, Text: say.F("the container runs with %s", a.IP)}, c
	}
	return ipam.Testimony{Says: ipam.Alive, Text: say.F("the container is %s", c.State)}, c
}

// KernelWitness is what the kernel says about namespaces and links.
type KernelWitness struct {
	kernel   kernel.Kernel
	bootID   string // "" if it could not be read
	links    []kernel.Link
	linksErr error
}

// LookAtKernel reads what all leases are compared with.
func LookAtKernel(ctx context.Context, k kernel.Kernel) *KernelWitness {
	w := &KernelWitness{kernel: k}
	w.bootID, _ = k.BootID(ctx) // without it the namespaces are looked at
	w.links, w.linksErr = k.Links(ctx)
	return w
}

// See tells whether the namespace that the lease was made for is still there.
// A lease that does not say (of the old form, or rebuilt) is judged by the
// container's veth, which ends with its namespace.
func (w *KernelWitness) See(ctx context.Context, l ipam.Lease) ipam.Testimony {
	if l.BootID != "" && w.bootID != "" && l.BootID != w.bootID {
		return ipam.Testimony{Says: ipam.Gone, Text: "the lease is from an earlier boot"}
	}
	if l.NetNS == "" {
		return w.seeVeth(l)
	}
	id, err := w.kernel.Identify(ctx, l.NetNS)
	switch {
	case errors.Is(err, kernel.ErrNoNamespace):
		return ipam.Testimony{Says: ipam.Gone, Text: "its network namespace is gone"}
	case err != nil:
		return ipam.Testimony{Says: ipam.Unclear, Text: say.F("its network namespace could not be looked at (%v)", err)}
	case l.NetNSID != (kernel.NamespaceID{}) && id != l.NetNSID:
		return ipam.Testimony{Says: ipam.Gone, Text: "another network namespace is in the place of its own"}
	}
	return ipam.Testimony{Says: ipam.Alive, Text: "its network namespace is there"}
}

func (w *KernelWitness) seeVeth(l ipam.Lease) ipam.Testimony {
	if w.linksErr != nil {
		return ipam.Testimony{Says: ipam.Unclear, Text: say.F("the interfaces could not be listed (%v)", w.linksErr)}
	}
	for _, link := range w.links {
		if OfLease(link, l) {
			return ipam.Testimony{Says: ipam.Alive, Text: say.F("its interface %s is there", link.Name)}
		}
	}
	return ipam.Testimony{Says: ipam.Gone, Text: "no interface of it is there"}
}

// vethPrefix and 8 characters of the container's id name the host's end of a
// veth pair, also in installations that are older than this program.
const vethPrefix = "fn-"

// OfLease tells whether a link is, or may be, the host's end of the lease's
// veth pair.
func OfLease(link kernel.Link, l ipam.Lease) bool {
	switch {
	case link.Alias != "":
		words := strings.Fields(link.Alias) // see attach.Owner
		return slices.Contains(words, l.ContainerID) && slices.Contains(words, l.IP.String())
	case l.HostVeth != "":
		return link.Name == l.HostVeth
	}
	return link.Name == vethPrefix+l.ContainerID[:min(8, len(l.ContainerID))]
}
