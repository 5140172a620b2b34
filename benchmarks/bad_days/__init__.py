"""Bad days: fault scripts that a run must survive without losing, downgrading or paying twice for a page."""
