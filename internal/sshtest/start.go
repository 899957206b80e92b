package sshtest

// TB is the part of testing.TB that this package uses. The package does not import testing, because
// it is also linked into programs.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
	TempDir() string
}

// Start starts a server for the duration of a test.
func Start(t TB, config Config) *Server {
	t.Helper()
	s, err := New(config)
	if err != nil {
		t.Fatalf("sshtest: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
