package names

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"flatnet/core/config"
	"flatnet/core/ipam"
)

// Place is a network, and the directory of its state.
type Place struct {
	Subnet  netip.Prefix
	Gateway netip.Addr
	Dir     string
}

// Source reads the table from the state files, and again whenever one of them
// has changed: a name is there as soon as its lease is.
type Source struct {
	config config.Config
	boot   string

	mu      sync.Mutex
	kept    map[string]kept // by directory
	table   *Table
	changed bool // table is to be built anew
}

// kept is one state file as it was read last.
type kept struct {
	stamp stamp
	state ipam.State
	err   error
	again time.Time // after an error: not before then
}

// stamp tells whether a file may be another one than before. A state is
// replaced as a whole, so its inode or its time is new.
type stamp struct{ info os.FileInfo }

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{info}
}

func (s stamp) same(t stamp) bool {
	if s.info == nil || t.info == nil {
		return s.info == nil && t.info == nil
	}
	return os.SameFile(s.info, t.info) && s.info.ModTime().Equal(t.info.ModTime()) && s.info.Size() == t.info.Size()
}

// NewSource gives the source of a configuration's networks.
func NewSource(c config.Config, boot string) *Source {
	return &Source{config: c, boot: boot, kept: map[string]kept{}}
}

// readLimit bounds the wait for whoever is changing a state, and the time
// before a file that could not be read is tried again.
const readLimit = time.Second

// Table gives the table as the state files have it now. Where a file cannot be
// read, what it said before stands, and the error says so.
func (s *Source) Table(ctx context.Context) (*Table, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.refresh(ctx)
	if s.changed || s.table == nil {
		s.table, s.changed = s.build(), false
	}
	return s.table, err
}

// refresh reads the files that have changed.
func (s *Source) refresh(ctx context.Context) (err error) {
	for dir, was := range s.kept {
		if was.err != nil && time.Now().Before(was.again) || was.err == nil && stampOf(filepath.Join(dir, ipam.FileName)).same(was.stamp) {
			err = errors.Join(err, was.err)
			continue
		}
		next := s.read(ctx, dir)
		if next.err != nil {
			next.state, next.again = was.state, time.Now().Add(readLimit)
			err = errors.Join(err, next.err)
		}
		s.kept[dir], s.changed = next, true
	}
	return err
}

func (s *Source) read(ctx context.Context, dir string) kept {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	k := kept{stamp: stampOf(filepath.Join(dir, ipam.FileName))} // before the text: a change meanwhile is seen
	k.state, k.err = ipam.OpenFile(dir, ipam.Options{}).Read(ctx)
	return k
}

// Places gives the networks that there are: the configured one, and every
// other that has a state. It looks for new ones.
func (s *Source) Places(ctx context.Context) []Place {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.config.IPAM.StateDir
	dirs := append([]string{own}, ipam.OtherDirs(own)...)
	maps.DeleteFunc(s.kept, func(dir string, _ kept) bool {
		gone := !slices.Contains(dirs, dir)
		s.changed = s.changed || gone
		return gone
	})
	for _, dir := range dirs {
		if _, ok := s.kept[dir]; !ok {
			s.kept[dir], s.changed = s.read(ctx, dir), true
		}
	}
	var places []Place
	for _, dir := range dirs {
		if p := s.place(dir); p.Gateway.IsValid() {
			places = append(places, p)
		}
	}
	return places
}

// place is where a network is: the configured one as the configuration says,
// whatever an older state has; another one as its state says.
func (s *Source) place(dir string) Place {
	if dir == s.config.IPAM.StateDir {
		return Place{s.config.Network.Subnet, s.config.Network.Gateway, dir}
	}
	state := s.kept[dir].state
	return Place{state.Subnet, state.Gateway, dir}
}

func (s *Source) build() *Table {
	var networks []Network
	for _, dir := range slices.Sorted(maps.Keys(s.kept)) {
		k, p := s.kept[dir], s.place(dir)
		if !p.Gateway.IsValid() {
			continue
		}
		n := Network{Subnet: p.Subnet.Masked(), Gateway: p.Gateway}
		for l := range k.state.All() {
			n.Leases = append(n.Leases, l)
		}
		networks = append(networks, n)
	}
	return NewTable(networks, s.boot)
}
