package sshexec_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/markus-barta/nixfleet/sshexec"
)

// Example runs a script with arguments on a host, as `ssh web` would reach it.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	pool := sshexec.NewPool(sshexec.Options{})
	defer pool.Close()
	conn, err := pool.Dial(ctx, sshexec.Target{Name: "web"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer conn.Close()
	status, err := conn.Run(ctx, sshexec.Command{
		Script: `df -P "$1" | tail -1`,
		Args:   []string{"/var/log with spaces"},
		Stdout: os.Stdout,
		Stderr: os.Stderr,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	fmt.Println("exit status", status)
}

// ExampleError_Offline distinguishes a host that may only be away from one that needs the operator.
func ExampleError_Offline() {
	pool := sshexec.NewPool(sshexec.Options{})
	defer pool.Close()
	_, err := pool.Dial(context.Background(), sshexec.Target{Name: "web", Timeout: 5 * time.Second})
	var failure *sshexec.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Kind, failure.Offline(), failure.Hint())
	}
}

// ExamplePool_Accept accepts an unknown host key after the operator has compared its fingerprint.
func ExamplePool_Accept() {
	pool := sshexec.NewPool(sshexec.Options{})
	defer pool.Close()
	_, err := pool.Dial(context.Background(), sshexec.Target{Name: "web"})
	if key := sshexec.AsUnknownKey(err); key != nil {
		fmt.Printf("%s has the %s key %s\n", key.HostName, key.Type, key.Fingerprint)
		if err := pool.Accept(key); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

// ExamplePool_Resolve shows where the settings of a host come from.
func ExamplePool_Resolve() {
	pool := sshexec.NewPool(sshexec.Options{})
	defer pool.Close()
	settings, err := pool.Resolve(context.Background(), sshexec.Target{Name: "web"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	fmt.Println(settings.Address(), settings.Origins["Port"])
}

// ExamplePool_UnknownKeys asks about the unknown keys of many hosts at once, before it connects to
// them.
func ExamplePool_UnknownKeys() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	pool := sshexec.NewPool(sshexec.Options{})
	defer pool.Close()
	keys := pool.UnknownKeys(ctx, []sshexec.Target{{Name: "web"}, {Name: "db"}})
	for _, key := range keys {
		fmt.Println(key.Host, key.Type, key.Fingerprint)
	}
	fmt.Print("Accept them? ")
	var answer string
	if fmt.Scanln(&answer); answer != "yes" {
		return
	}
	for _, key := range keys {
		if err := pool.Accept(key); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}
