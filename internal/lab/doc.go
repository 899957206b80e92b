// Package lab holds tests that run fleetctl the way its operator does, on real hosts: the
// containers of testdata/lab. They need root and several minutes:
//
//	go test -tags lab ./internal/lab -v
package lab
