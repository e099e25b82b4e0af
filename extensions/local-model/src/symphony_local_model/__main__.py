"""Serves the Instrument to the host: `python -m symphony_local_model`."""

from .instrument import local_model

if __name__ == "__main__":
    local_model.serve()
