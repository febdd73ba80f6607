package themes

import (
	"math"
	"strconv"
	"testing"
)

func channels(t *testing.T, c string) (r, g, b float64) {
	t.Helper()
	if i, err := strconv.Atoi(c); err == nil {
		return indexed(t, i)
	}
	n, err := strconv.ParseUint(c[1:], 16, 32)
	if err != nil || c[0] != '#' {
		t.Fatalf("%q is no #rrggbb colour", c)
	}
	return float64(n>>16&255) / 255, float64(n>>8&255) / 255, float64(n&255) / 255
}

// indexed is a colour of xterm's palette: from 16 a cube of six levels, from
// 232 greys. The first sixteen are the terminal's own.
func indexed(t *testing.T, i int) (r, g, b float64) {
	t.Helper()
	switch {
	case i >= 232:
		grey := float64(8+10*(i-232)) / 255
		return grey, grey, grey
	case i >= 16:
		level := func(n int) float64 { return []float64{0, 95, 135, 175, 215, 255}[n%6] / 255 }
		return level((i - 16) / 36), level((i - 16) / 6), level(i - 16)
	}
	t.Fatalf("colour %d is the terminal's own: its contrast is not known", i)
	return 0, 0, 0
}

func linear(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}
