package health

// Bounds of the figures of a host. No host exceeds them, unless it lies or its clock is broken.
const (
	maxLoad   = 99_999
	maxUptime = 100 * 365 * 24 * 60 * 60 // seconds
	maxCount  = 1<<31 - 1
	maxBytes  = 1 << 60
)

// Clamp limits the figures of a host, because they are printed and computed with.
func Clamp(h *Health) {
	for i := range h.Load {
		h.Load[i] = clamp(h.Load[i], maxLoad)
	}
	h.Uptime = clamp(h.Uptime, maxUptime)
	if h.CPU != nil {
		h.CPU = new(clamp(*h.CPU, 100))
	}
	for _, n := range []*int{&h.Cores, &h.System.Generation} {
		*n = clamp(*n, maxCount)
	}
	if c := h.Checkout; c != nil {
		c.Ahead, c.Behind = clamp(c.Ahead, maxCount), clamp(c.Behind, maxCount)
	}
	for _, a := range []*Amount{h.Memory, h.Swap, h.Root, h.Store} {
		if a != nil {
			a.Total = min(a.Total, maxBytes)
			a.Free = min(a.Free, a.Total)
		}
	}
}

// clamp returns 0 for what is not a number, which JSON cannot express.
func clamp[T int | float64](n, limit T) T {
	if n != n {
		return 0
	}
	return max(0, min(n, limit))
}
