package handbook

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCommands(t *testing.T) {
	page := Page{Text: "# T\n\nRun `sudo flatnet-tui` or `flatnet-tui status`; `flatnet-tui` is a name.\n\n" +
		"    sudo podman run \\\n        -d x   # why\n    browser -> gateway\n\n" +
		"```sh\nls | wc -l\n```\n\n```\n10.87.1.2\n```\n\n```toml\nhost = \"x\"\n```\n\n```\nsudo podman ps\n```\n| `x.ps1 -Remove` | `x.ps1` |\n"}
	want := []Command{
		{3, InText, "", "flatnet-tui"},
		{3, InText, "", "flatnet-tui status"},
		{5, InBlock, "", "podman run -d x"},
		{10, InBlock, "sh", "ls | wc -l"},
		{22, InBlock, "", "podman ps"},
		{24, InText, "", "x.ps1 -Remove"},
	}
	if diff := cmp.Diff(want, page.Commands()); diff != "" {
		t.Error(diff)
	}
}

func TestBlocks(t *testing.T) {
	page := Page{Text: "## One\n\n```sh\na\nb\n```\n\n```\nout …\n…\n```\n\n## Two\n\n```powershell\nc\n```\n\n```sh\nd\n```\n"}
	want := []Block{{4, "One", "a\nb", []string{"out …"}}, {20, "Two", "d", nil}}
	if diff := cmp.Diff(want, page.Blocks()); diff != "" {
		t.Error(diff)
	}
}
