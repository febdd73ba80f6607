package firewall

import (
	"context"
	"fmt"
	"os"

	"flatnet/core/kernel"
)

// Memo remembers in a file for which version of the rules Ensure found all
// well, so that as long as they do not change no program is started to read
// them again: that takes 14 ms of the processor and this 0.4, where a whole ADD
// takes 40, all on one busy machine (BenchmarkEnsureGood, BenchmarkEnsureKnown;
// BenchmarkAddDel in plugin). What is in the file is true for ever, so it needs
// no lock, and if it is lost the rules are read once more. The zero Memo
// remembers nothing.
type Memo struct {
	Path string // in a directory that only this program writes to
}

// Ensure does what the function of that name does.
func (m Memo) Ensure(ctx context.Context, k kernel.Kernel, w Want) (changed bool, err error) {
	good := m.now(ctx, k, w)
	if good != "" && m.read() == good {
		return false, nil
	}
	changed, err = Ensure(ctx, k, w)
	if good != "" && err == nil && !changed {
		m.write(good)
	}
	return changed, err
}

// now is what stands in the file if all is well; "" if that cannot be told.
func (m Memo) now(ctx context.Context, k kernel.Kernel, w Want) string {
	if m.Path == "" {
		return ""
	}
	var err error
	if w.Backend, err = k.ResolveBackend(ctx, w.Backend); err != nil {
		return ""
	}
	// Read before the rules are: a change in between makes it an old one.
	version, err := k.RulesVersion(ctx, w.Backend)
	if err != nil || version == "" {
		return ""
	}
	return fmt.Sprintf("%s %s %s %s masquerade=%t\n", version, w.Backend, w.Bridge, w.Subnet, w.Masquerade)
}

func (m Memo) read() string {
	text, err := os.ReadFile(m.Path)
	if err != nil {
		return ""
	}
	return string(text)
}

// write does its best. The text ends at its only newline, so one that was
// written by two at once, or in part, is like no other.
func (m Memo) write(text string) {
	if os.WriteFile(m.Path+".new", []byte(text), 0o600) == nil {
		_ = os.Rename(m.Path+".new", m.Path)
	}
}
