"""How the workers' time is shared among people: whose turn is next, how much each may have, who waits where."""
