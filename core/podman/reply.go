package podman

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"flatnet/core/say"
)

// listed is a container as a list has it: with the names of its networks, but
// no addresses.
type listed struct {
	id, name, state string
	labels          map[string]string
	created         time.Time
	started         int64 // seconds since 1970
	networks        []string
}

// hasAddress tells whether it may hold an address, which is while it runs.
func (l listed) hasAddress() bool {
	return len(l.networks) > 0 && Container{State: l.state}.Running()
}

// key changes when the addresses may have changed.
func (l listed) key() string {
	return strconv.FormatInt(l.started, 10) + " " + strings.Join(l.networks, " ")
}

// without gives its networks, without addresses.
func (l listed) without() map[string]Attachment {
	networks := make(map[string]Attachment, len(l.networks))
	for _, n := range l.networks {
		networks[n] = Attachment{}
	}
	return networks
}

func (l listed) container(d details) Container {
	return Container{
		ID: l.id, Name: l.name, State: l.state, Labels: l.labels, CreatedAt: l.created,
		Networks: d.networks, NameServers: d.nameServers,
	}
}

// parseList reads the containers of "containers/json" and of
// "podman ps --format json", which write times differently.
func parseList(data []byte) ([]listed, error) {
	var raw []struct {
		ID        string `json:"Id"`
		Names     []string
		State     string
		Labels    map[string]string
		Created   moment
		StartedAt int64
		Networks  []string
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, err
	}
	if raw == nil {
		return nil, say.New("it is not a list")
	}
	all := make([]listed, 0, len(raw))
	for _, r := range raw {
		if !isID(r.ID) {
			return nil, say.Errorf("a container has the id %.20q", r.ID)
		}
		l := listed{id: r.ID, state: r.State, labels: r.Labels, created: time.Time(r.Created), started: r.StartedAt}
		if len(r.Names) > 0 {
			l.name = r.Names[0]
		}
		l.networks = slices.Sorted(slices.Values(r.Networks))
		all = append(all, l)
	}
	return all, nil
}

// isID tells whether s can be a container's id. Podman's are 64 hex digits.
func isID(s string) bool {
	return s != "" && len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z')
	})
}

// moment is RFC 3339 text or seconds since 1970.
type moment time.Time

func (m *moment) UnmarshalJSON(data []byte) error {
	if seconds, err := strconv.ParseInt(string(data), 10, 64); err == nil {
		*m = moment(time.Unix(seconds, 0).UTC())
		return nil
	}
	var t time.Time
	if err := json.Unmarshal(data, &t); err != nil {
		return err
	}
	*m = moment(t)
	return nil
}

// inspected is the part of an inspection that is used.
type inspected struct {
	ID              string `json:"Id"`
	NetworkSettings struct {
		Networks map[string]struct{ IPAddress string }
	}
	HostConfig struct {
		DNS []string `json:"Dns"`
	}
}

// details is what the list lacks of a container.
type details struct {
	networks    map[string]Attachment
	nameServers []netip.Addr
}

func (i inspected) details() details {
	d := details{networks: make(map[string]Attachment, len(i.NetworkSettings.Networks))}
	for name, n := range i.NetworkSettings.Networks {
		ip, _ := netip.ParseAddr(n.IPAddress) // "" while there is none
		d.networks[name] = Attachment{IP: ip}
	}
	for _, text := range i.HostConfig.DNS {
		if ip, err := netip.ParseAddr(text); err == nil && len(d.nameServers) < maxNameServers {
			d.nameServers = append(d.nameServers, ip)
		}
	}
	return d
}

// maxNameServers bounds the servers of one container.
const maxNameServers = 8

func parseInspect(data []byte) (details, error) {
	var one inspected
	if err := json.Unmarshal(data, &one); err != nil {
		return details{}, err
	}
	if !isID(one.ID) {
		return details{}, say.New("it is no container")
	}
	return one.details(), nil
}

// parseInfo reads "info". Podman 3 does not name its backend, and has CNI
// alone.
func parseInfo(data []byte) (Info, error) {
	var raw struct {
		Host    struct{ NetworkBackend string }
		Version struct{ Version string }
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return Info{}, err
	}
	if raw.Version.Version == "" {
		return Info{}, say.New("it has no version")
	}
	info := Info{Version: raw.Version.Version, NetworkBackend: raw.Host.NetworkBackend}
	if info.NetworkBackend == "" {
		info.NetworkBackend = "cni"
	}
	return info, nil
}
