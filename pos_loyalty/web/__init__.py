"""The till's HTTP and pages."""
