package text

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"golang.org/x/tools/go/packages"

	"flatnet/core/say"
)

// saidStays are texts of core that are the same in both languages: what has no
// words of its own.
var saidStays = []string{"FORWARD", "HTTP %d", "UTF-8", "ip_forward", "iptables: %w", `kind = "http"`, "null", "route.exe: %w: %w", "veth", "%w: /mnt: %w"}

// TestJapaneseSaysAllOfCore holds the catalogue to the texts that the code can
// say: each constant of type say.Text, found by the compiler's own types.
func TestJapaneseSaysAllOfCore(t *testing.T) {
	ja := Japanese().Said
	found := saidInCode(t)
	for english, where := range found {
		j, ok := ja[english]
		switch {
		case !hasWords(english):
		case !ok:
			t.Errorf("%s: %q has no Japanese: add it to japaneseSaid in tui/text", where, english)
		case j == english && !slices.Contains(saidStays, english):
			t.Errorf("%s: %q is not translated, and not on the list of words that stay", where, english)
		}
	}
	for english, j := range ja {
		if _, ok := found[english]; !ok {
			t.Errorf("%q has Japanese and is said nowhere: take it out of japaneseSaid in tui/text", english)
		}
		if e, v := say.Verbs(english), say.Verbs(j); !slices.Equal(e, v) {
			t.Errorf("%q fills in %v, and its Japanese %q %v", english, e, j, v)
		}
		if hasWords(english) && strings.HasSuffix(english, ".") != strings.HasSuffix(j, "。") {
			t.Errorf("%q and its Japanese %q do not both end as a sentence", english, j)
		}
	}
	for _, w := range saidStays {
		if ja[w] != w {
			t.Errorf("%q is on the list of words that stay, and its Japanese is another", w)
		}
	}
}

// hasWords tells whether a format says something besides what it fills in.
func hasWords(english string) bool {
	for _, v := range say.Verbs(english) {
		english = strings.Replace(english, v, "", 1)
	}
	english = strings.ReplaceAll(english, "%w", "")
	return strings.IndexFunc(english, unicode.IsLetter) >= 0
}

// saidInCode gives every text that the code can say, and where.
func saidInCode(t *testing.T) map[string]token.Position {
	t.Helper()
	found := map[string]token.Position{}
	for _, p := range load(t) {
		for _, file := range p.Syntax {
			ast.Inspect(file, func(n ast.Node) bool {
				e, ok := n.(ast.Expr)
				if !ok {
					return true
				}
				tv := p.TypesInfo.Types[e]
				if !isText(tv.Type) || tv.Value == nil {
					if why := unsound(p.TypesInfo, n); why != "" && p.PkgPath != "flatnet/core/say" {
						t.Errorf("%s: %s", p.Fset.Position(n.Pos()), why)
					}
					return true
				}
				if s := constant.StringVal(tv.Value); s != "" {
					found[s] = p.Fset.Position(n.Pos())
				}
				return false // the whole counts, not its parts
			})
		}
	}
	return found
}

// unsound says why a catalogue would not know what an expression says.
func unsound(info *types.Info, n ast.Node) string {
	switch e := n.(type) {
	case *ast.BinaryExpr:
		if e.Op == token.ADD && isText(info.Types[e.X].Type) {
			return "texts are not added: use say.F or say.Join"
		}
	case *ast.CallExpr:
		into := info.Types[e.Fun]
		if len(e.Args) == 1 && into.IsType() {
			return conversion(into.Type, info.Types[e.Args[0]])
		}
		return miscounted(info, e)
	}
	return ""
}

func conversion(into types.Type, of types.TypeAndValue) string {
	switch {
	case isText(into) && of.Value == nil && !isText(of.Type):
		return "only a constant is a text: use say.Data for what is not ours"
	case isText(of.Type) && !isText(into):
		return "a text's string is what String gives"
	}
	return ""
}

// miscounted compares the verbs of a constant format with the arguments.
func miscounted(info *types.Info, call *ast.CallExpr) string {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || call.Ellipsis.IsValid() || len(call.Args) == 0 {
		return ""
	}
	f, ok := info.Uses[selector.Sel].(*types.Func)
	if !ok || f.Pkg() == nil || f.Pkg().Path() != "flatnet/core/say" || f.Name() != "F" && f.Name() != "Errorf" {
		return ""
	}
	format := info.Types[call.Args[0]].Value
	if format != nil && len(say.Verbs(constant.StringVal(format))) != len(call.Args)-1 {
		return "the format has another number of verbs than there are arguments"
	}
	return ""
}

func isText(t types.Type) bool {
	named, ok := t.(*types.Named)
	return ok && named.Obj().Name() == "Text" && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "flatnet/core/say"
}

// load reads and types our code once.
func load(t *testing.T) []*packages.Package {
	t.Helper()
	all, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		for _, e := range p.Errors {
			t.Fatal(e)
		}
	}
	if len(all) < 10 {
		t.Fatalf("only %d packages were read", len(all))
	}
	return all
}

var loaded = sync.OnceValues(func() ([]*packages.Package, error) {
	mode := packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo
	return packages.Load(&packages.Config{Mode: mode, Dir: "../.."}, "flatnet/core/...", "flatnet/tui/...")
})
