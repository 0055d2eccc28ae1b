package entra

import (
	"sync/atomic"

	abs "github.com/microsoft/kiota-abstractions-go"
)

// Meter counts the traffic of one run. The zero value is ready; a nil meter
// counts nothing. It is safe for concurrent use.
type Meter struct {
	requests, writes, throttled atomic.Int64
}

// NewMeter returns a meter at zero.
func NewMeter() *Meter { return &Meter{} }

// Meter returns a new meter for one run over this client.
func (c *Client) Meter() *Meter { return NewMeter() }

// Counts returns the HTTP requests to Graph (a batch is one, repetitions count,
// token requests do not), the writes the service took up or may have taken up,
// each inside a batch counted and refused ones left out, and the answers 429, outer and inner.
func (m *Meter) Counts() (requests, writes, throttled int) {
	if m == nil {
		return 0, 0, 0
	}
	return int(m.requests.Load()), int(m.writes.Load()), int(m.throttled.Load())
}

func (m *Meter) request() {
	if m != nil {
		m.requests.Add(1)
	}
}

func (m *Meter) write(n int) {
	if m != nil {
		m.writes.Add(int64(n))
	}
}

func (m *Meter) throttle() {
	if m != nil {
		m.throttled.Add(1)
	}
}

// meterKey is how the meter of a call reaches the middleware, which alone sees
// every request that leaves, those of a repeated sign-in included.
var meterKey = abs.RequestOptionKey{Key: "tenantsync.Meter"}

// meterOption carries a meter as a request option of the SDK's pipeline.
type meterOption struct{ m *Meter }

func (meterOption) GetKey() abs.RequestOptionKey { return meterKey }
