package themes

import (
	"math"
	"strconv"
	"testing"
)

func channels(t *testing.T, c string) (r, g, b float64) {
	t.Helper()
	n, err := strconv.ParseUint(c[1:], 16, 32)
	if err != nil || c[0] != '#' {
		t.Fatalf("%q is no #rrggbb colour", c)
	}
	return float64(n>>16&255) / 255, float64(n>>8&255) / 255, float64(n&255) / 255
}

func linear(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}
