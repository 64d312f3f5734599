"""How effects get p-values and intervals: by drawn assignments, or from influences on request."""
