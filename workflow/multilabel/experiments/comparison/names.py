"""Where the comparison lies below the results, and what it adds: for plans, without anything heavy."""

PLACE = "comparison"
FREQUENCIES = "frequencies"
