package refresh_test

import (
	"testing"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/refresh"
)

// countingClient counts what a real client is told to forget.
type countingClient struct {
	refresh.Client
	renewals, disconnections int
}

func (c *countingClient) Renew() {
	c.renewals++
	c.Client.Renew()
}

func (c *countingClient) Disconnect() {
	c.disconnections++
	c.Client.Disconnect()
}

func TestASnapshotsConnectionsAndCredentialsAreForgotten(t *testing.T) {
	bubble(t, tls(), []awsfake.Secret{secretOf("tls", "v1", pair("1"))}, func(t *testing.T, l *lab) {
		client := &countingClient{Client: l.keeper.Client}
		l.keeper.Client = client
		l.keeper.Expire()
		if client.renewals != 1 || client.disconnections != 1 {
			t.Errorf("%d renewals, %d disconnections", client.renewals, client.disconnections)
		}
		l.refresh()
		if client.renewals != 1 || client.disconnections != 3 {
			t.Errorf("after a refresh: %d renewals, %d disconnections, want those before and after it too", client.renewals, client.disconnections)
		}
	})
}
