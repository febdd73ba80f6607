package health

import (
	"fmt"
	"net/netip"

	"flatnet/core/say"
)

// unseen is the finding about a look that gave nothing: unknown with the
// reason, none if it did give something.
func unseen[T any](s Seen[T], title say.Text, target string) []Finding {
	if s.Known() {
		return nil
	}
	return []Finding{{Severity: Unknown, Title: title, Detail: whyUnseen(s), Target: target}}
}

// whyUnseen is why a look gave nothing.
func whyUnseen[T any](s Seen[T]) say.Text {
	if s.Err == "" {
		return "It has not been looked at."
	}
	return s.Err
}

func yesNo(b bool) say.Text {
	if b {
		return "yes"
	}
	return "no"
}

func orNone(s string) say.Text {
	if s == "" {
		return "none"
	}
	return say.Data(s)
}

// bytesText gives a size as df -h does, with the unit spelt out.
func bytesText(n uint64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	size, exp := float64(n)/unit, 0
	for size >= unit && exp < 4 {
		size /= unit
		exp++
	}
	return fmt.Sprintf("%.1f %ciB", size, "KMGTP"[exp])
}

func addrText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
