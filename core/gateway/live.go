package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
)

// live is what nginx would load now.
type live struct {
	number int    // 0: none, or not one of ours
	text   []byte // of conf.d/flatnet.conf; nil: there is none
	routes []byte // of routes.json in lua mode
	files  Files  // of generation number, as it is kept; nil if it is not
	edited bool   // text or routes are not what was deployed
}

var (
	staticHead = regexp.MustCompile(`^# Flatnet, generation ([0-9]{1,9}), static mode\.`)
	luaHome    = regexp.MustCompile(`package\.loaded\["flatnet_([0-9a-f]{12})"\]`)
)

// readLive reads what is deployed and compares it with what was kept of it.
func (g *Gateway) readLive() (live, error) {
	var l live
	text, err := readFile(g.layout.live())
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return l, err
	}
	l.text = text
	if m := staticHead.FindSubmatch(text); m != nil {
		l.number, _ = strconv.Atoi(string(m[1]))
	} else if sum := luaSum(text); sum != "" {
		l.routes, l.number = g.readRoutes(sum)
	}
	if l.files, err = g.store.files(l.number); err != nil && !errors.Is(err, ErrNoGeneration) {
		return l, err
	}
	l.edited = l.files == nil || !bytes.Equal(l.files.Conf(), l.text) || !bytes.Equal(l.files[routesName], l.routes)
	return l, nil
}

// luaSum gives the hash by which a configuration of lua mode names its folder,
// "" for one of static mode.
func luaSum(conf []byte) string {
	if m := luaHome.FindSubmatch(conf); m != nil {
		return string(m[1])
	}
	return ""
}

func (g *Gateway) readRoutes(sum string) (text []byte, number int) {
	text, err := readFile(filepath.Join(g.layout.lua(sum), routesName))
	if err != nil {
		return nil, 0
	}
	var t struct {
		Generation int `json:"generation"`
	}
	if err := json.Unmarshal(text, &t); err != nil {
		return text, 0
	}
	return text, t.Generation
}
