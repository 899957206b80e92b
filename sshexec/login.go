package sshexec

import "golang.org/x/crypto/ssh"

// login is a connection on which a login succeeded. Its channels and requests must be served, or
// the library blocks.
type login struct {
	conn     ssh.Conn
	channels <-chan ssh.NewChannel
	requests <-chan *ssh.Request
}

// serve answers what the server requests, until the connection has ended. It rejects all channels
// but those to the ssh-agent, for which agents may be nil.
func (l login) serve(agents *agentRelay) {
	channels, requests := l.channels, l.requests
	for channels != nil || requests != nil {
		select {
		case r, open := <-requests:
			if !open {
				requests = nil
				continue
			}
			_ = r.Reply(false, nil) // an answer to a keepalive, too
		case request, open := <-channels:
			switch {
			case !open:
				channels = nil
			case agents != nil && request.ChannelType() == agentChannel:
				agents.accept(request)
			default:
				_ = request.Reject(ssh.UnknownChannelType, "unknown channel type")
			}
		}
	}
	_ = l.conn.Wait()
}

// discard closes the connection, which no one else uses.
func (l login) discard() {
	l.conn.Close()
	l.serve(nil)
}
