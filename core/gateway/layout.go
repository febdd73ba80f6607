package gateway

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"flatnet/core"
	"flatnet/core/config"
	"flatnet/core/say"
)

// Folders below the gateway's configuration folder.
const (
	confDir  = "conf.d"  // what nginx.conf includes (seed 4.2)
	ownDir   = "flatnet" // generations, and what else belongs to flatnet-tui
	luaDir   = "lua"     // below ownDir: what the deployed configuration reads in lua mode
	mainName = "nginx.conf"
	testRun  = "nginx.flatnet-test.conf" // beside nginx.conf: relative includes start there
)

// layout says where everything is, as this machine sees it and as nginx does.
type layout struct {
	local string // config.Gateway.ConfigDir
	nginx string // config.Gateway.WindowsPath, with forward slashes
}

func layoutOf(c config.Gateway) layout {
	return layout{local: path.Clean(c.ConfigDir), nginx: strings.TrimSuffix(c.WindowsPath, "/")}
}

func (l layout) main() string        { return filepath.Join(l.local, mainName) }
func (l layout) live() string        { return filepath.Join(l.local, confDir, confName) }
func (l layout) generations() string { return filepath.Join(l.local, ownDir, "generations") }
func (l layout) kept() string        { return filepath.Join(l.local, ownDir, "kept") }
func (l layout) lock() string        { return filepath.Join(l.local, ownDir, "lock") }
func (l layout) maintenance() string { return filepath.Join(l.local, ownDir, "maintenance.json") }
func (l layout) held() string        { return filepath.Join(l.local, ownDir, "held") }
func (l layout) lua(sum string) string {
	return filepath.Join(l.local, ownDir, luaDir, sum)
}

// place is where one of a generation's files goes; sum is that of its
// configuration in lua mode.
func (l layout) place(name, sum string) string {
	if name == confName {
		return l.live()
	}
	return filepath.Join(l.lua(sum), name)
}

// mainSeen and include are what nginx is told.
func (l layout) mainSeen() string { return path.Join(l.nginx, mainName) }
func (l layout) include() string  { return path.Join(l.nginx, confDir, "*.conf") }

// seen turns a path below local into nginx's name for it.
func (l layout) seen(local string) string {
	rest, err := filepath.Rel(l.local, local)
	if err != nil {
		return local
	}
	return path.Join(l.nginx, filepath.ToSlash(rest))
}

var drivePath = regexp.MustCompile(`^([A-Za-z]):/(.*)$`)

// reach turns a path of nginx's into one of this machine's; false where it
// cannot be seen from here.
func (l layout) reach(seen string) (string, bool) {
	if rest, ok := strings.CutPrefix(seen, l.nginx+"/"); ok {
		return filepath.Join(l.local, filepath.FromSlash(rest)), true
	}
	if m := drivePath.FindStringSubmatch(seen); m != nil {
		drive := "/mnt/" + strings.ToLower(m[1])
		_, err := os.Stat(drive)
		return filepath.Join(drive, m[2]), err == nil
	}
	return seen, l.nginx == l.local
}

var onDrive = regexp.MustCompile(`^/mnt/[a-z](/|$)`)

// checkDrive says that the Windows drive that local is on is not mounted:
// making folders there would fill this machine's own disk, unseen by nginx.
func (l layout) checkDrive() error {
	if !onDrive.MatchString(l.local) {
		return nil
	}
	drive := l.local[:len("/mnt/x")]
	var on, below syscall.Stat_t
	err := syscall.Stat(drive, &on)
	if err == nil {
		err = syscall.Stat("/mnt", &below)
	}
	if err == nil && on.Dev != below.Dev {
		return nil
	}
	return &core.OpError{
		Op: "use the gateway's folder", Target: l.local,
		Err:  say.Errorf("%w: nothing is mounted at %s", ErrNoDrive, drive),
		Hint: say.F("mount it (sudo mount -t drvfs %s: %s), or set gateway.config_dir", strings.ToUpper(drive[5:]), drive),
	}
}
