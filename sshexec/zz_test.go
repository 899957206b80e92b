package sshexec
import ("testing";"time";"os";"runtime/pprof";"github.com/markus-barta/nixfleet/internal/sshtest")
func TestZZ(t *testing.T){
	w, _, web := realHost(t, sshtest.SshdOptions{})
	c := w.dial(w.pool(), web)
	f,_ := os.Create("/tmp/cpu.prof"); pprof.StartCPUProfile(f)
	for range 3 {
	var n counter
	b := time.Now()
	_, err := c.Run(w.ctx(), Command{Script: `yes "a line of a build log, some eighty characters long, as they usually are, more or less" | head -c 400000000`, Stdout: &n})
	t.Log(n, time.Since(b), err)
	}
	pprof.StopCPUProfile(); f.Close()
}
