package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
)

// live is what nginx would load now.
type live struct {
	number int      // 0: none, or not one of ours
	have   Files    // what is in place; nil: nothing is
	files  Files    // of generation number, as it is kept; nil if it is not
	edited []string // files in place that are not as they were deployed, or are gone
}

var (
	staticHead = regexp.MustCompile(`^# Flatnet, generation ([0-9]{1,9}), static mode\.`)
	luaHome    = regexp.MustCompile(`package\.loaded\["flatnet_([0-9a-f]{12})"\]`)
)

// readLive reads what is deployed and compares it with what was kept of it.
func (g *Gateway) readLive() (live, error) {
	var l live
	conf, err := readFile(g.layout.live())
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return l, err
	}
	l.have = Files{confName: conf}
	if m := staticHead.FindSubmatch(conf); m != nil {
		l.number, _ = strconv.Atoi(string(m[1]))
	} else if sum := luaSum(conf); sum != "" {
		if l.number, err = g.readLua(sum, l.have); err != nil {
			return l, err
		}
	}
	if l.files, err = g.store.files(l.number); err != nil && !errors.Is(err, ErrNoGeneration) {
		return l, err
	}
	if l.files == nil {
		l.edited = []string{g.layout.live()}
	}
	for _, name := range slices.Sorted(maps.Keys(l.files)) {
		if !bytes.Equal(l.files[name], l.have[name]) {
			l.edited = append(l.edited, g.layout.place(name, luaSum(conf)))
		}
	}
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

// readLua adds what a configuration of lua mode reads, and gives the generation
// that its table is of.
func (g *Gateway) readLua(sum string, have Files) (number int, err error) {
	for _, name := range []string{luaName, routesName} {
		text, err := readFile(g.layout.place(name, sum))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
		if err == nil {
			have[name] = text
		}
	}
	var t struct {
		Generation int `json:"generation"`
	}
	if err := json.Unmarshal(have[routesName], &t); err != nil {
		return 0, nil // it is no table of ours
	}
	return t.Generation, nil
}
