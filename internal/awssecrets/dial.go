package awssecrets

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// headStart is how long an address has for itself before the next one is tried too.
const headStart = 250 * time.Millisecond

// dialer connects to whichever of a name's addresses answers first, of those tried
// in the resolver's order. An endpoint in a VPC has one in each zone; net.Dialer
// would wait for a dead one longer than an attempt may take, and again in the next.
type dialer struct{ net.Dialer }

// DialContext is what net/http's Transport calls.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	connected := make(chan connection)
	return race(ctx, addresses, connected, func(ip netip.Addr) {
		conn, err := d.Dialer.DialContext(ctx, network, net.JoinHostPort(ip.Unmap().String(), port))
		connection{conn, err}.offer(ctx, connected)
	})
}

// connection is one that was made, or why it was not.
type connection struct {
	net.Conn
	err error
}

// offer hands the connection over, or closes it if nobody wants it any more.
func (c connection) offer(ctx context.Context, to chan<- connection) {
	select {
	case to <- c:
	case <-ctx.Done():
		if c.err == nil {
			c.Close()
		}
	}
}

// race tries the addresses one after another, each as soon as the one before has
// failed or had its head start. It returns the first connection, or the first error.
func race(ctx context.Context, addresses []netip.Addr, connected <-chan connection, try func(netip.Addr)) (net.Conn, error) {
	var failed error
	next := time.NewTimer(0)
	defer next.Stop()
	for started, ended := 0, 0; ended < len(addresses); {
		select {
		case <-next.C:
			if started < len(addresses) {
				go try(addresses[started])
				started++
				next.Reset(headStart)
			}
		case c := <-connected:
			if c.err == nil {
				return c.Conn, nil
			}
			if failed == nil {
				failed = c.err
			}
			ended++
			next.Reset(0)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, failed
}
