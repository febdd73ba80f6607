package text

import (
	"io/fs"
	"testing"

	"flatnet/core"
	"flatnet/core/say"
)

func TestErrorsAreSaidInTheCataloguesLanguage(t *testing.T) {
	inner := &core.OpError{Op: "lock", Err: fs.ErrExist, Hint: say.F("make room on the disk of %s", "/var")}
	err := &core.OpError{Op: say.F("give %s to", "10.87.1.5"), Target: "web", Err: inner}
	for _, c := range []struct {
		texts       *Texts
		whole, hint string
	}{
		{English(), "cannot give 10.87.1.5 to web: cannot lock: file already exists", "make room on the disk of /var"},
		{Japanese(), "web: 10.87.1.5 を割り当てることができません: ロックできません: ファイルはすでにあります", "/var のディスクの空きを増やしてください"},
	} {
		if got, hint := c.texts.Say(say.Of(err)), c.texts.Say(core.Hint(err)); got != c.whole || hint != c.hint {
			t.Errorf("%q, %q; want %q, %q", got, hint, c.whole, c.hint)
		}
	}
	if want := "cannot give 10.87.1.5 to web: cannot lock: file already exists"; err.Error() != want {
		t.Errorf("in logs: %q, want %q", err.Error(), want)
	}
}

func TestSentencesInJapanese(t *testing.T) {
	x := say.Join(" ", say.Sentence(say.F("%s is missing", "br0")), "net.ipv4.ip_forward is 0.")
	if got := Japanese().Say(x); got != "br0 がありません。net.ipv4.ip_forward が 0 です。" {
		t.Errorf("%q", got)
	}
}
