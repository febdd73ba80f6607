package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"flatnet/core/say"
)

// rolledBack is what the file says that holds the watcher.
const rolledBack say.Text = "rolled back to generation %d at %s"

// holdText is the file that has the watcher leave a gateway that was rolled back.
func (g *Gateway) holdText(c Change) []byte {
	text := say.F(rolledBack, c.Generation.Number, g.o.Now().Format("2006-01-02 15:04 MST"))
	return []byte(text.String() + "\n")
}

// readHold gives that file's text, nil where there is none.
func (g *Gateway) readHold() ([]byte, error) {
	text, err := readFile(g.layout.held())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// resume ends what holds the watcher back.
func (g *Gateway) resume() error {
	if err := os.Remove(g.layout.held()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Held says why nothing may be changed without a person asking for it, or "".
func (g *Gateway) Held() (say.Text, error) {
	text, err := g.readHold()
	switch {
	case err != nil:
		return "", err
	case text != nil:
		return say.Read(strings.TrimSpace(string(text)), rolledBack), nil
	}
	l, err := g.readLive()
	if err == nil && len(l.edited) > 0 {
		return wasEdited(l), nil
	}
	return "", err
}

// wasEdited names the files that are not as they were deployed.
func wasEdited(l live) say.Text {
	if len(l.edited) > 1 {
		return say.F("%s were edited by hand", strings.Join(l.edited, ", "))
	}
	return say.F("%s was edited by hand", strings.Join(l.edited, ", "))
}

// readMaintenance lists the hosts that were put into maintenance.
func (g *Gateway) readMaintenance() ([]string, error) {
	text, err := readFile(g.layout.maintenance())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var hosts []string
	if err := json.Unmarshal(text, &hosts); err != nil {
		return nil, say.Errorf("%s: %w", g.layout.maintenance(), err)
	}
	return hosts, nil
}

// SetMaintenance puts a site into maintenance or takes it out of it. It counts
// from the next deployment on. A site whose configuration says maintenance
// stays in it.
func (g *Gateway) SetMaintenance(ctx context.Context, host string, on bool) error {
	if err := g.makeFolders(); err != nil {
		return err
	}
	unlock, err := lock(ctx, g.layout.lock())
	if err != nil {
		return err
	}
	defer unlock()
	hosts, err := g.readMaintenance()
	if err != nil {
		return err
	}
	hosts = slices.DeleteFunc(hosts, func(h string) bool { return h == host })
	if on {
		hosts = append(hosts, host)
		slices.Sort(hosts)
	}
	text, err := json.Marshal(hosts)
	if err != nil {
		return err
	}
	return replaceFile(g.layout.maintenance(), text, filepath.Join(g.layout.local, ownDir))
}
