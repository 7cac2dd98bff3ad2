"""Files that go into runs and come out of them."""
