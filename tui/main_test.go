package tui

import (
	"testing"

	"github.com/markus-barta/nixfleet/internal/testmain"
)

func TestMain(m *testing.M) { testmain.Run(m) }
