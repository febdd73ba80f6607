package widget

// Mark marks the row under the cursor, or takes its mark away, and goes on to
// the next.
func (t *Table) Mark() {
	key := t.Key()
	if key == "" {
		return
	}
	if t.marks[key] {
		delete(t.marks, key)
	} else {
		t.marks[key] = true
	}
	t.Move(1)
}

// MarkAll marks every row that passes the filter; if all of them are marked,
// it takes all marks away.
func (t *Table) MarkAll() {
	all := true
	for _, n := range t.shown {
		key := t.rows.rows[n].Key
		all = all && t.marks[key]
	}
	for _, n := range t.shown {
		if key := t.rows.rows[n].Key; all {
			delete(t.marks, key)
		} else {
			t.marks[key] = true
		}
	}
}

// Marked is the number of marked rows.
func (t *Table) Marked() int { return len(t.marks) }

// Marks gives the keys of the marked rows, in the rows' own order.
func (t *Table) Marks() []string {
	keys := make([]string, 0, len(t.marks))
	for i := range t.rows.rows {
		if key := t.rows.rows[i].Key; t.marks[key] {
			keys = append(keys, key)
		}
	}
	return keys
}

// Unmark takes all marks away.
func (t *Table) Unmark() { clear(t.marks) }
