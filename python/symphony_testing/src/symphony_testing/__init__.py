"""Servers with faults on demand, for Symphony's tests."""
