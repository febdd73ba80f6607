package command

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"time"

	"flatnet/core/config"
	"flatnet/themes"
	"flatnet/tui"
)

// live is a console on real parts: what runs beside it, and the configuration
// that both work with until the file says something else.
type live struct {
	app     *App
	options ConsoleOptions
	begin   func(p *Parts) (end func()) // runs probes and follower beside the console

	mu     sync.Mutex // reloads come one at a time, and the end after them
	end    func()
	config config.Config
	stamp  stamp
}

// stamp tells whether a file may have changed, without reading it.
type stamp struct {
	modified time.Time
	size     int64
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{modified: info.ModTime(), size: info.Size()}
}

// start runs what belongs to p and gives the console's options.
func (l *live) start(p *Parts) tui.Options {
	l.end, l.config, l.stamp = l.begin(p), p.Config, stampOf(l.app.configPlace())
	return l.of(p)
}

// of gives the console's options for p.
func (l *live) of(p *Parts) tui.Options {
	o := p.console(l.options)
	o.Environ, o.In, o.Out = l.app.Environ, l.app.In, l.app.Out
	o.Reload = l.reload
	own, err := themes.Load(themeDir())
	o.Themes = own
	if err != nil {
		o.Notice = err.Error()
	}
	return o
}

// themeDir is where a user's own themes are; "" where there is no home.
func themeDir() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "flatnet", "themes")
}

// reload takes a changed configuration up: new parts are made and what runs
// beside the console is begun anew. A wrong file changes nothing.
func (l *live) reload(context.Context) (tui.Options, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := stampOf(l.app.configPlace())
	if now == l.stamp {
		return tui.Options{}, false, nil
	}
	c, err := config.Load(l.app.configPath)
	if err != nil {
		return tui.Options{}, false, err
	}
	l.stamp = now
	if reflect.DeepEqual(c, l.config) {
		return tui.Options{}, false, nil
	}
	p, err := l.app.Open(c)
	if err != nil {
		return tui.Options{}, false, err
	}
	l.end()
	l.end, l.config = l.begin(p), c
	return l.of(p), true, nil
}

// stop ends what runs beside the console.
func (l *live) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end()
}
