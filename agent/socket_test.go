package agent

import (
	"errors"
	"net"
	"os"
	"strings"
	"testing"
)

func TestASocketIsForItsOwnerAndItsGroup(t *testing.T) {
	path := socketPath(t)
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != os.ModeSocket|0o660 {
		t.Errorf("its mode is %v", info.Mode())
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("it is left behind: %v", err)
	}
}

func TestASocketThatAKilledAgentLeftIsReplaced(t *testing.T) {
	path := socketPath(t)
	killed, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	killed.SetUnlinkOnClose(false)
	if err := killed.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestAnAgentThatAnswersIsLeftAlone(t *testing.T) {
	path, _ := anAgent(t, nil)
	if _, err := Listen(path); !errors.Is(err, ErrAnswered) {
		t.Errorf("got %v", err)
	}
	if status, _ := get(t, web(t, path), "/v1/version"); status != 200 {
		t.Errorf("the first agent answers with %d", status)
	}
}

func TestAFileThatIsNoSocketIsLeftAlone(t *testing.T) {
	path := socketPath(t)
	write(t, path, "mine")
	if _, err := Listen(path); err == nil || !strings.Contains(err.Error(), "no socket is there") {
		t.Errorf("got %v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "mine" {
		t.Errorf("it has %q now: %v", text, err)
	}
}

func TestTheSocketOfAnotherAgentIsNotTakenAlong(t *testing.T) {
	path := socketPath(t)
	first, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	second, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
}

func TestAPathThatIsTooLongIsSaidToBe(t *testing.T) {
	if _, err := Listen("/tmp/" + strings.Repeat("x", 100)); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("got %v", err)
	}
}
