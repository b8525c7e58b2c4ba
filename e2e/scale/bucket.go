package scale

import "time"

// bucket is a token bucket that holds what is allowed in a second. It counts in
// whole numbers, so that a second brings exactly as many tokens as are allowed.
type bucket struct {
	perSecond int64
	// level is in tokens times a second.
	level int64
	at    time.Time
}

func newBucket(perSecond int, now time.Time) bucket {
	return bucket{perSecond: int64(perSecond), level: int64(perSecond) * int64(time.Second), at: now}
}

// take takes a token, and reports whether there was one.
func (b *bucket) take(now time.Time) bool {
	full := b.perSecond * int64(time.Second)
	since := min(now.Sub(b.at), time.Second)
	b.level = min(full, b.level+int64(since)*b.perSecond)
	b.at = now
	if b.level < int64(time.Second) {
		return false
	}
	b.level -= int64(time.Second)
	return true
}
