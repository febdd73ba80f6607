package health

import (
	"fmt"
	"net/netip"
	"strings"
)

// unseen is the finding about a look that gave nothing: unknown with the
// reason, none if it did give something.
func unseen[T any](s Seen[T], title, target string) []Finding {
	if s.Known() {
		return nil
	}
	why := s.Err
	if why == "" {
		why = "It has not been looked at."
	}
	return []Finding{{Severity: Unknown, Title: title, Detail: why, Target: target}}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// count gives "1 mistake", "2 mistakes".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
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

// sentence puts a full stop after text that has none.
func sentence(s string) string {
	if s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

func addrText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
