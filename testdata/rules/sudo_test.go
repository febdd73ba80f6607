package rules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// needsRoot matches commands that a person is told to run and that want root.
// A container's name or a flag may follow; what only prints is not here.
var needsRoot = regexp.MustCompile(`\b(` + strings.Join([]string{
	`flatnet-tui (init|undo|doctor|status|path|bundle|watch >|migrate --|bridge apply|firewall (apply|diff|show)|route apply|config edit|leases [lr]\w+|gateway (apply|rollback|diff|list|maintenance|render|hosts))`,
	`podman (restart|start|logs|ps|stats|network (create -|rm|inspect)|system)`,
	`systemctl (enable|restart|start|disable)`, `sysctl -w`, `ip link (set|delete)`, `ip address (add|del)`, `iptables(-legacy|-nft)? -[A-Z]`,
	`update-alternatives`, `apt(-get)? install`, `mount -t`, `chmod \d`, `hwclock -`, `timedatectl set`,
}, "|") + `)`)

// withoutSudo gives the commands in text that want root and are not written
// with sudo.
func withoutSudo(text string) []string {
	var bare []string
	for _, at := range needsRoot.FindAllStringIndex(text, -1) {
		if before := text[:at[0]]; !strings.HasSuffix(before, "sudo ") && !strings.HasSuffix(before, "sudo sh -c '") {
			bare = append(bare, text[at[0]:at[1]])
		}
	}
	return bare
}

// TestDocsAndRemediesSaySudo: whoever copies a command out of a remedy, a hint
// or a page is an ordinary user of WSL: where it needs root it says so, always.
func TestDocsAndRemediesSaySudo(t *testing.T) {
	for _, dir := range []string{"core", "plugin", "tui"} {
		eachFile(t, dir, ".go", func(path string) {
			if !strings.HasSuffix(path, "_test.go") {
				checkLiterals(t, path)
			}
		})
	}
	eachFile(t, "docs", ".md", func(path string) {
		if strings.HasSuffix(path, "reference/commands.md") { // it lists the commands themselves
			return
		}
		checkPage(t, path)
	})
	checkPage(t, filepath.Join("..", "..", "README.md"))
}

func eachFile(t *testing.T, dir, ext string, f func(path string)) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join("..", "..", dir), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) == ext {
			f(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkPage(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		for _, bare := range withoutSudo(line) {
			t.Errorf("%s:%d: %q needs root: write it with sudo", path, n, bare)
		}
	}
}

// checkLiterals looks at the strings of a Go file. A literal that begins with a
// command is a step of a plan, which the program does itself, unless it is a
// hint.
func checkLiterals(t *testing.T, path string) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	hints := map[ast.Expr]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if kv, ok := n.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "Hint" {
				hints[kv.Value] = true
			}
		}
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		if at := needsRoot.FindStringIndex(lit.Value); at != nil && at[0] == 1 && !hints[lit] {
			return true
		}
		for _, bare := range withoutSudo(lit.Value) {
			t.Errorf("%s: %q needs root: write it with sudo", files.Position(lit.Pos()), bare)
		}
		return true
	})
}
