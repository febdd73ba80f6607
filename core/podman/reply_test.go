package podman

import (
	"testing"
)

// Whatever Podman's answer is, reading it ends, and each container that comes
// out of it has an id that is safe in a URL.
func FuzzReply(f *testing.F) {
	f.Add([]byte(`[{"Id":"ab","Names":["a"],"State":"running","Labels":{"a":"b"},"Created":"2026-11-23T20:37:27Z","Networks":["flatnet"]}]`))
	f.Add([]byte(`{"Id":"ab","NetworkSettings":{"Networks":{"flatnet":{"IPAddress":"10.87.1.2"}}}}`))
	f.Add([]byte(`{"host":{"networkBackend":"cni"},"version":{"Version":"4.3.1"}}`))
	f.Add([]byte(`{"Action":"start","Actor":{"ID":"ab","Attributes":{"name":"a"}},"timeNano":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := parseList(data)
		if err != nil && all != nil {
			t.Error("containers beside an error")
		}
		for _, l := range all {
			if !isID(l.id) {
				t.Errorf("id %q", l.id)
			}
			_ = l.container(details{networks: l.without()})
		}
		if d, err := parseInspect(data); err == nil && d.networks == nil {
			t.Error("no networks, and no error")
		}
		if info, err := parseInfo(data); err == nil && (info.Version == "" || info.NetworkBackend == "") {
			t.Errorf("%+v", info)
		}
		_, _ = parseEvent(data)
	})
}
