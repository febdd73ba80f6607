package podman

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"flatnet/testdata/program"
)

// nginxConf serves one page, and its log is the container's.
const nginxConf = `daemon off;
user root;
worker_processes 1;
error_log /dev/stderr warn;
pid /run/nginx.pid;
events {}
http {
    access_log off;
    default_type text/html;
    server { listen 80; root /usr/share/nginx/html; }
}
`

// applets are the commands of busybox that the images have.
var applets = []string{"sh", "sleep", "ping", "ip", "cat", "ls", "nc", "httpd", "hostname", "head", "grep", "kill"}

// importImages makes the images from programs of this machine.
func (p *Podman) importImages() {
	p.t.Helper()
	p.importImage(Nginx, p.nginxRoot(), `CMD ["/usr/sbin/nginx"]`)
	base := p.baseRoot()
	p.importImage(Postgres, base, `CMD ["/bin/sleep", "3600"]`)
}

func (p *Podman) importImage(name string, root *rootfs, change string) {
	p.t.Helper()
	cmd := p.Command("import", "--quiet", "--change", change, "-", name)
	cmd.Stdin = root.done()
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("import %s: %v\n%s", name, err, out)
	}
}

// baseRoot is busybox, a wget and a lookup.
func (p *Podman) baseRoot() *rootfs {
	p.t.Helper()
	r := newRootfs(p.t)
	r.copy("/bin/busybox", busybox(p.t))
	for _, a := range applets {
		r.link("/bin/"+a, "busybox")
	}
	r.copy("/bin/wget", program.Build(p.t, "flatnet/testdata/podman/wget"))
	r.copy("/bin/lookup", program.Build(p.t, "flatnet/testdata/podman/lookup"))
	r.text("/etc/passwd", "root:x:0:0:root:/:/bin/sh\n")
	r.text("/etc/group", "root:x:0:\n")
	for _, d := range []string{"/tmp/", "/run/", "/var/log/nginx/", "/var/lib/nginx/", "/proc/", "/sys/", "/dev/"} {
		r.dir(d)
	}
	return r
}

// nginxRoot is the base and Debian's nginx with its libraries.
func (p *Podman) nginxRoot() *rootfs {
	p.t.Helper()
	r := p.baseRoot()
	const nginx = "/usr/sbin/nginx"
	r.copy(nginx, nginx)
	libs, err := exec.Command("ldd", nginx).Output()
	if err != nil {
		p.t.Fatalf("ldd %s: %v", nginx, err)
	}
	for _, path := range regexp.MustCompile(`/\S+`).FindAllString(string(libs), -1) {
		r.copy(path, path)
	}
	r.text("/etc/nginx/nginx.conf", nginxConf)
	r.text("/usr/share/nginx/html/index.html", "<html><body>Welcome to nginx!</body></html>\n")
	return r
}

func busybox(t testing.TB) string {
	path, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal("busybox is not installed (Debian: busybox-static)")
	}
	return path
}

// rootfs is an image's files, as a tar.
type rootfs struct {
	t    testing.TB
	buf  bytes.Buffer
	tar  *tar.Writer
	seen map[string]bool
}

func newRootfs(t testing.TB) *rootfs {
	r := &rootfs{t: t, seen: map[string]bool{}}
	r.tar = tar.NewWriter(&r.buf)
	return r
}

func (r *rootfs) add(h *tar.Header, data []byte) {
	r.t.Helper()
	if r.seen[h.Name] {
		return
	}
	r.seen[h.Name] = true
	h.Name = h.Name[1:]
	h.Size = int64(len(data))
	err := r.tar.WriteHeader(h)
	if err == nil {
		_, err = r.tar.Write(data)
	}
	if err != nil {
		r.t.Fatalf("image: %v", err)
	}
}

func (r *rootfs) dir(path string) {
	r.add(&tar.Header{Name: path, Typeflag: tar.TypeDir, Mode: 0o755}, nil)
}

func (r *rootfs) link(path, to string) {
	r.add(&tar.Header{Name: path, Typeflag: tar.TypeSymlink, Linkname: to, Mode: 0o777}, nil)
}

func (r *rootfs) text(path, text string) {
	r.add(&tar.Header{Name: path, Typeflag: tar.TypeReg, Mode: 0o644}, []byte(text))
}

func (r *rootfs) copy(path, from string) {
	r.t.Helper()
	data, err := os.ReadFile(filepath.Clean(from))
	if err != nil {
		r.t.Fatalf("image: %v", err)
	}
	r.add(&tar.Header{Name: path, Typeflag: tar.TypeReg, Mode: 0o755}, data)
}

func (r *rootfs) done() io.Reader {
	r.t.Helper()
	if err := r.tar.Close(); err != nil {
		r.t.Fatalf("image: %v", err)
	}
	return &r.buf
}
