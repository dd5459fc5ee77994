"""The same pipeline on a real account: deployed, asked, and destroyed again. `make test-aws` runs it."""
