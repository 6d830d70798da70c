"""Head office: its store, its steps and its HTTP."""
