package command_test

import (
	"testing"

	"flatnet/testdata/nettest"
)

func TestMain(m *testing.M) { nettest.Main(m) }
