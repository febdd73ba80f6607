package text

import (
	"encoding/json"
	"strings"
	"testing"

	"flatnet/core"
	"flatnet/core/say"
)

// What a bundle holds is English; shown again it is in the catalogue's language.
func TestWhatWasWrittenDownIsReadAgain(t *testing.T) {
	why := &core.OpError{Op: "make the bridge", Target: "flatnet-br0", Err: say.New("not permitted")}
	for _, x := range []say.Text{
		"the bridge is there",
		say.F("%s is missing", "flatnet-br0"),
		say.F("the lease of %s is stale", "10.87.1.7"),
		say.Sentence(say.F("its interface %s is there", "eth0")),
		say.Join(" ", say.F("WSL's address is %s, its mode %s.", "172.29.112.5", "nat"), "route print shows no route to the subnet."),
		say.Join("; ", say.F("container %s was removed", "web"), say.F("there is no container %s", "db")),
		say.Join("\n", "nginx is not running", say.F("its include of %s was not found", "x.conf")),
		say.F("Podman could not be asked (%v)", say.New("context deadline exceeded")),
		say.Of(why),
		say.Data("web-1 /srv/data"),
		say.Data("nothing that Flatnet says: just words"),
	} {
		written, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		var read say.Text
		if err := json.Unmarshal(written, &read); err != nil {
			t.Fatal(err)
		}
		if got, want := Japanese().SayAll(read), Japanese().SayAll(x); got != want {
			t.Errorf("%s is shown as %q, want %q", written, got, want)
		}
		if got := English().SayAll(read); got != x.String() {
			t.Errorf("%s is shown as %q in English", written, got)
		}
	}
}

// What no catalogue has stays as it is.
func TestWhatIsNotKnownStays(t *testing.T) {
	bare := &Texts{forms: formsOf(nil)}
	if got := bare.Say("no such file or directory"); got != "no such file or directory" {
		t.Errorf("%q", got)
	}
}

// A text longer than any of ours would only cost time.
func TestLongTextIsNotRead(t *testing.T) {
	known := "the bridge is there"
	if x, ok := Japanese().read(known); !ok || x == "" {
		t.Fatalf("%q is not known", known)
	}
	if x, ok := Japanese().read(strings.Repeat(known+". ", 30)); ok {
		t.Errorf("read as %q", x)
	}
}

// FuzzRead: whatever was written down, it is read without a panic, and in no
// more time than a screen has.
func FuzzRead(f *testing.F) {
	ja := Japanese()
	f.Add("a: b; c. d\ne is missing.")
	f.Fuzz(func(t *testing.T, s string) {
		var x say.Text
		if err := x.UnmarshalText([]byte(s)); err != nil || x.String() != s {
			t.Fatalf("%q, %v", x, err)
		}
		_ = ja.SayAll(x)
		if back, ok := ja.read(s); ok && back.String() != s {
			t.Errorf("%q is read as %q", s, back.String())
		}
	})
}
