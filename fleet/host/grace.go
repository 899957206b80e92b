package host

import (
	"time"
)

// grace is what a host may take longer than a step's own limit before it counts as overdue.
const Grace = 30 * time.Second
