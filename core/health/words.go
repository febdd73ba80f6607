package health

// unseen is the finding about a look that gave nothing: unknown with the
// reason, none if it did give something.
func unseen[T any](s Seen[T], title, target string) []Finding {
	if s.Known() {
		return nil
	}
	why := s.Err
	if why == "" {
		why = "It has not been looked at yet."
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
